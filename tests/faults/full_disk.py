"""A program: an installation on a disk that fills up while jobs run, and what became of them.

Run as ``python -m tests.faults.full_disk FOLDER (mount|pretend)``; with ``mount``, in a mount namespace of its
own, the folder becomes a small file system. The last line that it prints is JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.jobs.models import STYLIZE, State
from tests.faults import no_room
from tests.faults.driver import Driver
from tests.faults.installation import Installation, until
from tests.faults.visitor import png

DISK_MB = 48
# Long enough for a full disk to come and go meanwhile; ended by hand.
MANY_STEPS = 2_000
# A picture that does not fit where the database's few pages still do.
LARGE = (1_400, 1_000)


class Disk:
    """The disk that holds ``folder``; filled by a file, or by a word where it is too large for that."""

    def __init__(self, folder: Path, mounted: bool) -> None:
        self._ballast = folder / "ballast"
        self._sign = no_room.sign(folder / "armed")
        self._mounted = mounted

    def fill(self) -> None:
        if not self._mounted:
            self._sign.touch()
            return
        with self._ballast.open("ab", buffering=0) as file:
            for size in (1_000_000, 4_096):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    continue

    def spare(self, megabytes: float) -> None:
        """Make so much room, and no more."""
        if self._mounted:
            with self._ballast.open("r+b") as file:
                file.truncate(self._ballast.stat().st_size - int(megabytes * 1e6))

    def empty(self) -> None:
        self._sign.unlink(missing_ok=True)
        self._ballast.unlink(missing_ok=True)


def run(folder: Path, mounted: bool) -> dict[str, Any]:
    disk = Disk(folder, mounted)
    with Installation(folder) as installation:
        driver = Driver(installation, 1)
        with driver.visitor() as visitor:
            cancelled, goes_on = visitor.surely(steps=MANY_STEPS), visitor.surely(steps=MANY_STEPS)
            until(lambda: len([job for job in installation.running(STYLIZE) if job.preview]) == 2, "both are painted")
            disk.fill()
            try:
                refused = visitor.send(content=png(LARGE))
                alive = visitor.ask("GET", "/healthz").status_code
                disk.spare(0.5)
                until(lambda: visitor.ask("POST", f"/api/jobs/{cancelled}/cancel").is_success, "a cancelling is taken")
                until(lambda: installation.row(cancelled).terminal, "it is heard")
            finally:
                disk.empty()
            heard = installation.row(cancelled).state
            until(_gets_on(installation, goes_on), "the other goes on")
            until(lambda: visitor.ask("POST", f"/api/jobs/{goes_on}/stop").is_success, "a stop is taken")
            visitor.surely(steps=2)
        installation.settle()
        ledger = {job_id: entry for job_id, entry in driver.ledger.items() if job_id != cancelled}
        return {
            "refused": refused.status_code,
            "message": refused.json().get("detail", refused.text),
            "alive": alive,
            "heard": heard,
            "went_on": installation.row(goes_on).state == State.DONE,
            "violations": installation.violations(ledger),
        }


def _gets_on(installation: Installation, job_id: str) -> Callable[[], bool]:
    def iteration() -> int:
        return int((installation.row(job_id).progress or {}).get("iteration", 0))

    begun = iteration()
    return lambda: iteration() > begun + 10


if __name__ == "__main__":
    place, how = Path(sys.argv[1]), sys.argv[2]
    if how == "mount":
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(place)], check=True)
    print(json.dumps(run(place, how == "mount")))
