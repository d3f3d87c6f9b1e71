"""Migrations give the tables that the models describe; the clock is the database's."""

from __future__ import annotations

import sqlite3
import threading
import time

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from app.core.config import Settings
from app.core.errors import StorageFull, Unavailable
from app.infra.database import Base, Database, migrate
from app.jobs import repository
from app.jobs.models import Job


def test_the_migrated_tables_are_those_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    assert Job.__tablename__ in Base.metadata.tables


def test_migrating_again_and_at_once_changes_nothing(settings: Settings) -> None:
    threads = [threading.Thread(target=migrate, args=(settings,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    migrate(settings)
    with sqlite3.connect(settings.data / "pentimento.db") as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
    connection.close()


def test_the_clock_is_in_seconds_since_1970(database: Database) -> None:
    with database.read() as session:
        assert repository.now(session) == pytest.approx(time.time(), abs=5)


def test_sqlite_is_durable_and_lets_readers_read(database: Database) -> None:
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_a_database_that_does_not_answer_is_unavailable(tmp_path: object) -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none?connect_timeout=1")
    with pytest.raises(Unavailable, match="does not answer"):
        database.ping()
    database.close()


def test_migrating_without_a_database_says_so(settings: Settings) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        migrate(settings.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:1/none?connect_timeout=1"}))


def test_a_full_disk_is_told_from_a_database_that_is_away(database: Database) -> None:
    with pytest.raises(StorageFull), database.write() as session:
        session.execute(text("PRAGMA max_page_count = 1"))
        session.execute(text("CREATE TABLE filler (x)"))
        session.execute(text("INSERT INTO filler SELECT hex(randomblob(1000000))"))
