"""Deleting and backing up do not meet; whoever dies with the lock stops nobody."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

from app.core.config import Settings
from app.infra.standstill import deleting, standstill

HOLDER = """
import sys, time
from pathlib import Path
from app.core.config import Settings
from app.infra.standstill import standstill
with standstill(Settings(data_dir=Path(sys.argv[1]))):
    print("held", flush=True)
    time.sleep(1000)
"""


def may_delete(settings: Settings) -> bool:
    """Ask in a thread of its own: who asks must never wait."""
    answers: list[bool] = []

    def ask() -> None:
        with deleting(settings) as may:
            answers.append(may)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(10)
    assert answers, "it waits"
    return answers[0]


def test_nobody_deletes_during_a_backup(settings: Settings) -> None:
    assert may_delete(settings)
    with standstill(settings):
        assert not may_delete(settings)
    assert may_delete(settings)


def test_several_may_delete_at_once_and_a_backup_waits_for_them(settings: Settings) -> None:
    held = threading.Event()

    def back_up() -> None:
        with standstill(settings):
            held.set()

    thread = threading.Thread(target=back_up)
    with deleting(settings) as first, deleting(settings) as second:
        assert first and second
        thread.start()
        assert not held.wait(0.3)
    assert held.wait(10)
    thread.join()


def test_a_backup_that_was_killed_stops_nobody(settings: Settings) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(settings.data)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    assert not may_delete(settings)
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert (settings.data / "backup.lock").exists()
    assert may_delete(settings)


def test_what_is_kept_elsewhere_is_not_backed_up_here(settings: Settings, tmp_path: Path) -> None:
    elsewhere = settings.model_copy(update={"blobs_url": "memory://pictures", "data_dir": tmp_path / "none"})
    assert may_delete(elsewhere)
    assert not (tmp_path / "none").exists()
