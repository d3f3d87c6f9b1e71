from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import ArtefactError, StorageFull
from app.infra import cache, registry
from app.infra.download import download
from tests.infra.package_server import PackageServer, package, serving

PINNED, WHOLE = package()


@pytest.fixture
def server() -> Iterator[PackageServer]:
    with serving() as state:
        state.files[PINNED.filename] = WHOLE
        yield state


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "packages" / PINNED.filename


def get(server: PackageServer, target: Path, **changes: Any) -> list[int]:
    seen: list[int] = []
    wanted = {"size": PINNED.size, "sha256": PINNED.sha256, **changes}
    with registry.client({}) as session:
        download(session, f"{server.url}/files/{PINNED.filename}", target, on_bytes=seen.append, pause=0, **wanted)
    return seen


def partly(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def ranges(server: PackageServer) -> list[str | None]:
    return [asked for _, asked in server.requests]


def test_a_whole_file_arrives_with_progress_and_leaves_nothing_else(server: PackageServer, target: Path) -> None:
    seen = get(server, target)
    assert target.read_bytes() == WHOLE
    assert seen == sorted(seen)
    assert seen[-1] == PINNED.size
    assert list(target.parent.iterdir()) == [target]


def test_goes_on_where_the_connection_broke(server: PackageServer, target: Path) -> None:
    server.cut_after = [1000, 500]
    seen = get(server, target)
    assert target.read_bytes() == WHOLE
    assert ranges(server) == [None, "bytes=1000-", "bytes=1500-"]
    assert seen[0] == 1000


def test_goes_on_where_an_earlier_start_was_killed(server: PackageServer, target: Path) -> None:
    target.parent.mkdir()
    partly(target).write_bytes(WHOLE[:777])
    get(server, target)
    assert target.read_bytes() == WHOLE
    assert ranges(server) == ["bytes=777-"]


def test_a_damaged_earlier_piece_is_thrown_away_and_fetched_again(server: PackageServer, target: Path) -> None:
    target.parent.mkdir()
    partly(target).write_bytes(b"?" * 777)
    get(server, target)
    assert target.read_bytes() == WHOLE
    assert ranges(server) == ["bytes=777-", None]


def test_an_earlier_piece_longer_than_the_file_is_thrown_away(server: PackageServer, target: Path) -> None:
    target.parent.mkdir()
    partly(target).write_bytes(WHOLE + b"more")
    get(server, target)
    assert target.read_bytes() == WHOLE


def test_a_server_that_cannot_resume_starts_again(server: PackageServer, target: Path) -> None:
    server.honours_range = False
    server.cut_after = [1000]
    get(server, target)
    assert target.read_bytes() == WHOLE


def test_a_server_that_never_finishes_is_given_up_and_the_piece_kept(server: PackageServer, target: Path) -> None:
    server.cut_after = [2000] + [0] * 9
    with pytest.raises(ArtefactError, match=rf"{PINNED.filename} broke off.*go on from 2000 of {PINNED.size} bytes"):
        get(server, target)
    assert not target.exists()
    assert partly(target).read_bytes() == WHOLE[:2000]
    server.cut_after = []
    get(server, target)
    assert target.read_bytes() == WHOLE


def test_another_file_under_the_right_name_is_refused(server: PackageServer, target: Path) -> None:
    server.files[PINNED.filename] = bytes(len(WHOLE))
    with pytest.raises(ArtefactError, match=f"not the pinned file.*{PINNED.sha256}"):
        get(server, target)
    assert list(target.parent.iterdir()) == []


def test_more_bytes_than_pinned_are_not_written(server: PackageServer, target: Path) -> None:
    server.files[PINNED.filename] = WHOLE * 50
    with pytest.raises(ArtefactError, match="sends more than"):
        get(server, target)
    assert not target.exists()
    assert partly(target).stat().st_size <= PINNED.size


def test_a_server_in_trouble_is_asked_again(server: PackageServer, target: Path) -> None:
    server.statuses = [503, 500]
    get(server, target)
    assert target.read_bytes() == WHOLE


def test_a_refusal_is_final(server: PackageServer, target: Path) -> None:
    server.statuses = [403]
    with pytest.raises(ArtefactError, match=r"refused.*403"):
        get(server, target)
    assert len(server.requests) == 1


def test_a_server_that_is_gone_is_named(server: PackageServer, target: Path) -> None:
    with registry.client({}) as session, pytest.raises(ArtefactError, match="broke off"):
        download(session, "http://127.0.0.1:1/x", target, size=5, sha256="", on_bytes=lambda done: None, pause=0)


def test_a_disk_with_too_little_room_is_told_beforehand(server: PackageServer, target: Path) -> None:
    with pytest.raises(StorageFull, match=r"is full. \d+ MB are needed. Free some space, or set PENTIMENTO_CACHE"):
        get(server, target, size=10**18)
    assert server.requests == []


def test_a_disk_that_fills_up_on_the_way_is_told(server: PackageServer, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull, match="Free some space"):
        get(server, target)
    assert not target.exists()


def test_a_folder_that_cannot_be_made_is_named(server: PackageServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ArtefactError, match=r"Set PENTIMENTO_CACHE to a folder you can write to"):
        get(server, tmp_path / "file" / "packages" / "x")


def test_writing_leaves_the_old_file_when_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "weights"
    cache.write_whole(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull):
        cache.write_whole(path, b"new")
    assert path.read_bytes() == b"old"
