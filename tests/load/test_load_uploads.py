"""Twenty uploads a second: each is taken, or sent away at once."""

from __future__ import annotations

import httpx2
import skimage.data

from app.imaging import encode
from app.infra.clients import Clients
from app.jobs import repository
from app.jobs.models import STYLIZE, State
from tests.load.served import served
from tests.load.visitors import bring
from tests.load.watchers import percentile

SECONDS, RATE = 10.0, 20.0


def test_twenty_uploads_a_second_are_taken_or_refused_at_once(clients: Clients) -> None:
    files = {
        "content": ("photo.jpg", encode.jpeg(skimage.data.coffee()), "image/jpeg"),
        "style": ("painting.png", encode.png(skimage.data.astronaut()), "image/png"),
    }
    with served(clients.settings) as web:
        met = bring(web.address, files, rate=RATE, seconds=SECONDS, owners=30)
        peak = web.peak
        assert httpx2.get(f"{web.address}/healthz").status_code == 200
    assert sum(met.answers.values()) == RATE * SECONDS
    assert set(met.answers) <= {202, 429, 503}, met.answers
    assert met.answers[202] > 0
    # `make soak` holds it to a second each, on a machine that does nothing else.
    assert not met.refused or percentile(met.refused, 0.5) < 1.0
    assert percentile(met.pages, 0.5) < 1.0
    assert peak < 300e6
    with clients.database.read() as session:
        rows = {(kind, state): count for kind, state, count in repository.count_states(session)}
    assert rows == {(STYLIZE, State.QUEUED): met.answers[202]}
