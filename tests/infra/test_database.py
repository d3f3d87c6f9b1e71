"""Migrations give the tables that the models describe; the clock is the database's."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.core.config import Settings
from app.core.errors import StorageFull, Unavailable
from app.infra import database as database_module
from app.infra.database import Base, Database, migrate
from app.jobs import repository
from app.jobs.models import VERDICT, Job
from app.lab.models import Dataset

DATABASES = ("sqlite", "postgresql")
MIGRATIONS = Path(database_module.__file__).with_name("migrations")


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'pentimento.db'}")
    yield database
    database.close()


def newest_migration() -> str:
    return max(path.name for path in MIGRATIONS.glob("versions/0*.py")).partition("_")[0]


def upgrade_to(database: Database, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()


def test_the_migrated_tables_are_those_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    assert {Job.__tablename__, Dataset.__tablename__} <= set(Base.metadata.tables)


def test_migrating_again_and_at_once_changes_nothing(settings: Settings) -> None:
    threads = [threading.Thread(target=migrate, args=(settings,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    migrate(settings)
    database = Database(settings.sql_url)
    with database.read() as session:
        assert session.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [newest_migration()]
    database.close()


def test_the_clock_is_in_seconds_since_1970(database: Database) -> None:
    with database.read() as session:
        assert repository.now(session) == pytest.approx(time.time(), abs=5)


def test_sqlite_is_durable_and_lets_readers_read(sqlite: Database) -> None:
    with sqlite.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_a_database_that_does_not_answer_is_unavailable_and_the_log_says_why(caplog: pytest.LogCaptureFixture) -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none?connect_timeout=1")
    with pytest.raises(Unavailable) as raised:
        database.ping()
    database.close()
    assert raised.value.message == "The database does not answer. Try again in a moment."
    assert 'connection to server at "127.0.0.1", port 1 failed' in caplog.text


def test_migrating_without_a_database_says_so(settings: Settings) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        migrate(settings.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:1/none?connect_timeout=1"}))


def test_a_full_disk_is_told_from_a_database_that_is_away(database: Database) -> None:
    statements = {
        "sqlite": ("PRAGMA max_page_count = 1", "CREATE TABLE filler (x)", "INSERT INTO filler SELECT hex(randomblob(1000000))"),
        "postgresql": ("DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$",),
    }
    with pytest.raises(StorageFull), database.write() as session:
        for statement in statements[database.engine.dialect.name]:
            session.execute(text(statement))


def test_jobs_of_the_first_version_stay_as_they_were(settings: Settings) -> None:
    old = Database(settings.sql_url)
    upgrade_to(old, "0001")
    columns = {
        "id": "'0123456789abcdef0123456789abcdef'",
        "kind": "'stylize'",
        "owner": "'fedcba9876543210fedcba9876543210'",
        "state": "'done'",
        "preset": "'default'",
        "params": "'{\"size\": 256}'",
        "inputs": "'{}'",
        "attempt": "1",
        "crashes": "0",
        "stop_requested": "false",
        "cancel_requested": "false",
        "result": "'result-1.png'",
        "stopped_early": "true",
        "created_at": "1700000000.5",
    }
    with old.write() as session:
        session.connection().exec_driver_sql(f"INSERT INTO jobs ({', '.join(columns)}) VALUES ({', '.join(columns.values())})")  # noqa: S608
    old.close()
    migrate(settings)
    new = Database(settings.sql_url)
    with new.read() as session:
        job = session.get_one(Job, "0123456789abcdef0123456789abcdef")
    assert (job.kind, job.state, job.params, job.result, job.stopped_early) == ("stylize", "done", {"size": 256}, "result-1.png", True)
    assert (job.created_at, job.parent, job.frames, job.report) == (1700000000.5, None, None, None)
    with pytest.raises(IntegrityError), new.write() as session:
        for n in range(2):
            verdict = Job(id=f"{n:032}", kind=VERDICT, owner=job.owner, parent=job.id, preset="", params={}, inputs={}, created_at=1.0)
            session.add(verdict)
    with new.write() as session:
        for n in range(2):
            batch = Job(id=f"{n:032}", kind="stylize", owner=job.owner, parent="a" * 32, preset="", params={}, inputs={}, created_at=1.0)
            session.add(batch)
    new.close()
