"""The disk fills up while jobs run: new ones are refused in plain words, running ones still listen and go on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.faults.installation import ROOT

# As root, or as root of a name space of one's own.
WAYS = (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"])


def way_to_mount(folder: Path) -> list[str] | None:
    """Return the command that lets a small file system be mounted here, if there is one."""
    for way in WAYS:
        try:
            tried = subprocess.run([*way, "mount", "-t", "tmpfs", "tmpfs", str(folder)], capture_output=True, check=False)
        except FileNotFoundError:
            continue
        if tried.returncode == 0:
            return way
    return None


def test_a_full_disk_refuses_new_jobs_and_leaves_running_ones_their_ears(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    way = way_to_mount(folder)
    how = "pretend" if way is None else "mount"
    print(f"a small file system was {'mounted' if way else 'only pretended'}")
    command = [*(way or []), sys.executable, "-m", "tests.faults.full_disk", str(folder), how]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"{how}: {done.stderr[-3000:]}"
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["refused"] == 507, how
    assert "disk is" in told["message"] and "full" in told["message"]
    assert told["alive"] == 200
    assert told["heard"] == "cancelled"
    assert told["went_on"]
    assert told["violations"] == []
