"""A dataset's life: sent, unpacked, stylised as a batch, cancelled, resumed, deleted."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import Connection, event

from app.core.errors import NotFound, NotReady
from app.imaging import encode
from app.imaging.decode import DecoderPool
from app.infra.blobs import Blobs
from app.infra.clients import Clients
from app.infra.database import Database
from app.jobs import repository
from app.jobs.models import STYLIZE, VERDICT, Job, State
from app.jobs.service import JobService
from app.jobs.sweeper import Sweeper
from app.lab import manifest
from app.lab.datasets import DatasetService
from app.lab.keeper import Keeper
from app.lab.unpacking import Unpacker
from tests.lab.conftest import OWNER, order

DATABASES = ("sqlite", "postgresql")

PaintAll = Callable[..., int]


def test_contents_and_styles_become_one_batch(
    datasets: DatasetService, unpacker: Unpacker, paint_all: PaintAll, clients: Clients, service: JobService
) -> None:
    dataset = datasets.create(OWNER, order(3, 2, ("instant", "fast")))
    event = datasets.event(OWNER, dataset.id)
    assert (event.state, event.files, event.files_taken, event.percent) == ("unpacking", 5, 0, 0.0)

    assert unpacker.unpack_one()
    event = datasets.event(OWNER, dataset.id)
    assert (event.state, event.contents, event.styles, event.stylised.queued, event.pictures) == ("making", 3, 2, 12, 5)
    assert event.percent == pytest.approx(100 * 5 / 17, abs=0.05)
    assert clients.broker.waiting(STYLIZE) == 12

    assert paint_all(4) == 4
    event = datasets.event(OWNER, dataset.id)
    assert (event.stylised.done, event.stylised.queued, len(event.newest), event.pictures) == (4, 8, 4, 9)
    assert event.percent == pytest.approx(100 * 9 / 17, abs=0.05)
    assert event.remaining is not None

    assert paint_all() == 8
    event = datasets.event(OWNER, dataset.id)
    assert (event.state, event.percent, event.remaining, event.stylised.done) == ("ready", 100.0, None, 12)
    assert not unpacker.unpack_one()
    assert service.history(OWNER) == [], "a dataset's pictures are not among the jobs of the page"
    with clients.database.read() as session:
        assert repository.count_queued(session, VERDICT) == 0, "and get no verdict"


def test_each_picture_is_made_from_the_content_and_the_style_that_its_row_names(
    datasets: DatasetService, unpacker: Unpacker, paint_all: PaintAll, service: JobService, clients: Clients
) -> None:
    dataset = datasets.create(OWNER, order(2, 2))

    def stored(number: int, *, small: bool) -> bytes:
        return clients.blobs.get(datasets.picture_key(OWNER, dataset.id, number, small=small))

    unpacker.unpack_one()
    paint_all()
    rows = {row.number: (row, job) for row, job in datasets.pictures(OWNER, dataset.id)}
    stylised = [row for row, _ in rows.values() if row.role == "stylised"]
    assert [(row.content, row.style, row.generator) for row in stylised] == [(n, s, "instant") for n in (1, 2) for s in (3, 4)]
    for row in stylised:
        got = encode.read_rgb(stored(row.number, small=False))
        halves = [encode.read_rgb(stored(int(number), small=False)) for number in (row.content, row.style)]
        np.testing.assert_array_equal(got, np.concatenate(halves, axis=1))
    row, job = rows[5]
    assert job is not None
    assert job.frames == [], "nobody scrubs through thousands of runs"
    content = stored(1, small=False)
    assert service.picture(OWNER, job.id, "content.png") == content, "the job reads the dataset's picture, not a copy"
    assert service.picture(OWNER, job.id, "content-small.jpg") == stored(1, small=True)
    assert stored(5, small=True)[:2] == b"\xff\xd8"


def test_a_single_picture_does_not_wait_for_a_batch(
    datasets: DatasetService, unpacker: Unpacker, add_job: Callable[..., Job], database: Database
) -> None:
    datasets.create(OWNER, order(2, 2))
    unpacker.unpack_one()
    single = add_job(owner=OWNER)
    with database.write() as session:
        claimed = repository.claim(session, STYLIZE, 30)
        assert claimed is not None
        assert claimed.id == single.id


def test_cancel_and_resume(datasets: DatasetService, unpacker: Unpacker, paint_all: PaintAll, clients: Clients) -> None:
    dataset = datasets.create(OWNER, order(2, 2))
    datasets.cancel(OWNER, dataset.id)
    assert datasets.event(OWNER, dataset.id).state == "cancelled"
    assert not unpacker.unpack_one()
    datasets.resume(OWNER, dataset.id)
    assert unpacker.unpack_one()

    paint_all(1)
    datasets.cancel(OWNER, dataset.id)
    event = datasets.event(OWNER, dataset.id)
    assert (event.state, event.stylised.done, event.stylised.cancelled) == ("cancelled", 1, 3)
    assert paint_all() == 0
    with pytest.raises(NotReady, match="Nothing goes on"):
        datasets.cancel(OWNER, dataset.id)
    with clients.database.write() as session:
        failed = session.get(Job, next(job.id for _, job in datasets.pictures(OWNER, dataset.id) if job and job.state == State.CANCELLED))
        assert failed is not None
        failed.state, failed.error, failed.crashes = State.FAILED, "It went wrong.", 3
    datasets.resume(OWNER, dataset.id)
    assert datasets.event(OWNER, dataset.id).stylised.queued == 3
    assert paint_all() == 3
    event = datasets.event(OWNER, dataset.id)
    assert (event.state, event.stylised.done) == ("ready", 4)


def test_a_job_that_is_put_back_while_all_are_cancelled_is_cancelled_too(
    datasets: DatasetService, unpacker: Unpacker, clients: Clients
) -> None:
    dataset = datasets.create(OWNER, order(1, 2))
    unpacker.unpack_one()
    with clients.database.write() as session:
        assert repository.claim(session, STYLIZE, 60) is not None
    put_back: list[str] = []

    def between(connection: Connection, cursor: object, statement: str, *_: object) -> None:
        # As a worker's own transaction could on PostgreSQL, after the first statement.
        if statement.startswith("UPDATE jobs") and not put_back:
            put_back.append(statement)
            connection.exec_driver_sql("UPDATE jobs SET state = 'queued' WHERE state = 'running'")

    event.listen(clients.database.engine, "after_cursor_execute", between)
    datasets.cancel(OWNER, dataset.id)
    event.remove(clients.database.engine, "after_cursor_execute", between)
    assert put_back
    assert datasets.event(OWNER, dataset.id).stylised.cancelled == 2


def add_verdict(clients: Clients, job: Job, **columns: object) -> Job:
    with clients.database.write() as session:
        verdict, _ = repository.ensure_verdict(session, job)
        for name, value in columns.items():
            setattr(verdict, name, value)
    return verdict


def test_resuming_takes_back_the_verdicts_on_what_is_painted_anew(
    datasets: DatasetService, unpacker: Unpacker, paint_all: PaintAll, clients: Clients
) -> None:
    dataset = datasets.create(OWNER, order(1, 2))
    unpacker.unpack_one()
    paint_all()
    done, cancelled = (job for _, job in datasets.pictures(OWNER, dataset.id) if job)
    with clients.database.write() as session:
        row = session.get(Job, cancelled.id)
        assert row is not None
        row.state = State.CANCELLED
    kept, stale = (add_verdict(clients, job, state=State.DONE, report={"frames": []}) for job in (done, cancelled))
    datasets.resume(OWNER, dataset.id)
    with clients.database.read() as session:
        assert session.get(Job, kept.id) is not None
        assert session.get(Job, stale.id) is None
    assert paint_all() == 1


def test_verdicts_on_a_dataset_s_pictures_go_and_come_back_with_it(
    datasets: DatasetService, unpacker: Unpacker, paint_all: PaintAll, clients: Clients
) -> None:
    both = [datasets.create(OWNER, order(1, 1)) for _ in range(2)]
    while unpacker.unpack_one():
        pass
    paint_all()
    jobs = [next(job for _, job in datasets.pictures(OWNER, one.id) if job) for one in both]
    verdicts = [add_verdict(clients, job, state=State.DONE, report={"frames": []}) for job in jobs]

    def deleted() -> list[bool]:
        with clients.database.read() as session:
            rows = [session.get(Job, verdict.id) for verdict in verdicts]
        return [row is None or row.deleted_at is not None for row in rows]

    datasets.delete(OWNER, both[0].id)
    assert deleted() == [True, False]
    datasets.restore(OWNER, both[0].id)
    assert deleted() == [False, False]
    datasets.delete(OWNER, both[0].id)
    at_once = clients.settings.model_copy(update={"undo_seconds": 0.0})
    Sweeper(dataclasses.replace(clients, settings=at_once)).sweep()
    with clients.database.read() as session:
        assert [session.get(Job, job.id) is None for job in (verdicts[0], jobs[0], verdicts[1], jobs[1])] == [True, True, False, False]


def test_a_job_that_is_gone_is_made_anew_on_resume(
    datasets: DatasetService, unpacker: Unpacker, paint_all: PaintAll, clients: Clients
) -> None:
    dataset = datasets.create(OWNER, order(1, 2))
    unpacker.unpack_one()
    paint_all()
    gone = next(job for _, job in datasets.pictures(OWNER, dataset.id) if job)
    with clients.database.write() as session:
        session.delete(session.get(Job, gone.id))
    assert [line.state for line in map(manifest.manifest_line, *zip(*datasets.pictures(OWNER, dataset.id), strict=True))].count(
        "cancelled"
    ) == 1
    datasets.resume(OWNER, dataset.id)
    assert paint_all() == 1
    assert all(job.result for row, job in datasets.pictures(OWNER, dataset.id) if row.role == "stylised" and job)


def test_deleting_ends_everything_and_can_be_undone(
    datasets: DatasetService, unpacker: Unpacker, paint_all: PaintAll, clients: Clients
) -> None:
    dataset = datasets.create(OWNER, order(2, 2))
    unpacker.unpack_one()
    paint_all(1)
    datasets.delete(OWNER, dataset.id)
    with pytest.raises(NotFound):
        datasets.get(OWNER, dataset.id)
    assert datasets.newest(OWNER) == []
    assert paint_all() == 0
    datasets.restore(OWNER, dataset.id)
    assert datasets.event(OWNER, dataset.id).state == "cancelled"
    datasets.resume(OWNER, dataset.id)
    assert paint_all() == 3
    assert [one.state for one in datasets.newest(OWNER)] == ["ready"]


def test_what_was_deleted_long_ago_is_cleared_away_with_its_files(
    datasets: DatasetService, unpacker: Unpacker, clients: Clients, decoders: DecoderPool, sweeper: object, blobs: Blobs
) -> None:
    dataset = datasets.create(OWNER, order(1, 1))
    unpacker.unpack_one()
    datasets.delete(OWNER, dataset.id)
    at_once = Clients(
        clients.settings.model_copy(update={"undo_seconds": 0.0}), clients.database, blobs, clients.events, clients.broker, clients.tally
    )
    Keeper(at_once, decoders).clear_away()
    with pytest.raises(NotFound):
        datasets.restore(OWNER, dataset.id)
    assert blobs.local_root is not None
    assert not (blobs.local_root / "datasets" / dataset.id).exists()


def test_a_picture_that_was_brought_back_alone_goes_with_its_dataset(
    datasets: DatasetService, unpacker: Unpacker, paint_all: PaintAll, clients: Clients, decoders: DecoderPool, service: JobService
) -> None:
    dataset = datasets.create(OWNER, order(1, 1))
    unpacker.unpack_one()
    paint_all()
    job = next(job for _, job in datasets.pictures(OWNER, dataset.id) if job)
    datasets.delete(OWNER, dataset.id)
    service.restore(OWNER, job.id)
    at_once = dataclasses.replace(clients, settings=clients.settings.model_copy(update={"undo_seconds": 0.0}))
    Keeper(at_once, decoders).clear_away()
    Sweeper(at_once).sweep()
    with clients.database.read() as session:
        assert session.get(Job, job.id) is None


def test_others_see_nothing(datasets: DatasetService) -> None:
    dataset = datasets.create(OWNER, order(1, 1))
    for use in (datasets.get, datasets.event, datasets.detail, datasets.cancel, datasets.resume, datasets.delete, datasets.pictures):
        for owner, dataset_id in (("b" * 32, dataset.id), (OWNER, "c" * 32), (OWNER, "../x")):
            with pytest.raises(NotFound, match="no such dataset"):
                use(owner, dataset_id)
