"""What the janitor removes, and above all what it leaves."""

from __future__ import annotations

import dataclasses
import logging
import os
import time
import uuid
from collections.abc import Callable

import pytest

from app.core.ids import new_id
from app.infra.blobs import Blobs
from app.infra.clients import Clients
from app.infra.database import Database
from app.jobs import pictures
from app.jobs.models import EXPERIMENT, VERDICT, Job, State
from app.jobs.service import JobService
from app.jobs.sweeper import Sweeper
from app.jobs.verdict_service import VerdictService
from app.lab import places
from app.lab.datasets import DatasetService
from app.lab.janitor import Janitor
from app.lab.models import Arrival, Dataset, DatasetPicture, Detector
from app.lab.unpacking import Unpacker
from tests.lab.conftest import OWNER, order, there

DATABASES = ("sqlite", "postgresql")

AddJob = Callable[..., Job]
PaintAll = Callable[..., int]
DAY = 86_400.0


def janitor(clients: Clients, **settings: object) -> Janitor:
    return Janitor(dataclasses.replace(clients, settings=clients.settings.model_copy(update=settings)))


def put(blobs: Blobs, key: str, data: bytes = b"x", *, old: bool = True) -> str:
    """Store a file, two hours ago unless it is to be new."""
    blobs.put(key, data)
    if old:
        age(blobs)
    return key


def age(blobs: Blobs, seconds: float = 7200) -> None:
    """Let everything that is stored be that old."""
    root = blobs.local_root
    assert root is not None
    for path in (root, *root.rglob("*")):
        os.utime(path, (time.time() - seconds,) * 2)


def row(database: Database, job_id: str) -> Job | None:
    with database.read() as session:
        return session.get(Job, job_id)


def is_deleted(database: Database, job_id: str) -> bool:
    found = row(database, job_id)
    return found is None or found.deleted_at is not None


def test_folders_without_a_row_go_once_they_are_old(clients: Clients, blobs: Blobs) -> None:
    old = [put(blobs, f"{place}/{new_id()}/{name}") for place, name in (("jobs", "content.png"), ("datasets", "incoming/archive.zip"))]
    new = [put(blobs, f"{place}/{new_id()}/content.png", old=False) for place in ("jobs", "datasets")]
    foreign = put(blobs, "jobs/notes/mine.txt", old=False)
    done = janitor(clients).clean()
    assert [there(blobs, key) for key in (*old, *new, foreign)] == [False, False, True, True, True]
    assert blobs.local_root is not None
    assert not (blobs.local_root / old[0]).parent.exists()
    assert done["folders"] == 2
    age(blobs)
    assert janitor(clients).clean()["folders"] == 2
    assert [there(blobs, key) for key in (*new, foreign)] == [False, False, True], "what does not look like ours is not touched"


def test_an_upload_that_is_still_being_stored_is_left(clients: Clients, blobs: Blobs) -> None:
    job_id = new_id()
    key = put(blobs, f"jobs/{job_id}/content.png")
    assert blobs.local_root is not None
    partial = blobs.local_root / "jobs" / job_id / ".partial-x"
    partial.write_bytes(b"half")
    assert janitor(clients).clean()["folders"] == 0
    assert there(blobs, key) and partial.exists()


def test_half_written_files_of_long_ago_go(clients: Clients, blobs: Blobs, add_job: AddJob) -> None:
    job = add_job()
    assert blobs.local_root is not None
    folder = blobs.local_root / pictures.folder(job.id)
    (folder / ".partial-old").write_bytes(b"half")
    age(blobs)
    (folder / ".partial-new").write_bytes(b"half")
    assert janitor(clients).clean()["partials"] == 1
    assert sorted(path.name for path in folder.iterdir()) == [".partial-new", "content.png", "style.png"]


@pytest.mark.parametrize("state", [State.QUEUED, State.PAUSED, State.DONE, State.FAILED, State.CANCELLED])
def test_of_a_job_at_rest_what_its_row_names_stays(clients: Clients, blobs: Blobs, add_job: AddJob, state: State) -> None:
    frames = [{"iteration": 1, "name": "preview-1-0001.jpg"}]
    left = {"name": "checkpoint-1-0.safetensors", "live": {}, "frames": frames, "result": "result-1.png"}
    job = add_job(state=state, attempt=2, preview="preview-2-0003.jpg", frames=frames, checkpoint=left, continues=new_id())
    names = ("preview-1-0001.jpg", "preview-2-0003.jpg", "checkpoint-1-0.safetensors", "result-1.png", "start.png")
    kept = [put(blobs, pictures.key(job.id, name)) for name in names]
    stray = [put(blobs, pictures.key(job.id, name)) for name in ("preview-1-0002.jpg", "checkpoint-1-1.safetensors", "result-2.png")]
    new = put(blobs, pictures.key(job.id, "preview-2-0004.jpg"), old=False)
    assert janitor(clients).clean()["files"] == 3
    assert [there(blobs, key) for key in kept] == [True] * 5
    assert [there(blobs, key) for key in stray] == [False] * 3
    assert all(there(blobs, key) for key in (new, pictures.key(job.id, "content.png"), pictures.key(job.id, "style.png")))


def test_the_files_of_a_running_job_are_its_workers(clients: Clients, blobs: Blobs, add_job: AddJob) -> None:
    job = add_job(state=State.RUNNING, attempt=1, lease_until=1e12)
    key = put(blobs, pictures.key(job.id, "preview-1-0002.jpg"))
    assert janitor(clients).clean()["files"] == 0
    assert there(blobs, key)


def test_a_job_that_is_claimed_while_it_is_looked_at_is_left(
    clients: Clients, blobs: Blobs, add_job: AddJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = add_job()
    key = put(blobs, pictures.key(job.id, "preview-1-0002.jpg"))
    looks, cleaner = [], janitor(clients)
    look = cleaner._jobs

    def claimed_after(ids: list[str]) -> object:
        found = look(ids)
        if not looks:
            with clients.database.write() as session:
                session.get_one(Job, job.id).state = State.RUNNING
        looks.append(ids)
        return found

    monkeypatch.setattr(cleaner, "_jobs", claimed_after)
    assert cleaner.clean()["files"] == 0
    assert len(looks) == 2 and there(blobs, key)


def test_of_a_dataset_pictures_and_their_small_ones_stay(
    clients: Clients, blobs: Blobs, datasets: DatasetService, unpacker: Unpacker, paint_all: PaintAll
) -> None:
    ready = datasets.create(OWNER, order(1, 1))
    unpacker.unpack_one()
    waiting = datasets.create(OWNER, order(1, 1))
    paint_all()
    before = {file.name for file in blobs.files("datasets")} | {file.name for file in blobs.files("jobs")}
    stray = [put(blobs, f"{places.folder(ready.id)}/{name}") for name in ("00009.png", "00009-small.jpg", "incoming/00001")]
    age(blobs)
    assert janitor(clients).clean()["files"] == 3
    assert [there(blobs, key) for key in stray] == [False] * 3
    assert before == {file.name for file in blobs.files("datasets")} | {file.name for file in blobs.files("jobs")}
    assert there(blobs, places.incoming_key(waiting.id, 1)), "what is still to be unpacked stays"
    assert unpacker.unpack_one()
    assert datasets.event(OWNER, waiting.id).files_taken == 2


def test_detectors_without_a_row_go(clients: Clients, blobs: Blobs) -> None:
    kept, gone = new_id(), new_id()
    with clients.database.write() as session:
        key = places.detector_key(kept)
        session.add(Detector(id=kept, owner=OWNER, name="x", experiment=new_id(), sha256="0" * 64, key=key, created_at=1.0))
    keys = [put(blobs, places.detector_key(one)) for one in (kept, gone)]
    new = put(blobs, places.detector_key(new_id()), old=False)
    assert janitor(clients).clean()["files"] == 1
    assert [there(blobs, one) for one in (*keys, new)] == [True, False, True]


def test_an_object_store_is_cleaned_the_same_way(clients: Clients, database: Database, add_job: AddJob) -> None:
    blobs = Blobs(f"memory://{uuid.uuid4().hex}")
    job = add_job(state=State.DONE, result="result-1.png")
    stray = [f"jobs/{new_id()}/content.png", pictures.key(job.id, "result-2.png"), f"datasets/{new_id()}/00001.png"]
    kept = [pictures.key(job.id, "result-1.png"), pictures.key(job.id, "content.png")]
    for key in (*stray, *kept):
        blobs.put(key, b"x")
    elsewhere = dataclasses.replace(clients, blobs=blobs)
    assert janitor(elsewhere).clean().total() == 0, "all of it is new"
    done = janitor(elsewhere, orphan_seconds=-5.0, quota_gb=1e-12).clean()
    assert (done["folders"], done["files"], done["over_quota"]) == (2, 1, 1)
    assert [there(blobs, key) for key in (*stray, *kept)] == [False, False, False, True, True]
    assert is_deleted(database, job.id)


def ended(add_job: AddJob, days: float, **columns: object) -> Job:
    """A job that ended so many days ago."""
    return add_job(**{"owner": OWNER, "state": State.DONE, "finished_at": time.time() - days * DAY, "result": "result-1.png", **columns})


def test_what_is_past_its_age_is_deleted_and_can_be_brought_back(
    clients: Clients, database: Database, blobs: Blobs, add_job: AddJob, service: JobService, verdicts: VerdictService
) -> None:
    old, young = ended(add_job, 8), ended(add_job, 6)
    alone = ended(add_job, 8, kind=VERDICT, inputs={"picture": {}})
    failed = ended(add_job, 8, state=State.FAILED, result=None)
    waiting = [ended(add_job, 8, state=state, finished_at=None, created_at=1.0) for state in (State.QUEUED, State.PAUSED, State.RUNNING)]
    verdict = ended(add_job, 1, kind=VERDICT, parent=old.id, inputs={}, report={})
    assert janitor(clients).clean()["aged"] == 0, "kept for ever by default"
    assert janitor(clients, keep_days=7).clean()["aged"] == 3
    assert [is_deleted(database, job.id) for job in (old, verdict, alone, failed)] == [True] * 4
    assert [is_deleted(database, job.id) for job in (young, *waiting)] == [False] * 4
    assert [job.id for job in service.history(OWNER) if job.terminal] == [young.id]
    service.restore(OWNER, old.id)
    assert not is_deleted(database, old.id) and not is_deleted(database, verdict.id)
    assert there(blobs, pictures.key(old.id, "content.png"))
    assert janitor(clients, keep_days=7).clean()["aged"] == 0, "what was brought back is young again"


def test_after_the_undo_window_rows_and_files_are_gone(clients: Clients, database: Database, blobs: Blobs, add_job: AddJob) -> None:
    old, young = ended(add_job, 8), ended(add_job, 6)
    janitor(clients, keep_days=7).clean()
    Sweeper(clients).sweep()
    assert row(database, old.id) is not None, "not before"
    at_once = clients.settings.model_copy(update={"undo_seconds": 0.0})
    Sweeper(dataclasses.replace(clients, settings=at_once)).sweep()
    assert row(database, old.id) is None and not there(blobs, pictures.key(old.id, "content.png"))
    assert row(database, young.id) is not None and there(blobs, pictures.key(young.id, "content.png"))


def test_a_picture_whose_verdict_was_just_asked_for_waits_for_it(clients: Clients, database: Database, add_job: AddJob) -> None:
    old = ended(add_job, 8)
    ended(add_job, 0, kind=VERDICT, parent=old.id, inputs={}, state=State.QUEUED, finished_at=None)
    assert janitor(clients, keep_days=7).clean()["aged"] == 0
    assert not is_deleted(database, old.id)


def test_datasets_age_with_all_their_pictures(
    clients: Clients, database: Database, datasets: DatasetService, unpacker: Unpacker, paint_all: PaintAll, add_job: AddJob
) -> None:
    made, making, studied, incoming = (datasets.create(OWNER, order(1, 1)) for _ in range(4))
    for _ in range(3):
        unpacker.unpack_one()
    source = ended(add_job, 8)
    with database.write() as session:
        session.get_one(Dataset, incoming.id).incoming = [{"source": "job", "role": "content", "name": "x", "job": source.id}]
    paint_all()
    jobs = {one.id: next(job for _, job in datasets.pictures(OWNER, one.id) if job) for one in (made, making, studied)}
    with database.write() as session:
        for one in (made, making, studied, incoming):
            session.get_one(Dataset, one.id).created_at = 1.0
        for one in (made, studied):
            session.get_one(Job, jobs[one.id].id).finished_at = 2.0
        waiting = session.get_one(Job, jobs[making.id].id)
        waiting.state, waiting.finished_at = State.QUEUED, None
    study = add_job(kind=EXPERIMENT, inputs={"study": "evaluation", "dataset": {"id": studied.id, "name": "Set"}})
    assert janitor(clients, keep_days=7).clean()["aged"] == 1
    assert {one.id for one in datasets.newest(OWNER)} == {incoming.id, studied.id, making.id}
    assert is_deleted(database, jobs[made.id].id)
    assert not is_deleted(database, source.id), "it is still to be copied into a dataset"
    datasets.restore(OWNER, made.id)
    assert datasets.event(OWNER, made.id).stylised.done == 1
    assert janitor(clients, keep_days=7).clean()["aged"] == 0, "what was brought back is young again"
    with database.write() as session:
        session.get_one(Job, study.id).state = State.DONE
    assert janitor(clients, keep_days=7).clean()["aged"] == 1, "the one that is not studied any more"


def test_over_the_quota_the_oldest_go_until_it_fits(clients: Clients, database: Database, blobs: Blobs, add_job: AddJob) -> None:
    jobs = [ended(add_job, days) for days in (4, 3, 2, 0.5)]
    busy = ended(add_job, 9, state=State.QUEUED, finished_at=None)
    empty = ended(add_job, 10)
    blobs.delete_folder(pictures.folder(empty.id))
    for job in (*jobs, busy):
        blobs.delete_folder(pictures.folder(job.id))
        blobs.put(pictures.key(job.id, "result-1.png" if job is not busy else "content.png"), bytes(1_000_000))
    cleaner = janitor(clients, quota_gb=0.0035)
    assert cleaner.clean()["over_quota"] == 2
    assert [is_deleted(database, job.id) for job in jobs] == [True, True, False, False]
    assert not is_deleted(database, busy.id)
    assert not is_deleted(database, empty.id), "it takes no room"
    assert cleaner.clean()["over_quota"] == 0, "what is about to be purged does not count"
    assert janitor(clients, quota_gb=0.01).clean()["over_quota"] == 0
    both = janitor(clients, quota_gb=0.0025, keep_days=1).clean()
    assert (both["aged"], both["over_quota"]) == (2, 0), "what goes by its age makes room, too"


def test_a_dataset_counts_with_its_jobs(clients: Clients, database: Database, blobs: Blobs, add_job: AddJob) -> None:
    dataset = Dataset(id=new_id(), owner=OWNER, name="Set", kind="stylised", spec={}, arrival=Arrival.READY, total=1, taken=1, planned=2)
    dataset.skipped, dataset.duplicates, dataset.cancelled, dataset.created_at = [], [], False, 1.0
    with database.write() as session:
        session.add(dataset)
        session.flush()
        key = places.picture_key(dataset.id, 1)
        session.add(DatasetPicture(dataset=dataset.id, number=1, role="content", name="x", key=key))
    member, later = ended(add_job, 5, parent=dataset.id), ended(add_job, 4)
    for job in (member, later):
        blobs.delete_folder(pictures.folder(job.id))
        blobs.put(pictures.key(job.id, "result-1.png"), bytes(1_000_000))
    blobs.put(key, bytes(1_000_000))
    assert janitor(clients, quota_gb=0.0015).clean()["over_quota"] == 1, "both of its megabytes are enough"
    assert [is_deleted(database, job.id) for job in (member, later)] == [True, False]


def test_one_line_says_how_much_and_no_name(clients: Clients, blobs: Blobs, caplog: pytest.LogCaptureFixture) -> None:
    put(blobs, f"jobs/{new_id()}/content.png")
    with caplog.at_level(logging.INFO, logger="app.lab.janitor"):
        janitor(clients).clean()
    assert caplog.messages == ["cleaned: partials=0 folders=1 files=0 aged=0 over_quota=0"]


def test_a_job_that_waits_keeps_what_it_was_given(clients: Clients, blobs: Blobs, add_job: AddJob) -> None:
    job = add_job()
    assert janitor(clients, orphan_seconds=-5.0).clean().total() == 0
    assert there(blobs, pictures.key(job.id, "content.png"))
