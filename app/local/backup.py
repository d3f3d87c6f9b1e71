"""Backup and restore: database, pictures and secret of one data folder, with a manifest of what there is."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from app.core.config import Settings
from app.core.errors import InputError, NotFound, PentimentoError, StorageFull
from app.core.version import VERSION
from app.infra import files
from app.infra.cache import sha256_of
from app.infra.database import migrate
from app.infra.standstill import is_local, standstill
from app.local import instance

OnProgress = Callable[[str, int, int], None]
"""Called with what is done, how many bytes of it are, and of how many."""

MANIFEST = "manifest.json"
_DATABASE, _SECRET, _PICTURES = "pentimento.db", "secret", "pictures"
_FORMAT = 1
_CHUNK = 1_000_000
# What a backup may hold: a name that leads elsewhere is not restored.
_NAME = re.compile(rf"{re.escape(_DATABASE)}|{_SECRET}|{_PICTURES}(/[a-z0-9][a-z0-9._-]*)+")
_NAMED_AT_MOST = 3


class Entry(BaseModel):
    sha256: str
    size: int


class Manifest(BaseModel):
    """Everything in a backup but the manifest itself, by path. It is written last: a backup without it is not whole."""

    format: int = _FORMAT
    version: str
    made: str
    files: dict[str, Entry]


@dataclass(frozen=True)
class Copied:
    """What was copied, for whoever asked for it."""

    files: int
    bytes: int


def back_up(settings: Settings, folder: Path, on_progress: OnProgress) -> Copied:
    """Copy the data folder into a new or empty one, while everything runs or while nothing does.

    The database comes first, so that every row has its files: those are stored before it and,
    for as long as this takes, deleted by nobody. What a painter puts away meanwhile, a state or
    a preview, is not missed: its job begins anew.

    Raises:
        InputError: the folder is not empty, or lies in the data folder; or database or pictures are kept elsewhere.
        NotFound: there is nothing to back up.
    """
    _check_local(settings, "back it up")
    data, target = settings.data, folder.expanduser().resolve()
    if not (data / _DATABASE).is_file():
        raise NotFound(f"There is nothing to back up in {data}: it has no database. PENTIMENTO_DATA_DIR names another data folder.")
    if target.is_relative_to(data):
        raise InputError(f"A backup does not belong into the data folder itself. Choose a folder elsewhere. Received: {folder}")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(f"A backup goes into a new or an empty folder. Received: {folder}")
    with _told(target), standstill(settings):
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            entries = {_DATABASE: _copy_database(data / _DATABASE, target / _DATABASE)}
            paths = {name: data / name for name in _stored(data)}
            entries |= _copy_all(paths, target, "backing up", on_progress)
            made = datetime.now(UTC).isoformat(timespec="seconds")
            manifest = Manifest(version=VERSION, made=made, files=entries)
            files.write(target / MANIFEST, manifest.model_dump_json(indent=1).encode())
        except BaseException:
            _empty(target)
            raise
    return _sum(entries)


def restore(settings: Settings, folder: Path, on_progress: OnProgress) -> Copied:
    """Check a backup, then put it into the data folder, which is new or empty; jobs that ran wait for their turn again.

    Raises:
        InputError: no backup, one that is damaged or not whole; or database or pictures are kept elsewhere.
        Unavailable: the data folder is in use.
        PentimentoError: the data folder is not empty, or the backup is of a newer version.
        StorageFull: there is no room for it.
    """
    _check_local(settings, "restore it")
    source, data = folder.expanduser().resolve(), settings.data
    manifest = _read(source)
    entries = manifest.files
    with _claimed(settings):
        _check(source, entries, on_progress)
        whole = _sum(entries)
        if shutil.disk_usage(data).free < whole.bytes + settings.min_free_mb * 1_000_000:
            raise StorageFull(f"The disk that holds {data} has too little room for this backup: {whole.bytes / 1e6:.0f} MB are needed.")
        try:
            with _told(data):
                # The database comes last: without it there is nothing to start with.
                order = sorted(entries, key=lambda name: name == _DATABASE)
                copied = _copy_all({name: source / name for name in order}, data, "restoring", on_progress)
                if copied != entries:
                    raise InputError(f"The backup {folder} changed while it was read. Nothing was restored.")
                migrate(settings)
                _put_right(data)
        except BaseException:
            _empty(data)
            raise
    return whole


def _check_local(settings: Settings, what: str) -> None:
    if not is_local(settings):
        names = [f"PENTIMENTO_{name.upper()}" for name in ("database_url", "blobs_url") if getattr(settings, name) is not None]
        raise InputError(
            f"{' and '.join(names)} is set, so not everything is in the data folder. Use the database's and the picture store's own "
            f"means to {what}, the database first; docs/operations.md tells what has to be kept."
        )


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Tell in words why a folder cannot be written to."""
    try:
        with files.room_for(f"the copy in {folder}"):
            yield
    except OSError as error:
        raise PentimentoError(f"{error.filename or folder} cannot be copied ({error.strerror}).") from error
    except sqlite3.Error as error:
        raise PentimentoError(f"The database cannot be copied: {error}.") from error


def _copy_database(source: Path, target: Path) -> Entry:
    """Copy it as it is at one moment; those who write meanwhile are not held up."""
    with closing(sqlite3.connect(source, timeout=30)) as database, closing(sqlite3.connect(target)) as copy:
        database.backup(copy)
        # One file, with no log beside it.
        copy.execute("PRAGMA journal_mode=DELETE")
        damage = copy.execute("PRAGMA quick_check").fetchone()[0]
    if damage != "ok":
        raise PentimentoError(f"The database is damaged, so no backup was made of it. Received: {damage}")
    target.chmod(0o600)
    return Entry(sha256=sha256_of(target), size=target.stat().st_size)


def _stored(data: Path) -> list[str]:
    """Return the names of the secret and of every picture; half-written files are none."""
    inside = (path.relative_to(data).as_posix() for path in (data / _PICTURES).rglob("*") if path.is_file())
    return [_SECRET] * (data / _SECRET).is_file() + sorted(name for name in inside if _NAME.fullmatch(name))


def _copy_all(paths: Mapping[str, Path], target: Path, what: str, on_progress: OnProgress) -> dict[str, Entry]:
    """Copy files and return what was copied; one that was deleted since it was listed is left out."""
    entries: dict[str, Entry] = {}
    sizes = {name: _size(path) for name, path in paths.items()}
    done, total = 0, sum(sizes.values())
    for name, path in paths.items():
        with suppress(FileNotFoundError):
            entries[name] = _copy(path, target / name)
        done += sizes[name]
        on_progress(what, done, total)
    return entries


def _copy(source: Path, target: Path) -> Entry:
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as reading:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as writing:
            while chunk := reading.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                writing.write(chunk)
            writing.flush()
            os.fsync(writing.fileno())
        # By its age the janitor tells what is being stored from what was left behind.
        stat = os.fstat(reading.fileno())
        os.utime(target, (stat.st_atime, stat.st_mtime))
    return Entry(sha256=digest.hexdigest(), size=size)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _read(source: Path) -> Manifest:
    path = source / MANIFEST
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(f"{source} is no backup, or one that was broken off: it has no {MANIFEST}.") from error
    except (ValidationError, OSError) as error:
        raise InputError(f"The {MANIFEST} in {source} cannot be read, so nothing was restored.") from error
    if manifest.format != _FORMAT:
        raise InputError(f"This backup was made by version {manifest.version}, which this one does not understand. Use that version.")
    if _DATABASE not in manifest.files or not all(_NAME.fullmatch(name) for name in manifest.files):
        raise InputError(f"The {MANIFEST} in {source} names what a backup does not hold, or no database, so nothing was restored.")
    return manifest


def _check(source: Path, entries: Mapping[str, Entry], on_progress: OnProgress) -> None:
    wrong: list[str] = []
    done, total = 0, sum(entry.size for entry in entries.values())
    for name, entry in entries.items():
        try:
            if sha256_of(source / name) != entry.sha256:
                wrong.append(f"{name} is damaged")
        except OSError:
            wrong.append(f"{name} is missing")
        done += entry.size
        on_progress("checking", done, total)
    if wrong:
        more = f" and {len(wrong) - _NAMED_AT_MOST} more" if len(wrong) > _NAMED_AT_MOST else ""
        raise InputError(f"This backup is not as it was made, so nothing was restored: {', '.join(wrong[:_NAMED_AT_MOST])}{more}.")


@contextmanager
def _claimed(settings: Settings) -> Iterator[None]:
    """Hold the data folder, which is new or empty, as a start does."""
    data = settings.data
    instance.open_data_folder(data, settings.min_free_mb)
    there = {path.name for path in data.iterdir()} - {instance.LOCK}
    lock = instance.lock_data_folder(data, "restoring")
    try:
        if there:
            raise PentimentoError(
                f"The data folder {data} is not empty, and a backup replaces nothing. Choose a new folder with PENTIMENTO_DATA_DIR, "
                f"or move this one away. It holds: {', '.join(sorted(there)[:_NAMED_AT_MOST])}"
            )
        yield
    finally:
        os.close(lock)


def _put_right(data: Path) -> None:
    """Let no row name what is not there: a worker, which is elsewhere or gone, or what a painter put away during the copy."""
    with closing(sqlite3.connect(data / _DATABASE)) as connection, connection:
        connection.execute("UPDATE jobs SET state = 'queued', lease_until = NULL WHERE state = 'running'")
        connection.execute("UPDATE datasets SET lease_until = NULL")
        for job_id, left, preview in connection.execute("SELECT id, checkpoint, preview FROM jobs").fetchall():
            files_of = data / _PICTURES / "jobs" / job_id
            named = json.loads(left) if left else None
            if named and not all((files_of / named[name]).is_file() for name in ("name", "result") if named.get(name)):
                connection.execute("UPDATE jobs SET checkpoint = NULL WHERE id = ?", (job_id,))
            if preview and not (files_of / preview).is_file():
                connection.execute("UPDATE jobs SET preview = NULL WHERE id = ?", (job_id,))


def _empty(folder: Path) -> None:
    """Remove what was copied into a folder that was empty, so that the same can be tried again."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != instance.LOCK:
            path.unlink()


def _sum(entries: Mapping[str, Entry]) -> Copied:
    return Copied(len(entries), sum(entry.size for entry in entries.values()))
