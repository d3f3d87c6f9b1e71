"""Which queues a worker takes, and what it becomes."""

from __future__ import annotations

import time

import pytest
import redis

from app.core.config import Settings
from app.core.errors import InputError
from app.infra import presence
from app.local.commands import queues_of, worker_command
from app.local.health import worker_is_ready


def test_a_worker_takes_all_queues_or_those_named() -> None:
    assert queues_of(None) == ["stylize", "verdict", "experiment"]
    assert queues_of("verdict, stylize") == ["verdict", "stylize"]
    command = worker_command(2, ["verdict", "stylize"])
    assert command[command.index("--queues") + 1] == "verdict,stylize"
    assert command[command.index("--concurrency") + 1] == "2"


@pytest.mark.parametrize("text", ["", "paint", "stylize,paint"])
def test_other_queues_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=rf"Queues are stylize, verdict, experiment.*Received: '{text}'"):
        queues_of(text)


def test_a_machine_s_health_is_told_by_queue(settings: Settings, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "here")
    assert not worker_is_ready(settings)
    for host, queues in (("here", ["stylize"]), ("there", ["verdict"])):
        presence.announce(redis_client, presence.Worker(hostname=host, pid=1, queues=queues, at=time.time()))
    assert worker_is_ready(settings)
    assert worker_is_ready(settings, ["stylize"])
    assert not worker_is_ready(settings, ["stylize", "verdict"])
