"""``python -m tests.whole``: a picture of 1024 pixels whose painter is killed in the middle, beside the same one undisturbed.

Written into docs/reliability.md; ``--dry`` leaves the document alone. Ends with 1 where it does not go on, or ends elsewhere.
"""

from __future__ import annotations

import argparse
import datetime
import io
import itertools
import os
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import skimage.data
from PIL import Image

from app.imaging import encode
from tests.faults.__main__ import DOCUMENT, between_markers
from tests.whole.test_api_path import follow
from tests.whole_stack import Stack, started

BEGIN, END = "<!-- killed: begin -->", "<!-- killed: end -->"
PAINTING = Path("static/samples/style/night.jpg")
# Of the work, which is mostly that at full size.
MIDDLE_PERCENT = 60.0
AFTER_SECONDS = 5.0
# The promise: the end's loss beside that of an undisturbed run.
MOST_APART = 0.02
# Seconds of work, or one iteration where that is longer.
MOST_LOST = 10.0


@dataclass(frozen=True)
class Run:
    """One picture: its events as they came, each with the moment, what came of it, and when its painter was killed."""

    events: list[tuple[float, dict[str, Any]]]
    picture: np.ndarray[Any, Any]
    killed: list[float]

    @property
    def loss(self) -> float:
        """The total at full size, of the iteration that was kept."""
        return float([event["losses"]["total"] for _, event in self.events if event["losses"]][-1])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.whole", description=__doc__)
    parser.add_argument("--size", type=int, default=1024, help="longer side in pixels (default: 1024)")
    parser.add_argument("--dry", action="store_true", help="leave docs/reliability.md alone")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pentimento-killed-") as folder, started(Path(folder) / "data", {}) as stack:
        undisturbed = painted(stack, given.size)
        killed = painted(stack, given.size, kill=True)
    text, is_well = table(undisturbed, killed, given.size)
    print(text)  # noqa: T201
    if not given.dry:
        DOCUMENT.write_text(between_markers(DOCUMENT.read_text(), text, BEGIN, END))
    return 0 if is_well else 1


def painted(stack: Stack, size: int, *, kill: bool = False) -> Run:
    """Return a picture with the default preset; ``kill`` ends its painter, as kill -9 does, in the middle."""
    with httpx2.Client(base_url=stack.address, timeout=60) as client:
        files = {"content": ("cat.jpg", encode.jpeg(skimage.data.chelsea()), "image/jpeg"), "style": ("night.jpg", PAINTING.read_bytes())}
        answer = client.post("/api/jobs", files=files, data={"preset": "default", "size": str(size)})
        answer.raise_for_status()
        job = answer.json()["id"]
        events, killed = [], list[float]()

        def end_painter() -> None:
            [painter] = stack.painters()
            painter.kill()
            killed.append(time.monotonic())

        for _, event in follow(client, job):
            events.append((time.monotonic(), event))
            _say(f"\r{event['state']} {event['percent']:.0f} % of attempt {event['attempt']}  ")
            if kill and event["percent"] >= MIDDLE_PERCENT:
                # Not with the event, which comes when a state was just stored, but in the midst of what follows.
                threading.Timer(AFTER_SECONDS, end_painter).start()
                kill = False
        _say("\n")
        result = client.get(f"/api/jobs/{job}/result", params={"format": "png"})
        result.raise_for_status()
        return Run(events, np.asarray(Image.open(io.BytesIO(result.content)).convert("RGB"), np.float32), killed)


def _say(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def table(undisturbed: Run, killed: Run, size: int) -> tuple[str, bool]:
    """Return the figures as Markdown, and whether they are as promised."""
    first, second = ([(at, event) for at, event in killed.events if event["attempt"] == attempt] for attempt in (1, 2))
    if not killed.killed or not any(event["state"] == "running" for _, event in second):
        return "It ended before it could be killed, or did not go on afterwards.", False
    [died] = killed.killed
    was = [event for _, event in first if event["state"] == "running"][-1]
    begun, back = next((at, event) for at, event in second if event["state"] == "running")
    moving = next(at for at, event in second if event["iteration"] > back["resumed_at"])
    lost = died - next(at for at, event in first if event["iteration"] >= back["resumed_at"])
    ends = [at for at, event in first if event["state"] == "running" and event["scale"] == size]
    longest = max((later - sooner for sooner, later in itertools.pairwise(ends)), default=0.0)
    apart = killed.loss / undisturbed.loss - 1
    goes_on = killed.events[-1][1]["state"] == "done" and back["resumed_at"] > 0
    is_well = goes_on and abs(apart) <= MOST_APART and lost <= max(MOST_LOST, longest)
    rows = [
        ("painter killed at", f"{was['percent']:.0f} %, iteration {was['iteration']} of {was['iterations']}, scale {was['scale']}"),
        ("went on from iteration", f"{back['resumed_at']}"),
        ("work lost", f"{lost:.1f} s"),
        ("until another attempt began, and until it moved on", f"{begun - died:.0f} s, {moving - died:.0f} s"),
        ("loss at the end beside the undisturbed run's", f"{apart:+.2%}"),
        ("pictures differ by, on the mean of 255 levels", f"{np.abs(killed.picture - undisturbed.picture).mean():.2f}"),
        ("undisturbed, seconds", f"{undisturbed.events[-1][0] - undisturbed.events[0][0]:.0f}"),
    ]
    height, width = killed.picture.shape[:2]
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    head = f"{today}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}; {width} × {height} pixels, default preset:\n\n"
    return head + "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]), is_well


if __name__ == "__main__":
    raise SystemExit(main())
