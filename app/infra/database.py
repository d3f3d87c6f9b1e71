"""The SQL database: engine, sessions, its clock, and bringing its tables up to date."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, Float, MetaData, create_engine, event, make_url, text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from app.core.config import Settings
from app.core.errors import PentimentoError, StorageFull, Unavailable

log = logging.getLogger(__name__)

_MIGRATIONS = Path(__file__).with_name("migrations")
_DISK_FULL = "53100"  # PostgreSQL's code
_MIGRATION_LOCK = 0x50454E54  # any constant: one advisory lock for everyone who migrates


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )


class db_now(GenericFunction[float]):  # noqa: N801 - reads as the SQL function it is
    """Seconds since 1970 by the database's clock, so that workers' clocks do not matter."""

    type = Float()
    inherit_cache = True


@compiles(db_now, "sqlite")
def _sqlite_now(element: db_now, compiler: SQLCompiler, **kw: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(db_now, "postgresql")
def _postgresql_now(element: db_now, compiler: SQLCompiler, **kw: Any) -> str:
    return "extract(epoch from clock_timestamp())::double precision"


class Database:
    """Sessions on one engine. ``write`` takes SQLite's write lock at once, so that no
    read-then-write fails half-way; both commit or roll back at the end of the block."""

    def __init__(self, url: str) -> None:
        self.engine = _create_engine(url)
        self._writer = self.engine.execution_options(pentimento_write=True)

    @contextmanager
    def read(self) -> Iterator[Session]:
        with _available(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        with _available(), Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    def ping(self) -> None:
        with self.read() as session:
            session.execute(text("SELECT 1"))

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def _available() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        if "disk is full" in str(error) or getattr(getattr(error, "orig", None), "sqlstate", None) == _DISK_FULL:
            raise StorageFull("The server's disk is full. Free some space and try again.") from error
        # The driver names server, port and user: for the log, not for whoever asks.
        log.warning("the database does not answer: %s", getattr(error, "orig", error))
        raise Unavailable("The database does not answer. Try again in a moment.") from error


def _create_engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        return create_engine(parsed, pool_pre_ping=True, hide_parameters=True)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    # Values are visitors', and would stand in tracebacks.
    engine = create_engine(parsed, connect_args={"timeout": 30}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # this module says BEGIN, not the driver
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("pentimento_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def migrate(settings: Settings) -> None:
    """Bring the tables up to date; safe when several processes start at once.

    Raises:
        PentimentoError: a newer version of the program made them.
    """
    database = Database(settings.sql_url)
    try:
        with _available(), _one_at_a_time(settings, database):
            config = Config()
            config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
            with database.engine.connect() as connection:
                _check_known(ScriptDirectory.from_config(config), MigrationContext.configure(connection))
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
                connection.commit()
    finally:
        database.close()


def _check_known(script: ScriptDirectory, context: MigrationContext) -> None:
    unknown = set(context.get_current_heads()) - {one.revision for one in script.walk_revisions()}
    if unknown:
        raise PentimentoError(
            "The database was made by a newer version of Pentimento, which this one does not understand. Start that version, or "
            "choose another data folder with PENTIMENTO_DATA_DIR. "
            f"Received: revision {', '.join(sorted(unknown))}; this version knows those up to {script.get_current_head()}."
        )


@contextmanager
def _one_at_a_time(settings: Settings, database: Database) -> Iterator[None]:
    if database.engine.dialect.name == "sqlite":
        settings.data.mkdir(parents=True, exist_ok=True)
        with (settings.data / "migrate.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        return
    with database.engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATION_LOCK})
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _MIGRATION_LOCK})
