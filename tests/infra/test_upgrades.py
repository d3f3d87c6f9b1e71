"""Databases with something in them: upgraded from each earlier revision, and down and up again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import JSON, Boolean, Float, Integer, MetaData, String, Table, select, text

from app.core.config import Settings
from app.core.errors import PentimentoError
from app.infra import database as database_module
from app.infra.database import Database, migrate
from app.jobs.models import STYLIZE, Job, State

DATABASES = ("sqlite", "postgresql")
MIGRATIONS = Path(database_module.__file__).with_name("migrations")
ROWS = 3
# What no revision's downgrade removes or changes.
FIXED: dict[str, Any] = {"kind": STYLIZE, "state": State.DONE}


def revisions() -> list[str]:
    """Return all revisions, the first one first."""
    return [one.revision for one in ScriptDirectory(str(MIGRATIONS)).walk_revisions()][::-1]


def move(database: Database, revision: str, *, down: bool = False) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, revision)
        connection.commit()


def tables(database: Database) -> list[Table]:
    known = MetaData()
    known.reflect(database.engine)
    return [table for table in known.sorted_tables if table.name != "alembic_version"]


def populate(database: Database) -> None:
    """Put rows into every table, with something in every column."""
    with database.write() as session:
        for table in tables(database):
            for number in range(1, ROWS + 1):
                session.execute(table.insert().values({column.name: value(column, number) for column in table.columns}))


def value(column: Any, number: int) -> Any:
    if column.foreign_keys:
        return f"id{number}"
    if column.name in FIXED:
        return FIXED[column.name]
    if isinstance(column.type, Boolean):
        return number % 2 == 0
    if isinstance(column.type, JSON):
        return {"of": [column.name, number]}
    if isinstance(column.type, Integer | Float):
        return number
    assert isinstance(column.type, String), column
    return f"{column.name}{number}"


def contents(database: Database) -> dict[str, list[dict[str, Any]]]:
    with database.read() as session:
        return {
            table.name: [dict(row._mapping) for row in session.execute(select(table).order_by(table.c.id))] for table in tables(database)
        }


def kept(before: dict[str, list[dict[str, Any]]], after: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Return what ``after`` has of the tables and columns of ``before``."""
    return {
        name: [{column: row[column] for column in row if column in rows[0]} for row in after[name]]
        for name, rows in before.items()
        if name in after
    }


@pytest.fixture
def database_at(settings: Settings) -> Iterator[Database]:
    database = Database(settings.sql_url)
    yield database
    database.close()


@pytest.mark.parametrize("revision", revisions()[:-1])
def test_everything_survives_an_upgrade(settings: Settings, database_at: Database, revision: str) -> None:
    move(database_at, revision)
    populate(database_at)
    before = contents(database_at)
    assert all(len(rows) == ROWS for rows in before.values())
    migrate(settings)
    after = contents(database_at)
    assert kept(before, after) == before
    with database_at.read() as session:
        jobs = session.execute(select(Job).order_by(Job.id)).scalars().all()
    assert [(job.id, job.params) for job in jobs] == [(f"id{n}", {"of": ["params", n]}) for n in (1, 2, 3)], "and the program reads it"


@pytest.mark.parametrize("revision", revisions()[:-1])
def test_what_an_earlier_version_knows_survives_down_and_up_again(settings: Settings, database_at: Database, revision: str) -> None:
    migrate(settings)
    populate(database_at)
    before = contents(database_at)
    move(database_at, revision, down=True)
    lowered = contents(database_at)
    assert "jobs" in lowered and "attempt" in lowered["jobs"][0]
    assert lowered == {name: [{column: row[column] for column in lowered[name][0]} for row in before[name]] for name in lowered}
    migrate(settings)
    assert kept(lowered, contents(database_at)) == lowered


def test_a_paused_job_waits_after_a_downgrade(settings: Settings, database_at: Database) -> None:
    migrate(settings)
    populate(database_at)
    with database_at.write() as session:
        session.get_one(Job, "id1").state = State.PAUSED
    move(database_at, "0003", down=True)
    assert [row["state"] for row in contents(database_at)["jobs"]] == [State.QUEUED, State.DONE, State.DONE]


def test_a_database_of_a_newer_version_is_refused_in_one_sentence(settings: Settings, database_at: Database) -> None:
    migrate(settings)
    with database_at.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(
        PentimentoError, match=rf"newer version of Pentimento, .* Received: revision 9999; .* up to {revisions()[-1]}\."
    ) as caught:
        migrate(settings)
    assert "\n" not in caught.value.message
    with database_at.read() as session:
        assert session.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == ["9999"], "it is left as it was"
