"""A dataset's life: sent, unpacked, stylised as a batch, cancelled, resumed, deleted."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import zipfile
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import Connection, event

from app.core.config import Settings
from app.core.errors import InputError, NotFound, NotReady, StorageFull, TooLarge, TooMany
from app.core.specs import resolve
from app.imaging import encode
from app.imaging.decode import DecoderPool
from app.infra.blobs import Blobs
from app.infra.clients import Clients
from app.infra.database import Database
from app.jobs import pictures, repository
from app.jobs.models import STYLIZE, VERDICT, Job, State
from app.jobs.service import JobService
from app.jobs.sweeper import Sweeper
from app.lab import manifest
from app.lab import repository as lab_repository
from app.lab.arrivals import Order, Sent
from app.lab.datasets import DatasetService
from app.lab.generators import generators
from app.lab.keeper import Keeper
from app.lab.unpacking import Unpacker
from tests.lab.conftest import OWNER, order, png, zip_of

PaintAll = Callable[..., int]


def labelled(files: dict[str, bytes]) -> Order:
    return Order("labelled", "Animals", archive=zip_of(files))


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
    datasets: DatasetService, unpacker: Unpacker, paint_all: PaintAll, service: JobService
) -> None:
    dataset = datasets.create(OWNER, order(2, 2))
    unpacker.unpack_one()
    paint_all()
    rows = {row.number: (row, job) for row, job in datasets.pictures(OWNER, dataset.id)}
    stylised = [row for row, _ in rows.values() if row.role == "stylised"]
    assert [(row.content, row.style, row.generator) for row in stylised] == [(n, s, "instant") for n in (1, 2) for s in (3, 4)]
    for row in stylised:
        got = encode.read_rgb(datasets.picture(OWNER, dataset.id, row.number, small=False))
        halves = [encode.read_rgb(datasets.picture(OWNER, dataset.id, int(number), small=False)) for number in (row.content, row.style)]
        np.testing.assert_array_equal(got, np.concatenate(halves, axis=1))
    row, job = rows[5]
    assert job is not None
    assert job.frames == [], "nobody scrubs through thousands of runs"
    content = datasets.picture(OWNER, dataset.id, 1, small=False)
    assert service.picture(OWNER, job.id, "content.png") == content, "the job reads the dataset's picture, not a copy"
    assert service.picture(OWNER, job.id, "content-small.jpg") == datasets.picture(OWNER, dataset.id, 1, small=True)
    assert datasets.picture(OWNER, dataset.id, 5, small=True)[:2] == b"\xff\xd8"


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
    at_once = Clients(clients.settings.model_copy(update={"undo_seconds": 0.0}), clients.database, blobs, clients.events, clients.broker)
    Keeper(at_once, decoders).clear_away()
    with pytest.raises(NotFound):
        datasets.restore(OWNER, dataset.id)
    assert blobs.local_root is not None
    assert not (blobs.local_root / "datasets" / dataset.id).exists()


def test_others_see_nothing(datasets: DatasetService) -> None:
    dataset = datasets.create(OWNER, order(1, 1))
    for use in (datasets.get, datasets.event, datasets.detail, datasets.cancel, datasets.resume, datasets.delete, datasets.pictures):
        for owner, dataset_id in (("b" * 32, dataset.id), (OWNER, "c" * 32), (OWNER, "../x")):
            with pytest.raises(NotFound, match="no such dataset"):
                use(owner, dataset_id)


def test_unpacking_goes_on_where_a_process_left_it(datasets: DatasetService, clients: Clients, decoders: DecoderPool) -> None:
    dataset = datasets.create(OWNER, order(18, 1))
    asked: list[bool] = []

    def closing() -> bool:
        asked.append(True)
        return len(asked) == 2

    assert Unpacker(clients, decoders, 2, closing).unpack_one()
    event = datasets.event(OWNER, dataset.id)
    assert (event.state, event.files_taken, event.contents) == ("unpacking", 8, 8)
    assert Unpacker(clients, decoders, 2, lambda: False).unpack_one()
    event = datasets.event(OWNER, dataset.id)
    assert (event.state, event.contents, event.styles, event.stylised.queued) == ("making", 18, 1, 18)
    assert sorted(row.number for row, _ in datasets.pictures(OWNER, dataset.id)) == list(range(1, 38))


@pytest.mark.parametrize("full", ["before", "while writing"])
def test_a_full_disk_puts_the_dataset_down_until_its_owner_goes_on(
    datasets: DatasetService, clients: Clients, decoders: DecoderPool, monkeypatch: pytest.MonkeyPatch, full: str
) -> None:
    dataset = datasets.create(OWNER, order(9, 1))

    asked: list[bool] = []

    def closing() -> bool:
        asked.append(True)
        return False

    def no_room(self: Blobs, key: str, data: bytes) -> None:
        raise StorageFull("The disk is full, so the picture could not be stored.")

    with monkeypatch.context() as patched:
        if full == "before":
            patched.setattr(Blobs, "short_of", lambda self, megabytes: len(asked) == 2)
        else:
            patched.setattr(Blobs, "put", no_room)
        Unpacker(clients, decoders, 2, closing).unpack_one()
    event = datasets.event(OWNER, dataset.id)
    assert (event.state, event.contents) == ("cancelled", 8 if full == "before" else 0)
    assert event.error is not None
    assert "full" in event.error.partition("What has come in stays")[0]
    unpacker = Unpacker(clients, decoders, 2, lambda: False)
    assert not unpacker.unpack_one(), "it is not tried for ever"
    datasets.resume(OWNER, dataset.id)
    assert unpacker.unpack_one()
    event = datasets.event(OWNER, dataset.id)
    assert (event.state, event.contents, event.styles, event.error) == ("making", 9, 1, None)


def test_two_unpackers_do_not_take_the_same_dataset(datasets: DatasetService, unpacker: Unpacker, clients: Clients) -> None:
    datasets.create(OWNER, order(1, 1))
    with clients.database.write() as session:
        assert lab_repository.claim_arrival(session, 60) is not None
    assert not unpacker.unpack_one()


def test_a_zip_of_contents_and_styles(datasets: DatasetService, unpacker: Unpacker) -> None:
    archive = zip_of(
        {
            "set/contents/a.png": png(1),
            "set/contents/b.png": png(2),
            "set/styles/c.png": png(3),
            "set/contents/broken.png": b"no picture",
            "set/contents/../../evil.png": png(4),
            "set/contents/twice.png": png(1),
            "set/readme.txt": b"hello",
        }
    )
    dataset = datasets.create(OWNER, Order("stylised", "Zip", generators(("instant",), (), {"size": 64}), archive=archive))
    unpacker.unpack_one()
    detail = datasets.detail(OWNER, dataset.id)
    assert (detail.contents, detail.styles, detail.stylised.queued, detail.skipped) == (2, 1, 2, 4)
    assert {one.name: one.reason.partition(",")[0] for one in detail.skipped_files} == {
        "set/contents/../../evil.png": "its name leads out of the archive",
        "set/readme.txt": "it lies neither in a folder contents nor in a folder styles",
        "broken.png": "This file is text",
        "twice.png": "it is the same picture as number 1",
    }
    assert [generator.name for generator in detail.generators] == ["instant"]


def test_labelled_folders(datasets: DatasetService, unpacker: Unpacker) -> None:
    files = {
        f"{domain}/{klass}/{n}.png": png(hash_of)
        for hash_of, (domain, klass, n) in enumerate(
            (domain, klass, n) for domain in ("photo", "painting") for klass in ("cat", "dog") for n in range(2)
        )
    }
    dataset = datasets.create(OWNER, labelled(files))
    unpacker.unpack_one()
    detail = datasets.detail(OWNER, dataset.id)
    assert (detail.state, detail.percent, detail.pictures) == ("ready", 100.0, 8)
    assert (detail.classes, detail.domains) == ({"cat": 4, "dog": 4}, {"photo": 4, "painting": 4})


def test_labelled_pictures_keep_their_names_in_the_zip(datasets: DatasetService, unpacker: Unpacker, blobs: Blobs) -> None:
    names = ("photo/original/a.png", "photo/original/a.jpg", "photo/stylised/a.png", "sketch/stylised/ü?.png")
    dataset = datasets.create(OWNER, labelled({name: png(number) for number, name in enumerate(names)}))
    unpacker.unpack_one()
    files = b"".join(manifest.zipped(datasets.pictures(OWNER, dataset.id), blobs))
    with zipfile.ZipFile(io.BytesIO(files)) as archive:
        pictures_inside = archive.namelist()[:-1]
        lines = [json.loads(line) for line in archive.read("manifest.jsonl").splitlines()]
    assert pictures_inside == [
        "pictures/photo/original/a.png",
        "pictures/photo/original/a-2.png",
        "pictures/photo/stylised/a.png",
        "pictures/sketch/stylised/ü-.png",
    ]
    assert [line["file"] for line in lines] == pictures_inside
    again = datasets.create(OWNER, Order("labelled", "Again", archive=io.BytesIO(files)))
    unpacker.unpack_one()
    assert datasets.detail(OWNER, again.id).classes == {"original": 2, "stylised": 2}


def test_finished_jobs_are_taken_over(datasets: DatasetService, unpacker: Unpacker, add_job: Callable[..., Job], clients: Clients) -> None:
    jobs = []
    for strength in (1.0, 3.0):
        job = add_job(
            state=State.DONE, result="result-1.png", params=resolve("fast", {"strength": strength}).model_dump(mode="json"), preset="fast"
        )
        clients.blobs.put(pictures.key(job.id, "result-1.png"), png(int(strength)))
        inputs = {role: {"name": f"{role}.jpg", "sha256": ""} for role in pictures.INPUTS}
        for role in pictures.INPUTS:
            inputs[role]["sha256"] = hashlib.sha256(clients.blobs.get(pictures.key(job.id, f"{role}.png"))).hexdigest()
        with clients.database.write() as session:
            row = session.get(Job, job.id)
            assert row is not None
            row.inputs = inputs
            jobs.append(row)
    dataset = datasets.create(OWNER, Order("stylised", "Taken over", jobs=jobs))
    unpacker.unpack_one()
    event = datasets.event(OWNER, dataset.id)
    assert (event.state, event.contents, event.styles, event.stylised.done) == ("ready", 1, 1, 2)
    rows = [row for row, _ in datasets.pictures(OWNER, dataset.id)]
    assert [(row.content, row.style, row.generator) for row in rows if row.role == "stylised"] == [
        (1, 2, "fast"),
        (1, 2, "fast, strength 3"),
    ]


def test_pictures_that_look_alike_are_told(datasets: DatasetService, unpacker: Unpacker) -> None:
    larger = encode.read_rgb(png(1))
    buffer = io.BytesIO()
    Image.fromarray(larger).resize((96, 80)).save(buffer, "JPEG", quality=85)
    files = [Sent("content", "a.png", io.BytesIO(png(1))), Sent("content", "b.png", io.BytesIO(png(2))), Sent("content", "a.jpg", buffer)]
    files.append(Sent("style", "s.png", io.BytesIO(png(9))))
    dataset = datasets.create(OWNER, Order("stylised", "Alike", generators(("instant",), (), {}), files))
    unpacker.unpack_one()
    (pair,) = datasets.detail(OWNER, dataset.id).alike
    assert (pair.one, pair.other) == (1, 3)
    assert pair.bits <= 4


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (Order("stylised", "x"), "Choose some pictures"),
        (Order("labelled", "x", files=[Sent("content", "a.png", io.BytesIO(png(1)))]), "one zip file of folders"),
        (Order("stylised", "x", archive=io.BytesIO(b"no zip")), "not a whole zip file"),
        (Order("labelled", "x", archive=zip_of({"a.png": png(1)})), "folders class/ or domain/class/"),
    ],
)
def test_what_cannot_be_a_dataset_is_refused_at_once(datasets: DatasetService, wrong: Order, said: str) -> None:
    with pytest.raises(InputError, match=said):
        datasets.create(OWNER, wrong)
    assert datasets.newest(OWNER) == []


def test_a_dataset_of_which_nothing_can_be_read_fails_in_words(datasets: DatasetService, unpacker: Unpacker) -> None:
    archive = zip_of({"contents/a.png": png(1), "styles/b.png": b"nothing"})
    dataset = datasets.create(OWNER, Order("stylised", "x", generators(("instant",), (), {}), archive=archive))
    unpacker.unpack_one()
    event = datasets.event(OWNER, dataset.id)
    assert event.state == "failed"
    assert event.error is not None
    assert event.error.startswith("None of the style pictures could be read, so there is nothing to stylise. b.png: This file is text")
    with pytest.raises(NotReady, match="Send its pictures again"):
        datasets.resume(OWNER, dataset.id)


def test_limits(clients: Clients, datasets: DatasetService) -> None:
    def limited(**changes: float) -> DatasetService:
        settings: Settings = clients.settings.model_copy(update=changes)
        return DatasetService(Clients(settings, clients.database, clients.blobs, clients.events, clients.broker))

    with pytest.raises(InputError, match=r"at most 8 pictures, stylised ones included. Received: 10"):
        limited(max_dataset_pictures=8).create(OWNER, order(3, 1, ("instant", "fast")))
    with pytest.raises(TooLarge, match="at most 2 pictures"):
        limited(max_dataset_pictures=2).create(OWNER, labelled({f"a/{n}.png": png(n) for n in range(3)}))
    datasets.create(OWNER, order(2, 2))
    with pytest.raises(TooMany, match="10 pictures in all and have 8, so 3 more do not fit"):
        limited(max_lab_pictures=10).create(OWNER, order(1, 1))
    limited(max_lab_pictures=10).create("b" * 32, order(1, 1))
    with pytest.raises(StorageFull, match="almost full"):
        limited(min_free_mb=1e12).create(OWNER, order(1, 1))


def test_the_zip_can_be_sent_again_and_its_manifest_tells_everything(
    datasets: DatasetService, unpacker: Unpacker, paint_all: PaintAll, blobs: Blobs
) -> None:
    dataset = datasets.create(OWNER, order(2, 1))
    unpacker.unpack_one()
    paint_all(1)
    parts = list(manifest.zipped(datasets.pictures(OWNER, dataset.id), blobs))
    assert len(parts) > 4, "not the whole of it at once"
    with zipfile.ZipFile(io.BytesIO(b"".join(parts))) as archive:
        assert archive.testzip() is None
        lines = [json.loads(line) for line in archive.read("manifest.jsonl").splitlines()]
        names = set(archive.namelist())
    assert [line["file"] for line in lines] == [
        "contents/00001.png",
        "contents/00002.png",
        "styles/00003.png",
        "stylised/00004.png",
        "stylised/00005.png",
    ]
    assert names == {line["file"] for line in lines[:4]} | {"manifest.jsonl"}, "the last one is not painted yet"
    made, waiting = lines[3:]
    assert (made["content"], made["style"], made["generator"], made["state"]) == (1, 3, "instant", "done")
    assert made["params"] == resolve("instant", {"size": 64}).model_dump(mode="json")
    assert len(made["sha256"]) == 64
    assert (waiting["state"], waiting["sha256"]) == ("queued", None)
    again = datasets.create(OWNER, Order("stylised", "Again", generators(("instant",), (), {}), archive=io.BytesIO(b"".join(parts))))
    unpacker.unpack_one()
    event = datasets.event(OWNER, again.id)
    assert (event.contents, event.styles, event.state) == (2, 1, "making")
