"""What must be free before anything starts."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from app.core.errors import StorageFull, Unavailable
from app.local import instance


def test_a_taken_port_names_port() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Unavailable, match=f"Port {port} on 127.0.0.1 is taken by another program. .* make run PORT={port + 1}"):
            instance.listen("127.0.0.1", port)


def test_port_zero_is_a_free_one_and_its_address_can_be_opened() -> None:
    with instance.listen("0.0.0.0", 0) as listener:  # noqa: S104 - what an operator may ask for
        port = listener.getsockname()[1]
        assert instance.address_of(listener) == f"http://127.0.0.1:{port}"
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass


@pytest.mark.parametrize("host", ["no such host", "203.0.113.7"])
def test_an_address_of_another_machine_names_host(host: str) -> None:
    with pytest.raises(Unavailable, match="HOST"):
        instance.listen(host, 0)


def test_the_data_folder_is_made(tmp_path: Path) -> None:
    instance.open_data_folder(tmp_path / "a" / "b", 0)
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_data_folder_that_is_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match=r"cannot be written to .*PENTIMENTO_DATA_DIR"):
        instance.open_data_folder(tmp_path / "file" / "data", 0)


def test_a_disk_with_too_little_room_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(StorageFull, match="MB free, and 1000000000000 MB are needed"):
        instance.open_data_folder(tmp_path, 1e12)


def test_a_full_disk_is_named() -> None:
    # The kernel's own full disk: every write to it fails so.
    with pytest.raises(Unavailable, match="/dev/full"):
        instance.open_data_folder(Path("/dev/full/data"), 0)


def test_the_lock_is_free_again_once_it_is_closed(tmp_path: Path) -> None:
    os.close(instance.lock_data_folder(tmp_path, "here"))
    os.close(instance.lock_data_folder(tmp_path, "there"))
    assert (tmp_path / "serve.lock").read_text() == f"{os.getpid()} there"
