"""Stored whole or not at all, under safe names."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import pytest

from app.core.errors import NotFound, StorageFull
from app.infra.blobs import Blobs


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs((tmp_path / "a folder").as_uri())


def test_what_is_put_is_got_and_can_be_replaced(blobs: Blobs) -> None:
    blobs.put("jobs/1/a.png", b"one")
    blobs.put("jobs/1/a.png", b"two")
    assert blobs.get("jobs/1/a.png") == b"two"


@pytest.mark.parametrize("url", ["", "memory://files"])
def test_a_long_file_is_stored_from_its_beginning_and_read_at_any_place(blobs: Blobs, url: str) -> None:
    blobs = Blobs(url) if url else blobs
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


def test_deleting(blobs: Blobs) -> None:
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


def test_an_object_store_goes_the_same_way() -> None:
    blobs = Blobs("memory://pictures")
    assert blobs.local_root is None
    blobs.put("jobs/2/a.png", b"one")
    assert blobs.get("jobs/2/a.png") == b"one"
    blobs.delete_folder("jobs/2")
    with pytest.raises(NotFound):
        blobs.get("jobs/2/a.png")
