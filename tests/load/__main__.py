"""``python -m tests.load``: two hundred watchers, and twenty uploads a second for a minute; written into docs/reliability.md.

``--dry`` leaves the document alone.
"""

from __future__ import annotations

import argparse
import datetime
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
from tests.load.served import served
from tests.load.visitors import bring
from tests.load.watchers import percentile, watch

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- load: begin -->", "<!-- load: end -->"
WATCHERS, EVENTS, RATE, SECONDS, OWNERS = 200, 60, 20.0, 60.0, 30


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--dry", action="store_true", help="leave docs/reliability.md alone")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pentimento-load-") as name, _broker(Path(name)) as url:
        settings = Settings(data_dir=Path(name) / "data", redis_url=url)
        migrate(settings)
        clients = Clients.of(settings, redis.Redis.from_url(url))
        rows = [*_streams(clients), *_uploads(clients)]
        clients.database.close()
    where = f"{datetime.datetime.now(tz=datetime.UTC).date().isoformat()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}"
    text = "\n".join((f"{where}:", "", "| | measured | wanted |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)))
    sys.stdout.write(text + "\n")
    if not given.dry:
        before, _, rest = DOCUMENT.read_text().partition(BEGIN)
        DOCUMENT.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}")


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


def _streams(clients: Clients) -> Iterator[tuple[str, str, str]]:
    # All of them are one person, whose job it is.
    settings = clients.settings.model_copy(update={"max_streams": 2 * WATCHERS})
    with served(settings) as web, httpx2.Client(base_url=web.address, timeout=60) as visitor:
        answer = visitor.post("/api/jobs", files=_pictures(), data={"size": "64"})
        answer.raise_for_status()
        seen = watch(clients, answer.json()["id"], web.address, dict(visitor.cookies), count=WATCHERS, events=EVENTS, rate=2.0)
        peak = web.peak
    figures = ", ".join(f"{percentile(seen.delays, share):.3f} s" for share in (0.5, 0.95, 1.0))
    yield f"delivery of an event to {WATCHERS} streams of one job: median, 95th percentile, longest", figures, "95th percentile under 0.5 s"
    yield "streams that lost their connection and came back", str(seen.reconnected), ""
    yield "streams that ended in the right state", f"{seen.ended.count('done')} of {WATCHERS}", "all"
    yield "most memory of the web process meanwhile", f"{peak / 1e6:.0f} MB", "under 300 MB"


def _uploads(clients: Clients) -> Iterator[tuple[str, str, str]]:
    with served(clients.settings) as web:
        met = bring(web.address, _pictures(), rate=RATE, seconds=SECONDS, owners=OWNERS)
        peak = web.peak
    told = ", ".join(f"{count} with {status}" for status, count in sorted(met.answers.items()))
    yield f"{RATE:.0f} uploads of two pictures a second for {SECONDS:.0f} s, by {OWNERS} people", told, "202, 429 and 503 alone"
    for name, figures, wanted in (("accepted", met.accepted, ""), ("refused", met.refused, "within 1 s")):
        if figures:
            yield f"seconds until {name}: median, longest", f"{median(figures):.2f}, {max(figures):.2f}", wanted
    yield "the studio's page meanwhile: median, 95th percentile", f"{median(met.pages):.2f} s, {percentile(met.pages, 0.95):.2f} s", ""
    yield "most memory of the web process meanwhile", f"{peak / 1e6:.0f} MB", "under 300 MB"


def _pictures() -> dict[str, tuple[str, bytes, str]]:
    return {
        "content": ("photo.jpg", encode.jpeg(skimage.data.coffee()), "image/jpeg"),
        "style": ("painting.png", encode.png(skimage.data.astronaut()), "image/png"),
    }


if __name__ == "__main__":
    main()
