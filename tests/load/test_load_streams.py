"""Two hundred people watch one picture being painted."""

from __future__ import annotations

import httpx2

from app.infra.clients import Clients
from tests.load.served import served
from tests.load.watchers import percentile, watch
from tests.web.conftest import two_pictures

COUNT = 200


def test_two_hundred_clients_hear_of_each_step_at_once_and_of_the_end(clients: Clients) -> None:
    settings = clients.settings.model_copy(update={"max_streams": 2 * COUNT})
    with served(settings) as web, httpx2.Client(base_url=web.address, timeout=60) as visitor:
        answer = visitor.post("/api/jobs", files=two_pictures(), data={"size": "64"})
        assert answer.status_code == 202, answer.text
        seen = watch(clients, answer.json()["id"], web.address, dict(visitor.cookies), count=COUNT, events=20, rate=2.0)
        peak = web.peak
    assert seen.ended == ["done"] * COUNT
    assert seen.reconnected == len(range(0, COUNT, 3))
    assert len(seen.delays) > 15 * COUNT
    # `make soak` holds the 95th percentile to half a second, on a machine that does nothing else.
    assert percentile(seen.delays, 0.5) < 0.5
    assert peak < 300e6
