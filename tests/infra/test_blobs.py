"""Stored whole or not at all, under safe names."""

from __future__ import annotations

import errno
import io
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.core.config import Settings
from app.core.errors import NotFound, StorageFull
from app.infra.blobs import Blobs, _moment


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs((tmp_path / "a folder").as_uri())


@pytest.fixture(params=["a folder", "an object store"])
def either(request: pytest.FixtureRequest) -> Blobs:
    return request.getfixturevalue("blobs") if request.param == "a folder" else Blobs(request.getfixturevalue("s3_url"))


def test_what_is_put_is_got_and_can_be_replaced(either: Blobs) -> None:
    either.put("jobs/1/a.png", b"one")
    either.put("jobs/1/a.png", b"two")
    assert either.get("jobs/1/a.png") == b"two"


def test_a_long_file_is_stored_from_its_beginning_and_read_at_any_place(either: Blobs) -> None:
    blobs = either
    data = bytes(range(256)) * 10_000
    file = io.BytesIO(data)
    file.seek(100)
    blobs.put_file("datasets/1/archive.zip", file)
    with blobs.open("datasets/1/archive.zip") as stored:
        stored.seek(-256, io.SEEK_END)
        assert stored.read() == data[-256:]
        stored.seek(0)
        assert stored.read() == data
    with pytest.raises(NotFound, match="no longer stored"), blobs.open("datasets/1/none.zip"):
        pass


def test_deleting(either: Blobs) -> None:
    blobs = either
    blobs.put("jobs/1/a.png", b"one")
    blobs.put("jobs/1/b.png", b"two")
    blobs.delete("jobs/1/a.png")
    blobs.delete("jobs/1/a.png")
    with pytest.raises(NotFound):
        blobs.get("jobs/1/a.png")
    blobs.delete_folder("jobs/1")
    blobs.delete_folder("jobs/1")
    with pytest.raises(NotFound):
        blobs.get("jobs/1/b.png")


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/.partial-x", "A", "a\x00b", "a/"])
def test_unsafe_names_are_refused(blobs: Blobs, key: str) -> None:
    for use in (blobs.get, blobs.delete, blobs.delete_folder, lambda key: blobs.put(key, b"")):
        with pytest.raises(NotFound):
            use(key)


def test_a_failed_write_leaves_the_old_file_and_no_other(blobs: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs.put("jobs/1/a.png", b"one")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull, match="disk is full"):
        blobs.put("jobs/1/a.png", b"two")
    monkeypatch.undo()
    assert blobs.get("jobs/1/a.png") == b"one"
    assert blobs.local_root is not None
    assert [path.name for path in (blobs.local_root / "jobs" / "1").iterdir()] == ["a.png"]


def test_a_long_file_that_breaks_off_is_not_stored_at_all(either: Blobs) -> None:
    class Torn(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 8_000_000:
                raise OSError(errno.EIO, "Input/output error")
            return super().read(size)

    with pytest.raises(OSError, match="Input/output"):
        either.put_file("datasets/1/archive.zip", Torn(bytes(12_000_000)))
    assert either.files("datasets") == []


def test_only_a_folder_is_on_this_machine_and_can_be_full(blobs: Blobs, s3_url: str) -> None:
    store = Blobs(s3_url)
    assert (store.local_root, store.short_of(1e12)) == (None, False)
    assert blobs.local_root is not None
    assert blobs.short_of(1e12)


def test_files_and_folders_are_listed_with_size_and_time(either: Blobs) -> None:
    began = time.time()
    either.put("jobs/1/a.png", b"one")
    either.put("jobs/1/incoming/00001", b"four")
    either.put("jobs/2/b.png", b"")
    either.put("detectors/x.safetensors", b"12345")
    assert [(file.name, file.size) for file in either.files("jobs")] == [("1/a.png", 3), ("1/incoming/00001", 4), ("2/b.png", 0)]
    assert [(file.name, file.size) for file in either.files("jobs/1")] == [("a.png", 3), ("incoming/00001", 4)]
    assert all(began - 2 < file.modified < time.time() + 2 for file in either.files("jobs"))
    folders = list(either.folders("jobs"))
    assert [(folder.name, folder.size) for folder in folders] == [("1", 7), ("2", 0)]
    assert folders[0].files == tuple(either.files("jobs/1"))
    assert all(began - 2 < folder.modified < time.time() + 2 for folder in folders)
    assert [folder.name for folder in either.folders("detectors")] == []
    assert either.used() == 12


def test_nothing_is_listed_where_nothing_is(either: Blobs) -> None:
    assert (either.files("jobs"), list(either.folders("jobs")), either.used(), either.delete_partials(1e12)) == ([], [], 0, 0)
    either.put("jobs/11/a.png", b"one")
    assert either.files("jobs/1") == [], "a folder is no beginning of a name"


def test_what_another_process_stores_is_listed(s3_url: str) -> None:
    ours, theirs = Blobs(s3_url), Blobs(s3_url)
    assert ours.files("jobs") == []
    theirs.put("jobs/1/a.png", b"one")
    assert [file.name for file in ours.files("jobs")] == ["1/a.png"]


def test_only_interrupted_writes_of_long_ago_are_removed(blobs: Blobs) -> None:
    root = blobs.local_root
    assert root is not None
    blobs.put("jobs/1/a.png", b"one")
    old, new = root / "jobs" / "1" / ".partial-old", root / "jobs" / "1" / ".partial-new"
    for path in (old, new, root / "jobs" / "1" / "a.png"):
        path.write_bytes(b"half")
    os.utime(old, (1000, 1000))
    os.utime(root / "jobs" / "1" / "a.png", (1000, 1000))
    assert [file.name for file in blobs.files("jobs")] == ["1/a.png"], "what is half written is no stored file"
    assert blobs.delete_partials(2000) == 1
    assert sorted(path.name for path in (root / "jobs" / "1").iterdir()) == [".partial-new", "a.png"]


def test_a_folder_into_which_something_is_being_written_is_new(blobs: Blobs) -> None:
    root = blobs.local_root
    assert root is not None
    (root / "jobs" / "1" / "incoming").mkdir(parents=True)
    (root / "jobs" / "2").mkdir()
    (root / "jobs" / "1" / "incoming" / ".partial-x").write_bytes(b"half")
    for path in (root / "jobs" / "1" / "incoming", root / "jobs" / "1", root / "jobs" / "2"):
        os.utime(path, (1000, 1000))
    (root / "jobs" / "3" / "incoming").mkdir(parents=True)
    os.utime(root / "jobs" / "3", (1000, 1000))
    first, second, third = blobs.folders("jobs")
    assert first.modified > 1000
    assert second == type(second)("2", 1000, ())
    assert third.modified > 1000, "a folder in it was made just now"


@pytest.mark.parametrize(
    "info",
    [
        {"mtime": 5.0},
        {"LastModified": datetime.fromtimestamp(5, UTC)},
        {"updated": "1970-01-01T00:00:05+00:00"},
        {"mtime": 5, "created": 9},
    ],
)
def test_stores_tell_the_time_of_a_file_each_in_its_way(info: Mapping[str, object]) -> None:
    assert _moment(info) == 5.0


def test_a_store_without_times_has_only_new_files() -> None:
    assert _moment({"size": 1}) == pytest.approx(time.time(), abs=5)


def test_pictures_lie_in_the_data_folder_whatever_its_name_holds(tmp_path: Path) -> None:
    data = tmp_path / "a folder's #1 (50 %20)"
    Blobs(Settings(data_dir=data).picture_url).put("jobs/a.png", b"picture")
    assert (data / "pictures" / "jobs" / "a.png").read_bytes() == b"picture"
