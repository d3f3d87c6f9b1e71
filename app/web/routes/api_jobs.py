"""The JSON API: making jobs, watching them, ending them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from app.jobs.job_events import JobEvent
from app.web import sse
from app.web.audience import FollowerDep
from app.web.deps import OwnerDep, ServicesDep, VisitorDep
from app.web.error_handlers import Problem
from app.web.received import JobFormDep
from app.web.routes.api_models import Accepted, JobDetail, JobList, accepted, detail
from app.web.routes.upload_schema import request_body

PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is no such job, or it is not yours."},
}
ENDED: dict[int | str, dict[str, Any]] = {409: {"model": Problem, "description": "The job's state does not allow this."}}

router = APIRouter(prefix="/api/jobs", tags=["jobs"])


@router.post(
    "",
    status_code=202,
    summary="Make a job",
    response_description="The job waits. A newcomer's answer sets the cookie by which its jobs are theirs: send it with every later request.",
    responses={
        413: {"model": Problem, "description": "A file is too large."},
        422: {"model": Problem, "description": "A picture or a parameter is wrong; `errors` names each field."},
        429: {"model": Problem, "description": "Too many jobs; try again after `Retry-After` seconds."},
    },
    openapi_extra={"requestBody": request_body()},
)
def create(response: Response, form: JobFormDep, visitor: VisitorDep, services: ServicesDep) -> Accepted:
    """Send a photograph and a painting, or name samples, and any parameters that differ from the preset's."""
    try:
        job = services.reception.submit(form, visitor.owner, visitor.newcomer)
    finally:
        form.close()
    visitor.remember(response, services)
    answer = accepted(job)
    response.headers["Location"] = answer.links.self
    return answer


@router.get("", summary="List your jobs", response_description="Newest first; empty without the cookie.")
def list_jobs(
    visitor: VisitorDep,
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=200, description="How many at most.")] = 50,
    before: Annotated[float | None, Query(description="Only jobs made before this moment, in seconds since 1970.")] = None,
) -> JobList:
    jobs = services.jobs.history(visitor.owner, limit + 1, before)
    older = f"/api/jobs?limit={limit}&before={jobs[limit - 1].created_at!r}" if len(jobs) > limit else None
    return JobList(jobs=[detail(job) for job in jobs[:limit]], older=older)


@router.get("/{job_id}", summary="Look at a job", response_description="The job as it is now.", responses=PROBLEMS)
def read(job_id: str, owner: OwnerDep, services: ServicesDep) -> JobDetail:
    return detail(services.jobs.get(owner, job_id), services.jobs.event(owner, job_id), services.jobs.continued_in(owner, job_id))


@router.get(
    "/{job_id}/events",
    summary="Watch a job",
    response_class=StreamingResponse,
    responses={
        **PROBLEMS,
        200: {
            "description": "Server-sent events. Each `data:` is a whole JobEvent; the last has the state done, failed or cancelled. "
            "Send the newest `id:` as `Last-Event-ID` to go on after it.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
    },
)
async def events(
    job_id: str,
    request: Request,
    owner: FollowerDep,
    services: ServicesDep,
    last_event_id: Annotated[str | None, Header(description="Id of the newest event received.")] = None,
) -> Response:
    await run_in_threadpool(services.jobs.get, owner, job_id)
    follower = sse.Follower(job_id, JobEvent, lambda: services.jobs.event(owner, job_id), services.reader, services.closing)
    return sse.stream(sse.as_json(follower.follow(last_event_id)))


@router.post(
    "/{job_id}/stop",
    status_code=202,
    summary="Stop and keep the picture",
    response_description="It was asked for and happens within a step.",
    responses={**PROBLEMS, **ENDED},
)
def stop(job_id: str, owner: OwnerDep, services: ServicesDep) -> JobDetail:
    """The job ends as `done` with `stopped_early`; its result is the best picture so far."""
    return detail(services.jobs.stop(owner, job_id))


@router.post(
    "/{job_id}/cancel",
    status_code=202,
    summary="Cancel",
    response_description="It was asked for and happens within a step.",
    responses={**PROBLEMS, **ENDED},
)
def cancel(job_id: str, owner: OwnerDep, services: ServicesDep) -> JobDetail:
    """The job ends as `cancelled`; a picture that was there by then can still be fetched."""
    return detail(services.jobs.cancel(owner, job_id))


@router.delete("/{job_id}", summary="Delete a job", response_description="The job as it was.", responses=PROBLEMS)
def delete(job_id: str, owner: OwnerDep, services: ServicesDep) -> JobDetail:
    """Removes the job and its pictures; for some minutes `restore` brings them back."""
    return detail(services.jobs.delete(owner, job_id))


@router.post("/{job_id}/restore", summary="Bring a deleted job back", response_description="The job is back.", responses=PROBLEMS)
def restore(job_id: str, owner: OwnerDep, services: ServicesDep) -> JobDetail:
    return detail(services.jobs.restore(owner, job_id))
