"""The JSON API of verdicts: on a picture given alone, and on a finished job."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from app.core.errors import NotFound
from app.core.verdicts import Verdict
from app.jobs import pictures
from app.jobs.verdict_events import VerdictEvent
from app.jobs.verdict_service import verdict_in
from app.web import sse, stored_file
from app.web.audience import FollowerDep
from app.web.deps import OwnerDep, ServicesDep, VisitorDep
from app.web.error_handlers import Problem
from app.web.received import VerdictFormDep
from app.web.routes.api_files import CACHED, TYPES
from app.web.routes.api_jobs import ENDED, PROBLEMS
from app.web.routes.upload_schema import picture_body
from app.web.routes.verdict_models import VerdictAccepted, VerdictDetail, VerdictList, accepted, detail

router = APIRouter(prefix="/api", tags=["verdicts"])

_NAMES = (pictures.input_name(pictures.ALONE), pictures.thumbnail_name(pictures.ALONE))


@router.post(
    "/verdicts",
    status_code=202,
    summary="Ask whether a picture is original or stylised",
    response_description="The verdict waits. A newcomer's answer sets the cookie by which it is theirs: send it with every later request.",
    responses={
        413: {"model": Problem, "description": "The file is too large."},
        422: {"model": Problem, "description": "Not a picture that can be read."},
        429: {"model": Problem, "description": "Too many pictures are waiting; try again after `Retry-After` seconds."},
    },
    openapi_extra={"requestBody": picture_body()},
)
def create(response: Response, form: VerdictFormDep, visitor: VisitorDep, services: ServicesDep) -> VerdictAccepted:
    """Send one picture as a file, or name a sample."""
    try:
        row = services.desk.submit(form, visitor.owner)
    finally:
        form.close()
    visitor.remember(response, services)
    answer = accepted(row)
    response.headers["Location"] = answer.links.self
    return answer


@router.get("/verdicts", summary="List your verdicts", response_description="Newest first; empty without the cookie.")
def list_verdicts(
    visitor: VisitorDep,
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=200, description="How many at most.")] = 50,
    before: Annotated[float | None, Query(description="Only verdicts asked for before this moment, in seconds since 1970.")] = None,
) -> VerdictList:
    """Those on pictures given alone; a job's verdict is found at the job."""
    rows = services.verdicts.history(visitor.owner, limit + 1, before)
    older = f"/api/verdicts?limit={limit}&before={rows[limit - 1].created_at!r}" if len(rows) > limit else None
    return VerdictList(verdicts=[detail(row) for row in rows[:limit]], older=older)


@router.get("/verdicts/{verdict_id}", summary="Look at a verdict", response_description="The verdict as it is now.", responses=PROBLEMS)
def read(verdict_id: str, owner: OwnerDep, services: ServicesDep) -> VerdictDetail:
    return detail(services.verdicts.get(owner, verdict_id), services.verdicts.event(owner, verdict_id))


@router.get(
    "/verdicts/{verdict_id}/events",
    summary="Watch a verdict",
    response_class=StreamingResponse,
    responses={
        **PROBLEMS,
        200: {
            "description": "Server-sent events. Each `data:` is a whole VerdictEvent; the last has the state done, failed or cancelled. "
            "Send the newest `id:` as `Last-Event-ID` to go on after it.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
    },
)
async def events(
    verdict_id: str,
    request: Request,
    owner: FollowerDep,
    services: ServicesDep,
    last_event_id: Annotated[str | None, Header(description="Id of the newest event received.")] = None,
) -> Response:
    await run_in_threadpool(services.verdicts.get, owner, verdict_id)
    follower = sse.Follower(verdict_id, VerdictEvent, lambda: services.verdicts.event(owner, verdict_id), services.reader, services.closing)
    return sse.stream(sse.as_json(follower.follow(last_event_id)))


@router.head("/verdicts/{verdict_id}/report", include_in_schema=False)
@router.get(
    "/verdicts/{verdict_id}/report",
    summary="Download a verdict",
    response_description="What was said, as a file.",
    responses={**PROBLEMS, **ENDED},
)
def report(verdict_id: str, response: Response, owner: OwnerDep, services: ServicesDep) -> Verdict:
    """Probability, decision and evidence of each picture: the cells and the bias add up to the logit."""
    said = verdict_in(services.verdicts.get(owner, verdict_id))
    response.headers["Content-Disposition"] = f'attachment; filename="pentimento-verdict-{verdict_id[:8]}.json"'
    return said


@router.head("/verdicts/{verdict_id}/pictures/{name}", include_in_schema=False)
@router.get(
    "/verdicts/{verdict_id}/pictures/{name}",
    summary="Show the picture that was given",
    response_class=Response,
    responses={
        **PROBLEMS,
        200: {
            "description": "The picture, or its thumbnail.",
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in TYPES.values()},
        },
    },
)
def picture(verdict_id: str, name: str, owner: OwnerDep, services: ServicesDep) -> Response:
    if name not in _NAMES:
        raise NotFound("There is no picture of that name.")
    opened = services.blobs.open(services.verdicts.picture_key(owner, verdict_id, name))
    return stored_file.answer(opened, TYPES[PurePath(name).suffix], {"Cache-Control": CACHED})


@router.post(
    "/verdicts/{verdict_id}/again",
    status_code=202,
    summary="Try a verdict again",
    response_description="It waits once more.",
    responses={**PROBLEMS, **ENDED},
)
def again(verdict_id: str, owner: OwnerDep, services: ServicesDep) -> VerdictDetail:
    """For one that failed or was cancelled."""
    return detail(services.verdicts.again(owner, verdict_id))


@router.delete("/verdicts/{verdict_id}", summary="Delete a verdict", response_description="The verdict as it was.", responses=PROBLEMS)
def delete(verdict_id: str, owner: OwnerDep, services: ServicesDep) -> VerdictDetail:
    """Removes the verdict, and the picture if it was given alone; for some minutes `restore` brings them back."""
    return detail(services.verdicts.delete(owner, verdict_id))


@router.post(
    "/verdicts/{verdict_id}/restore",
    summary="Bring a deleted verdict back",
    response_description="The verdict is back.",
    responses=PROBLEMS,
)
def restore(verdict_id: str, owner: OwnerDep, services: ServicesDep) -> VerdictDetail:
    return detail(services.verdicts.restore(owner, verdict_id))


@router.get(
    "/jobs/{job_id}/verdict",
    summary="Look at a job's verdict",
    response_description="The verdict on content, style, result and the frames of the run.",
    responses={**PROBLEMS, **ENDED},
)
def of_job(job_id: str, owner: OwnerDep, services: ServicesDep) -> VerdictDetail:
    """It is queued when the picture is finished; `links.report` is what was said, as a file."""
    row = services.verdicts.of_job(owner, job_id)
    return detail(row, services.verdicts.event(owner, row.id))


@router.post(
    "/jobs/{job_id}/verdict",
    status_code=202,
    summary="Ask for a job's verdict",
    response_description="The verdict, which waits if it has not been given.",
    responses={**PROBLEMS, **ENDED},
)
def ask(job_id: str, owner: OwnerDep, services: ServicesDep) -> VerdictDetail:
    """For a picture that has none, or whose verdict failed; one that was given stays as it is."""
    row = services.verdicts.ask(owner, job_id)
    return detail(row, services.verdicts.event(owner, row.id))
