"""Any study's page, live: all of it when its look changes, otherwise only what moved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.responses import StreamingResponse

from app.lab.experiment_events import ExperimentEvent
from app.web import sse
from app.web.deps import Services
from app.web.render import render
from app.web.study import Study


def follow(services: Services, owner: str, study: Study[Any], whole: Callable[[], Study[Any]]) -> StreamingResponse:
    """Return the stream of a study's page.

    Args:
        study: as its row tells it.
        whole: reads it again, with its report once there is one.
    """
    follower = sse.Follower(
        study.id, ExperimentEvent, lambda: services.experiments.event(owner, study.id), services.reader, services.closing
    )
    return sse.stream(
        sse.as_parts(
            follower,
            study,
            whole=lambda study: sse.message(render(study.BODY, study=study), event="study"),
            moved=lambda _, study: (sse.message(render(partial, study=study), event=event) for event, partial in study.MOVING.items()),
            anew=lambda _: whole(),
        )
    )
