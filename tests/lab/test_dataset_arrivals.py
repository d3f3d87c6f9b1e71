"""What is sent for a dataset: taken in where it can be read, told where not, and going on after an interruption."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Callable

import pytest
from PIL import Image

from app.core.config import Settings
from app.core.errors import InputError, NotReady, StorageFull, TooLarge, TooMany
from app.core.specs import resolve
from app.imaging import encode
from app.imaging.decode import DecoderPool, Limits
from app.infra.blobs import Blobs
from app.infra.clients import Clients
from app.jobs import pictures
from app.jobs.models import Job, State
from app.lab import manifest
from app.lab import repository as lab_repository
from app.lab.arrivals import Order, Sent
from app.lab.datasets import DatasetService
from app.lab.generators import generators
from app.lab.unpacking import Unpacker
from tests.lab.conftest import OWNER, order, png, zip_of

DATABASES = ("sqlite", "postgresql")

PaintAll = Callable[..., int]


def labelled(files: dict[str, bytes]) -> Order:
    return Order("labelled", "Animals", archive=zip_of(files))


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


def test_unpacking_waits_for_a_decoder_longer_than_a_visitor(datasets: DatasetService, clients: Clients) -> None:
    dataset = datasets.create(OWNER, order(1, 1))
    with DecoderPool(1, Limits()) as pool:
        busy = pool._idle.get()
        free_again = threading.Timer(1.5, pool._idle.put, [busy])
        free_again.start()
        assert Unpacker(clients, pool, 1, lambda: False).unpack_one()
        free_again.join()
    assert datasets.event(OWNER, dataset.id).contents == 1


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
        return DatasetService(Clients(settings, clients.database, clients.blobs, clients.events, clients.broker, clients.tally))

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
