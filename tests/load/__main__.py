"""``python -m tests.load``: two hundred watchers, twenty uploads a second for a minute, and pages while a picture is painted.

Written into docs/reliability.md; ``--dry`` leaves the document alone. Ends with 1 where anything is not as it is wanted.
"""

from __future__ import annotations

import argparse
import datetime
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx2
import redis
import skimage.data

from app.core.config import Settings
from app.imaging import encode
from app.infra.clients import Clients
from app.infra.database import migrate
from app.local import broker
from tests.faults.__main__ import DOCUMENT, between_markers
from tests.load.served import served
from tests.load.visitors import bring
from tests.load.watchers import percentile, watch
from tests.whole_stack import started

BEGIN, END = "<!-- load: begin -->", "<!-- load: end -->"
WATCHERS, EVENTS, RATE, SECONDS, OWNERS = 200, 60, 20.0, 60.0, 30


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str
    measured: str
    wanted: str = ""
    is_met: bool = True


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--dry", action="store_true", help="leave docs/reliability.md alone")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pentimento-load-") as name, _broker(Path(name)) as url:
        settings = Settings(data_dir=Path(name) / "data", redis_url=url)
        migrate(settings)
        clients = Clients.of(settings, redis.Redis.from_url(url))
        figures = [*_streams(clients), *_uploads(clients)]
        clients.database.close()
        figures += _pages(Path(name) / "painting")
    where = f"{datetime.datetime.now(tz=datetime.UTC).date().isoformat()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}"
    rows = [f"| {one.what} | {one.measured} | {one.wanted}{'' if one.is_met else ': **not met**'} |" for one in figures]
    text = "\n".join((f"{where}:", "", "| | measured | wanted |", "|---|---|---|", *rows))
    sys.stdout.write(text + "\n")
    if not given.dry:
        DOCUMENT.write_text(between_markers(DOCUMENT.read_text(), text, BEGIN, END))
    return 0 if all(one.is_met for one in figures) else 1


@contextmanager
def _broker(folder: Path) -> Iterator[str]:
    server = broker.set_up(folder / "broker")
    spec = broker.spec(server)
    process = subprocess.Popen(spec.argv, cwd=spec.cwd, stdout=subprocess.DEVNULL)
    try:
        while not broker.answers(server.url):
            time.sleep(0.05)
        yield server.url
    finally:
        process.terminate()
        process.wait(timeout=20)


def _streams(clients: Clients) -> Iterator[Figure]:
    # All of them are one person, whose job it is.
    settings = clients.settings.model_copy(update={"max_streams": 2 * WATCHERS})
    with served(settings) as web, httpx2.Client(base_url=web.address, timeout=60) as visitor:
        answer = visitor.post("/api/jobs", files=_pictures(), data={"size": "64"})
        answer.raise_for_status()
        seen = watch(clients, answer.json()["id"], web.address, dict(visitor.cookies), count=WATCHERS, events=EVENTS, rate=2.0)
        peak = web.peak
    late = percentile(seen.delays, 0.95)
    told = f"{median(seen.delays):.3f} s, {late:.3f} s, {max(seen.delays):.3f} s"
    what = f"delivery of an event to {WATCHERS} streams of one job: median, 95th percentile, longest"
    yield Figure(what, told, "95th percentile under 0.5 s", late < 0.5)
    yield Figure("streams that lost their connection and came back", str(seen.reconnected))
    right = seen.ended.count("done")
    yield Figure("streams that ended in the right state", f"{right} of {WATCHERS}", "all", right == WATCHERS)
    yield _memory(peak)


def _uploads(clients: Clients) -> Iterator[Figure]:
    with served(clients.settings) as web:
        met = bring(web.address, _pictures(), rate=RATE, seconds=SECONDS, owners=OWNERS)
        peak = web.peak
    told = ", ".join(f"{count} with {status}" for status, count in sorted(met.answers.items()))
    what = f"{RATE:.0f} uploads of two pictures a second for {SECONDS:.0f} s, by {OWNERS} people"
    yield Figure(what, told, "202, 429 and 503 alone", set(met.answers) <= {202, 429, 503})
    if met.accepted:
        yield Figure("seconds until accepted: median, longest", f"{median(met.accepted):.2f}, {max(met.accepted):.2f}")
    if met.refused:
        longest = max(met.refused)
        yield Figure("seconds until refused: median, longest", f"{median(met.refused):.2f}, {longest:.2f}", "within 1 s", longest < 1.0)
    yield Figure("the studio's page meanwhile: median, 95th percentile", f"{median(met.pages):.2f} s, {percentile(met.pages, 0.95):.2f} s")
    yield _memory(peak)


def _pages(data: Path) -> Iterator[Figure]:
    taken: defaultdict[str, list[float]] = defaultdict(list)
    with started(data, {}) as stack, httpx2.Client(base_url=stack.address, timeout=60) as visitor:
        answer = visitor.post("/api/jobs", files=_pictures(), data={"size": "512", "plateau": "0"})
        answer.raise_for_status()
        job = answer.json()["id"]
        while (state := visitor.get(f"/api/jobs/{job}").json()["state"]) in ("queued", "running"):
            for path in ("/", f"/jobs/{job}", "/history"):
                began = time.monotonic()
                visitor.get(path).raise_for_status()
                if state == "running":
                    taken[path].append(time.monotonic() - began)
            time.sleep(0.1)
        looks = _looks(visitor)
    for path, title in (("/", "the studio"), (f"/jobs/{job}", "the picture's page"), ("/history", "the history")):
        late = percentile(taken[path], 0.95)
        what = f"{title} while a picture of 512 pixels is painted: median, 95th percentile of {len(taken[path])}"
        yield Figure(what, f"{median(taken[path]):.3f} s, {late:.3f} s", "95th percentile under 0.5 s", late < 0.5)
    # The page asks for the small one at each move, and for the whole one when the slider is let go.
    small, whole = looks
    late = percentile(small[1:], 0.95)
    yield Figure(_look("while its slider is moved"), _taken(small), "95th percentile under 0.3 s", late < 0.3)
    yield Figure(_look("whole, after that"), _taken(whole))


def _look(shown: str) -> str:
    return f"a picture of 2,048 pixels finished otherwise, {shown}: first look; median and 95th percentile of the others"


def _taken(looks: list[float]) -> str:
    first, *rest = looks
    return f"{first:.3f} s; {median(rest):.3f} s, {percentile(rest, 0.95):.3f} s"


def _looks(visitor: httpx2.Client) -> list[list[float]]:
    """Return the seconds until each look at a large picture was there, small and whole, strength and colours changed before each."""
    answer = visitor.post("/api/jobs", files=_pictures(), data={"preset": "instant", "size": "2048"})
    answer.raise_for_status()
    job = answer.json()["id"]
    while visitor.get(f"/api/jobs/{job}").json()["state"] in ("queued", "running"):
        time.sleep(0.5)
    taken: list[list[float]] = []
    for side in ("1024", "2048"):
        taken.append([])
        for number in range(40):
            asked = {"strength": f"{0.25 + number / 80:.3f}", "colours": "photograph", "side": side}
            began = time.monotonic()
            visitor.get(f"/api/jobs/{job}/finished", params=asked).raise_for_status()
            taken[-1].append(time.monotonic() - began)
    return taken


def _memory(peak: float) -> Figure:
    return Figure("most memory of the web process meanwhile", f"{peak / 1e6:.0f} MB", "under 300 MB", peak < 300e6)


def _pictures() -> dict[str, tuple[str, bytes, str]]:
    return {
        "content": ("photo.jpg", encode.jpeg(skimage.data.coffee()), "image/jpeg"),
        "style": ("painting.png", encode.png(skimage.data.astronaut()), "image/png"),
    }


if __name__ == "__main__":
    raise SystemExit(main())
