"""A worker without Celery."""

from __future__ import annotations

import dataclasses

import pytest

from app.infra.clients import Clients
from workers.runtime.life import Runtime


@pytest.fixture
def runtime(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """A worker that stores its state at each step and looks at the row at each step."""
    monkeypatch.setattr("workers.runtime.life._LOOK_EVERY_SECONDS", 0.0)
    quick = clients.settings.model_copy(
        update={"heartbeat_seconds": 0.05, "lease_seconds": 2.0, "preview_seconds": 0.0, "checkpoint_seconds": 0.0}
    )
    return Runtime(dataclasses.replace(clients, settings=quick))
