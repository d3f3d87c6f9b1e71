"""Uploads lie in the data folder while they come in, without a name, and elsewhere where somebody says so."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
import uvicorn

from app.core.config import Settings
from app.local import commands, connections, incoming


@pytest.fixture(autouse=True)
def own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test chooses is forgotten after it."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.delenv("TMPDIR", raising=False)


def test_the_web_server_spools_in_its_data_folder(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "make_room", lambda _: None)
    monkeypatch.setattr(commands.logging, "set_up", lambda form: None)
    monkeypatch.setattr(uvicorn.Server, "run", lambda server, sockets=None: None)
    commands.run_web(settings, None)
    folder = settings.data / incoming.FOLDER
    assert tempfile.gettempdir() == str(folder) and folder.stat().st_mode & 0o777 == 0o700
    with tempfile.SpooledTemporaryFile(max_size=10) as spooled:
        spooled.write(b"more than stays in memory")
        spooled.flush()
        assert list(folder.iterdir()) == [], "whoever has it open has it alone"
        # Where it lies all the same.
        assert Path(f"/proc/self/fd/{spooled.fileno()}").readlink().is_relative_to(folder)


def test_who_names_another_place_is_heard(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    incoming.spool_in(settings)
    assert tempfile.gettempdir() == str(tmp_path)
    assert not (settings.data / incoming.FOLDER).exists()


def test_a_data_folder_that_cannot_be_written_to_is_no_reason_not_to_start(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.data.parent.mkdir(exist_ok=True)
    settings.data.write_text("a file, where a folder should be")
    before = tempfile.gettempdir()
    incoming.spool_in(settings)
    assert tempfile.gettempdir() == before
    assert f"uploads lie in {before} while they come in" in caplog.text
