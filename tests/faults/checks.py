"""What must hold once the faults are over: of rows, of what they went through, of files."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from sqlalchemy import select, text

from app.imaging import encode
from app.infra.database import Database
from app.jobs import pictures
from app.jobs.models import STYLIZE, TERMINAL, VERDICT, Job, State
from app.jobs.named import named
from tests.faults.engine import painted

PARTIAL = ".partial-"
_DIGEST_BYTES = 32

_COLUMNS = "id TEXT, kind TEXT, old TEXT, new TEXT, attempt INTEGER, at FLOAT"
_NOTE = "INSERT INTO faults_steps (id, kind, old, new, attempt, at) VALUES (new.id, new.kind, old.state, new.state, new.attempt, {now})"
_WATCH = {
    "sqlite": (
        f"CREATE TABLE faults_steps (number INTEGER PRIMARY KEY AUTOINCREMENT, {_COLUMNS})",
        f"""CREATE TRIGGER faults_watch AFTER UPDATE OF state, attempt ON jobs
            BEGIN {_NOTE.format(now="(julianday('now') - 2440587.5) * 86400.0")}; END""",
    ),
    "postgresql": (
        f"CREATE TABLE faults_steps (number SERIAL PRIMARY KEY, {_COLUMNS})",
        f"""CREATE FUNCTION faults_note() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN {_NOTE.format(now="extract(epoch FROM clock_timestamp())")}; RETURN NULL; END $$""",
        "CREATE TRIGGER faults_watch AFTER UPDATE OF state, attempt ON jobs FOR EACH ROW EXECUTE FUNCTION faults_note()",
    ),
}
_AFTER: dict[str, frozenset[str]] = {
    State.QUEUED: frozenset({State.RUNNING, State.PAUSED, State.DONE, State.CANCELLED}),
    State.RUNNING: frozenset({State.QUEUED, State.PAUSED, State.DONE, State.FAILED, State.CANCELLED}),
    State.PAUSED: frozenset({State.QUEUED, State.DONE, State.CANCELLED}),
}


@dataclass(frozen=True)
class Step:
    """One change of a row's state or attempt."""

    id: str
    kind: str
    old: str
    new: str
    attempt: int
    at: float


@dataclass(frozen=True)
class Acknowledged:
    """A job of which a visitor was told that it is there.

    Attributes:
        seed: decides the only right picture.
        ends: what it may end as.
    """

    seed: int
    ends: frozenset[State] = frozenset({State.DONE})


Ledger = Mapping[str, Acknowledged]


def watch(database: Database) -> None:
    """Have the database note every change of a job's state, whoever makes it."""
    with database.write() as session:
        for statement in _WATCH[database.engine.dialect.name]:
            session.execute(text(statement))


def steps_of(database: Database) -> list[Step]:
    with database.read() as session:
        rows = session.execute(text("SELECT id, kind, old, new, attempt, at FROM faults_steps ORDER BY number"))
        return [Step(*row) for row in rows]


def rows_of(database: Database) -> list[Job]:
    with database.read() as session:
        return list(session.execute(select(Job)).scalars())


def unfinished(rows: Sequence[Job]) -> list[str]:
    return [job.id for job in rows if not job.terminal]


def violations(rows: Sequence[Job], steps: Sequence[Step], root: Path, ledger: Ledger) -> list[str]:
    """Return what does not hold, in words; nothing where all is well."""
    return [*lost(rows, ledger), *wrong_ends(rows, ledger), *wrong_steps(steps), *wrong_files(rows, root), *unjudged(rows), *partial(root)]


def lost(rows: Sequence[Job], ledger: Ledger) -> Iterator[str]:
    """Every acknowledged job is a row."""
    there = {job.id for job in rows}
    yield from (f"{job_id} was acknowledged and is not there" for job_id in ledger if job_id not in there)


def wrong_ends(rows: Sequence[Job], ledger: Ledger) -> Iterator[str]:
    """Everything has ended, and what was acknowledged as it had to."""
    for job in rows:
        if job.state not in TERMINAL:
            yield f"{job.id} has not ended: it is {job.state}"
        elif job.id in ledger and job.state not in ledger[job.id].ends:
            yield f"{job.id} ended as {job.state}, not as {' or '.join(sorted(ledger[job.id].ends))}: {job.error}"


def wrong_steps(steps: Sequence[Step]) -> Iterator[str]:
    """States follow each other as they may; a job ends once, and no attempt is given out twice."""
    ends: Counter[str] = Counter()
    claims: defaultdict[str, list[int]] = defaultdict(list)
    for step in steps:
        if step.new not in _AFTER.get(step.old, frozenset()):
            yield f"{step.id} went from {step.old} to {step.new} in attempt {step.attempt}"
        if step.new in TERMINAL:
            ends[step.id] += 1
        if step.new == State.RUNNING:
            claims[step.id].append(step.attempt)
    yield from (f"{job_id} ended {count} times" for job_id, count in ends.items() if count > 1)
    yield from (f"{job_id} was claimed as attempts {each}" for job_id, each in claims.items() if each != list(range(1, len(each) + 1)))


def wrong_files(rows: Sequence[Job], root: Path) -> Iterator[str]:
    """Each file that a row names is there, and a result is the picture of its seed."""
    for job in rows:
        folder = root / pictures.folder(job.id)
        for name in needed(job):
            if not (folder / name).is_file():
                yield f"{job.id} names {name}, which is not there"
        if job.kind == STYLIZE and (job.state == State.DONE or job.result):
            yield from _wrong_result(job, folder)


def needed(job: Job) -> set[str]:
    """Return the names of files in the job's folder without which the row is worth less than it says."""
    inputs = {name for role in job.inputs for name in (pictures.input_name(role), pictures.thumbnail_name(role))}
    frames = {str(frame["name"]) for frame in job.frames or []}
    return inputs | frames | ({job.result} if job.result else set()) | ({job.checkpoint["name"]} if job.checkpoint else set())


def _wrong_result(job: Job, folder: Path) -> Iterator[str]:
    if job.result is None:
        yield f"{job.id} is done and has no result"
    elif (folder / job.result).is_file() and (problem := _problem(folder / job.result)):
        yield f"{job.id}: {job.result} {problem}"
    elif (folder / job.result).is_file():
        pixels = encode.read_rgb((folder / job.result).read_bytes())
        if not np.array_equal(pixels, painted(int(job.params["seed"]))):
            yield f"{job.id}: {job.result} is another picture"


def unjudged(rows: Sequence[Job]) -> Iterator[str]:
    """Each finished picture has its verdict."""
    judged = {job.parent for job in rows if job.kind == VERDICT and job.state == State.DONE and job.report}
    yield from (f"{job.id} has no verdict" for job in rows if job.kind == STYLIZE and job.result and job.id not in judged)


def partial(root: Path) -> Iterator[str]:
    """No file is visible under its own name before it is whole, whether a row names it or not."""
    for path in _files(root):
        if not path.name.startswith(PARTIAL) and (problem := _problem(path)):
            yield f"{path.relative_to(root)} {problem}"


def unnamed(rows: Sequence[Job], root: Path) -> list[str]:
    """Return the files that no row names, leftovers of writing included."""
    wanted = {pictures.key(job.id, name) for job in rows for name in named(job)}
    return sorted(key for path in _files(root) if (key := str(path.relative_to(root))) not in wanted)


def _files(root: Path) -> Iterator[Path]:
    yield from (path for path in sorted(root.rglob("*")) if path.is_file())


def _problem(path: Path) -> str:
    """Return what is wrong with a stored file, or nothing."""
    try:
        if path.suffix == ".safetensors":
            data = path.read_bytes()
            return "" if hashlib.sha256(data[_DIGEST_BYTES:]).digest() == data[:_DIGEST_BYTES] else "is not whole"
        if path.suffix in (".png", ".jpg"):
            with Image.open(path) as image:
                image.load()
    except FileNotFoundError:
        return ""  # deleted meanwhile
    except (OSError, SyntaxError, ValueError) as error:
        return f"is not whole: {error}"
    return ""
