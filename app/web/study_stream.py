"""Any study's page, live: all of it when its look changes, otherwise only what moved."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from app.core.errors import PentimentoError
from app.lab.experiment_events import ExperimentEvent
from app.web import sse
from app.web.deps import Services
from app.web.render import render
from app.web.study import Study


def follow(services: Services, owner: str, study: Study[Any], whole: Callable[[], Study[Any]]) -> StreamingResponse:
    """Return the stream of a study's page.

    Args:
        study: as its row tells it.
        whole: reads it again, with its report; asked once it has ended.
    """
    follower = sse.Follower(
        study.id, ExperimentEvent, lambda: services.experiments.event(owner, study.id), services.reader, services.closing
    )
    return sse.stream(_parts(study, whole, follower))


async def _parts(study: Study[Any], whole: Callable[[], Study[Any]], follower: sse.Follower[ExperimentEvent]) -> AsyncIterator[str]:
    look: str | None = None
    async for sight in follower.follow():
        if sight.event is None:
            yield sse.KEEP_ALIVE
            continue
        study = study.shown(sight.event)
        if not study.live:
            study = await run_in_threadpool(_ended, study, whole)
        if study.look != look:
            yield sse.message(render(study.BODY, study=study), event="study")
        else:
            for event, partial in study.MOVING.items():
                yield sse.message(render(partial, study=study), event=event)
        look = study.look
        if not study.live:
            yield sse.message("", event="ended")


def _ended(study: Study[Any], whole: Callable[[], Study[Any]]) -> Study[Any]:
    """Return the study with what its worker wrote at the end; as it was, where it has been deleted."""
    try:
        return whole()
    except PentimentoError:
        return study
