"""A backup started elsewhere has everything; one that is not whole is refused and leaves nothing behind."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from app.cli import app
from app.core.config import Settings
from app.core.errors import InputError, NotFound, PentimentoError, StorageFull, Unavailable
from app.infra.blobs import Blobs
from app.infra.clients import Clients
from app.infra.database import Database, migrate
from app.jobs import pictures, repository
from app.jobs.models import STYLIZE, Job, State
from app.jobs.named import named
from app.jobs.sweeper import Sweeper
from app.lab.janitor import Janitor
from app.local import instance
from app.local.backup import MANIFEST, back_up, restore
from app.main import create_app
from app.web.security import OWNER_COOKIE
from tests.lab.conftest import order
from tests.web.conftest import Studio, composed, studio  # noqa: F401 - fixtures

AddJob = Callable[..., Job]


def silent(what: str, done: int, total: int) -> None:
    """Nobody watches."""


def at(settings: Settings, folder: Path) -> Settings:
    return settings.model_copy(update={"data_dir": folder})


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def elsewhere(settings: Settings, tmp_path: Path) -> Settings:
    return at(settings, tmp_path / "another place" / "data")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "copies" / "first"


@pytest.fixture
def small(settings: Settings) -> Settings:
    """A data folder with an empty database, a secret and two pictures."""
    migrate(settings)
    blobs = Blobs(settings.picture_url)
    blobs.put("jobs/1/content.png", b"one")
    blobs.put("detectors/1.safetensors", b"numbers")
    (settings.data / "secret").write_text("s" * 64)
    return settings


def start(settings: Settings, cookie: str) -> TestClient:
    client = TestClient(create_app(settings))
    client.cookies.set(OWNER_COOKIE, cookie)
    return client


def jobs_in(settings: Settings) -> dict[str, Job]:
    database = Database(settings.sql_url)
    with database.read() as session:
        found = {job.id: job for job in session.query(Job)}
    database.close()
    return found


def test_the_same_cookie_sees_everything_elsewhere(studio: Studio, elsewhere: Settings, copy: Path) -> None:  # noqa: F811
    done = studio.finished()
    studio.judge()
    cookie = studio.client.cookies[OWNER_COOKIE]
    owner = studio.services.signer.read(cookie)
    assert owner
    dataset = studio.services.datasets.create(owner, order(1, 1))
    deadline = time.monotonic() + 20
    while studio.services.datasets.event(owner, dataset.id).state == "unpacking":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    # Singles come first, so this is the one that is claimed.
    running = studio.submit(size=64)
    with studio.services.database.write() as session:
        claimed = repository.claim(session, STYLIZE, 1000)
    assert claimed is not None and claimed.id == running
    addresses = [
        f"/api/jobs/{done}",
        f"/api/jobs/{done}/result",
        f"/api/jobs/{done}/verdict",
        f"/api/jobs/{done}/pictures/content.png",
        f"/api/lab/datasets/{dataset.id}",
        f"/api/lab/datasets/{dataset.id}/pictures/1",
    ]
    before = [studio.client.get(address) for address in addresses]
    assert [answer.status_code for answer in before] == [200] * len(addresses)

    back_up(studio.settings, copy, silent)
    restore(elsewhere, copy, silent)
    with start(elsewhere, cookie) as there:
        assert [there.get(address).content for address in addresses] == [answer.content for answer in before]
        assert there.get(f"/api/jobs/{running}").json()["state"] == "queued"
    with TestClient(create_app(elsewhere)) as stranger:
        assert stranger.get(addresses[0]).status_code == 404
    row = jobs_in(elsewhere)[running]
    assert (row.state, row.lease_until, row.crashes, row.attempt) == (State.QUEUED, None, 0, 1)
    assert tree(elsewhere.data / "pictures") == tree(studio.settings.data / "pictures")
    assert studio.client.get(f"/api/jobs/{running}").json()["state"] == "running", "what was copied goes on"


def test_a_stopped_folder_copied_as_it_is_starts_too(studio: Studio, elsewhere: Settings) -> None:  # noqa: F811
    done = studio.finished()
    cookie, result = studio.client.cookies[OWNER_COOKIE], studio.client.get(f"/api/jobs/{done}/result").content
    studio.services.database.close()
    elsewhere.data.mkdir(parents=True)
    for name in ("pentimento.db", "secret"):
        shutil.copy(studio.settings.data / name, elsewhere.data)
    for name in ("pentimento.db-wal", "pentimento.db-shm"):
        if (studio.settings.data / name).exists():
            shutil.copy(studio.settings.data / name, elsewhere.data)
    shutil.copytree(studio.settings.data / "pictures", elsewhere.data / "pictures")
    with start(elsewhere, cookie) as there:
        assert there.get(f"/api/jobs/{done}/result").content == result


def test_what_is_deleted_while_a_backup_is_made_is_in_it(clients: Clients, add_job: AddJob, elsewhere: Settings, copy: Path) -> None:
    at_once = dataclasses.replace(clients, settings=clients.settings.model_copy(update={"undo_seconds": 0.0, "orphan_seconds": -5.0}))
    thrown_away, late = add_job(state=State.DONE, deleted_at=1.0), []
    stray = pictures.key(thrown_away.id, "result-9.png")
    clients.blobs.put(stray, b"x")

    def meanwhile(what: str, done: int, total: int) -> None:
        if not late:
            late.append(add_job())
            Sweeper(at_once).sweep()
            assert Janitor(at_once).clean().total() == 0

    back_up(clients.settings, copy, meanwhile)
    restore(elsewhere, copy, silent)
    assert set(jobs_in(elsewhere)) == {thrown_away.id}
    there = Blobs(elsewhere.picture_url)
    assert there.get(stray) == b"x" and there.get(pictures.key(thrown_away.id, "content.png"))
    assert Janitor(at_once).clean()["files"] == 1, "now it may"
    Sweeper(at_once).sweep()
    assert set(jobs_in(clients.settings)) == {late[0].id}


@pytest.mark.parametrize("gone", ["checkpoint-1-0.safetensors", "result-1.png"])
def test_a_job_whose_state_was_put_away_during_the_copy_begins_anew(
    clients: Clients, add_job: AddJob, elsewhere: Settings, copy: Path, gone: str
) -> None:
    left = {"name": "checkpoint-1-0.safetensors", "result": "result-1.png", "facts": {}, "live": {"iteration": 5}, "frames": []}
    whole = add_job(state=State.PAUSED, attempt=1, checkpoint=left, preview="preview-1-0001.jpg")
    torn = add_job(state=State.PAUSED, attempt=1, checkpoint=left, preview="preview-1-0001.jpg")
    for job in (whole, torn):
        for name in ("checkpoint-1-0.safetensors", "result-1.png", "preview-1-0001.jpg"):
            clients.blobs.put(pictures.key(job.id, name), b"x")

    # As when a painter puts them away after the rows were copied, and before their turn comes.
    for name in (gone, "preview-1-0001.jpg"):
        clients.blobs.delete(pictures.key(torn.id, name))
    back_up(clients.settings, copy, silent)
    restore(elsewhere, copy, silent)
    rows = jobs_in(elsewhere)
    assert (rows[torn.id].state, rows[torn.id].checkpoint, rows[torn.id].preview) == (State.PAUSED, None, None)
    assert (rows[whole.id].checkpoint, rows[whole.id].preview) == (left, "preview-1-0001.jpg")


def test_a_backup_under_writes_has_the_files_of_every_row(clients: Clients, elsewhere: Settings, copy: Path) -> None:
    at_once = dataclasses.replace(clients, settings=clients.settings.model_copy(update={"undo_seconds": 0.0}))
    ended = threading.Event()
    made: dict[str, dict[str, bytes]] = {}

    def write() -> None:
        """Add jobs as an upload does, and throw every second one away."""
        number = 0
        while not ended.is_set():
            number += 1
            job = Job(id=f"{number:032x}", kind=STYLIZE, owner="a" * 32, preset="default", params={}, state=State.DONE)
            job.inputs, job.created_at = {"content": {"name": "x"}}, float(number)
            data = {name: os.urandom(20_000) for name in named(job)}
            for name, file in data.items():
                clients.blobs.put(pictures.key(job.id, name), file)
            with clients.database.write() as session:
                session.add(job)
            made[job.id] = data
            if number % 2:
                with clients.database.write() as session:
                    session.get_one(Job, job.id).deleted_at = 1.0
                Sweeper(at_once).sweep()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        while len(made) < 40:
            time.sleep(0.01)
        before = len(made)
        back_up(clients.settings, copy, lambda *_: time.sleep(0.01))
        assert len(made) > before, "nobody was held up"
    finally:
        ended.set()
        thread.join()
    restore(elsewhere, copy, silent)
    rows = jobs_in(elsewhere)
    assert len(rows) >= 20
    there = Blobs(elsewhere.picture_url)
    for row in rows.values():
        for name in named(row):
            # What was stored, not what is: a row that was copied may have been thrown away a moment later.
            assert there.get(pictures.key(row.id, name)) == made[row.id][name]


def test_only_what_cannot_be_made_again_is_copied_and_for_its_owner_alone(small: Settings, copy: Path) -> None:
    (small.data / "pictures" / "jobs" / "1" / ".partial-x").write_bytes(b"half")
    (small.data / "logs").mkdir()
    (small.data / "logs" / "web.log").write_text("line")
    copied = back_up(small, copy, silent)
    files = tree(copy)
    assert set(files) == {MANIFEST, "pentimento.db", "secret", "pictures/jobs/1/content.png", "pictures/detectors/1.safetensors"}
    assert set(json.loads(files[MANIFEST])["files"]) == set(files) - {MANIFEST}
    assert (copied.files, copied.bytes) == (4, sum(len(data) for name, data in files.items() if name != MANIFEST))
    assert copy.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in copy.rglob("*") if path.is_file())


def test_the_progress_ends_where_it_should(small: Settings, elsewhere: Settings, copy: Path) -> None:
    told: list[tuple[str, int, int]] = []
    back_up(small, copy, lambda *one: told.append(one))
    restore(elsewhere, copy, lambda *one: told.append(one))
    last = {what: (done, total) for what, done, total in told}
    assert set(last) == {"backing up", "checking", "restoring"}
    assert all(done == total > 0 for done, total in last.values())


def test_the_commands_say_what_they_did(small: Settings, elsewhere: Settings, copy: Path) -> None:
    run = CliRunner()
    made = run.invoke(app, ["backup", str(copy)], env={"PENTIMENTO_DATA_DIR": str(small.data)})
    assert (made.exit_code, made.output.splitlines()[-1].split(" of ")[0]) == (0, "Backed up 4 files (0.1 MB)"), made.output
    put = run.invoke(app, ["restore", str(copy)], env={"PENTIMENTO_DATA_DIR": str(elsewhere.data), "PENTIMENTO_MIN_FREE_MB": "0"})
    assert (put.exit_code, put.output.splitlines()[-1]) == (0, f"Restored 4 files (0.1 MB) into {elsewhere.data}."), put.output
    assert tree(elsewhere.data / "pictures") == tree(small.data / "pictures")
    assert (elsewhere.data / "secret").read_text() == "s" * 64
    assert (elsewhere.data / "secret").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("use", ["backup", "restore"])
def test_a_full_disk_is_said_and_leaves_nothing(
    small: Settings, elsewhere: Settings, copy: Path, monkeypatch: pytest.MonkeyPatch, use: str
) -> None:
    if use == "restore":
        back_up(small, copy, silent)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("app.local.backup.os.fsync", full)
    with pytest.raises(StorageFull, match="disk is full, so the copy in"):
        back_up(small, copy, silent) if use == "backup" else restore(elsewhere, copy, silent)
    monkeypatch.undo()
    if use == "backup":
        assert list(copy.iterdir()) == []
        back_up(small, copy, silent)
    restore(elsewhere, copy, silent)
    assert tree(elsewhere.data / "pictures") == tree(small.data / "pictures")


@pytest.mark.parametrize("target", ["full", "a file", "inside"])
def test_a_backup_replaces_nothing(small: Settings, tmp_path: Path, target: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    (tmp_path / "a file").touch()
    with pytest.raises(InputError, match=r"Received: "):
        back_up(small, small.data / "inside" if target == "inside" else tmp_path / target, silent)


def test_without_a_database_there_is_nothing_to_back_up(settings: Settings, copy: Path) -> None:
    with pytest.raises(NotFound, match="nothing to back up"):
        back_up(settings, copy, silent)
    assert not copy.exists()


@pytest.mark.parametrize("changes", [{"database_url": "postgresql://x@y/z"}, {"blobs_url": "s3://bucket/x"}])
def test_what_is_kept_elsewhere_is_left_to_its_own_means(small: Settings, copy: Path, changes: dict[str, str]) -> None:
    settings = small.model_copy(update=changes)
    for use in (back_up, restore):
        with pytest.raises(InputError, match=f"PENTIMENTO_{next(iter(changes)).upper()} is set, .* own means"):
            use(settings, copy, silent)


def test_a_data_folder_with_something_in_it_is_not_restored_into(small: Settings, elsewhere: Settings, copy: Path) -> None:
    back_up(small, copy, silent)
    elsewhere.data.mkdir(parents=True)
    (elsewhere.data / "mine").write_text("kept")
    with pytest.raises(PentimentoError, match=r"is not empty, .* It holds: mine"):
        restore(elsewhere, copy, silent)
    assert (elsewhere.data / "mine").read_text() == "kept"
    assert not (elsewhere.data / "pictures").exists()


def test_a_data_folder_in_use_is_not_restored_into(small: Settings, elsewhere: Settings, copy: Path) -> None:
    back_up(small, copy, silent)
    elsewhere.data.mkdir(parents=True)
    lock = instance.lock_data_folder(elsewhere.data, "http://127.0.0.1:1")
    try:
        with pytest.raises(Unavailable, match="already runs in the data folder"):
            restore(elsewhere, copy, silent)
    finally:
        os.close(lock)


def damage(copy: Path, how: str) -> None:
    picture = copy / "pictures" / "jobs" / "1" / "content.png"
    manifest = json.loads((copy / MANIFEST).read_text())
    if how == "changed":
        picture.write_bytes(b"two")
    elif how == "missing":
        picture.unlink()
    elif how == "broken off":
        (copy / MANIFEST).unlink()
    elif how == "unreadable":
        (copy / MANIFEST).write_text("{")
    elif how == "newer":
        (copy / MANIFEST).write_text(json.dumps({**manifest, "format": 2}))
    elif how == "leads elsewhere":
        manifest["files"]["pictures/../../escaped"] = manifest["files"]["secret"]
        (copy / MANIFEST).write_text(json.dumps(manifest))
    else:
        del manifest["files"]["pentimento.db"]
        (copy / MANIFEST).write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("changed", "content.png is damaged"),
        ("missing", "content.png is missing"),
        ("broken off", "it has no manifest.json"),
        ("unreadable", "cannot be read"),
        ("newer", "does not understand"),
        ("leads elsewhere", "does not hold"),
        ("no database", "no database"),
    ],
)
def test_a_backup_that_is_not_whole_is_refused_and_leaves_nothing(
    small: Settings, elsewhere: Settings, copy: Path, how: str, said: str
) -> None:
    back_up(small, copy, silent)
    damage(copy, how)
    with pytest.raises(InputError, match=said) as caught:
        restore(elsewhere, copy, silent)
    assert "\n" not in caught.value.message
    assert not elsewhere.data.exists() or {path.name for path in elsewhere.data.iterdir()} == {instance.LOCK}


def test_a_backup_of_a_newer_version_is_refused_and_leaves_nothing(small: Settings, elsewhere: Settings, copy: Path) -> None:
    with closing(sqlite3.connect(small.data / "pentimento.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    back_up(small, copy, silent)
    with pytest.raises(PentimentoError, match="newer version"):
        restore(elsewhere, copy, silent)
    assert {path.name for path in elsewhere.data.iterdir()} == {instance.LOCK}


def test_a_backup_without_room_for_it_is_refused(small: Settings, elsewhere: Settings, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    back_up(small, copy, silent)
    usage = shutil.disk_usage(copy)._replace(free=50_000)
    monkeypatch.setattr(instance, "open_data_folder", lambda folder, least: folder.mkdir(parents=True))
    monkeypatch.setattr("app.local.backup.shutil.disk_usage", lambda _: usage)
    with pytest.raises(StorageFull, match="too little room"):
        restore(elsewhere, copy, silent)
    assert {path.name for path in elsewhere.data.iterdir()} == {instance.LOCK}
