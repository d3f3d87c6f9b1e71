"""The JSON API: changing one's mind about a job, while it is painted and afterwards."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from app.core.errors import InputError, TooLarge
from app.core.specs import StyleParams
from app.core.steering import STEERABLE
from app.jobs.going_on import MORE
from app.web.deps import OwnerDep, ServicesDep
from app.web.error_handlers import Problem
from app.web.routes.api_jobs import ENDED, PROBLEMS
from app.web.routes.api_models import Accepted, JobDetail, accepted, detail

LIMITS: dict[int | str, dict[str, Any]] = {429: {"model": Problem, "description": "Too many jobs; try again after `Retry-After` seconds."}}
CHANGES = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        **{name: StyleParams.model_json_schema()["properties"][name] for name in STEERABLE},
        "weights": {"type": "array", "items": {"type": "number"}, "description": "Of the paintings, in their order."},
    },
    "example": {"strength": 2.5, "content_weight": 0.8},
}

# Many times what every name with a value takes.
_MOST_BYTES = 16_000
_MOST_NAMES = 40
_MOST_OF_A_NAME = 40
_WANTED = 'Send a JSON object of names and values, such as {"strength": 2.5}.'

router = APIRouter(prefix="/api/jobs/{job_id}", tags=["jobs"])


@router.post(
    "/pause",
    status_code=202,
    summary="Pause",
    response_description="It is paused, or will be within a step.",
    responses={**PROBLEMS, **ENDED},
)
def pause(job_id: str, owner: OwnerDep, services: ServicesDep) -> JobDetail:
    """The job becomes `paused`: it holds no worker, outlives a restart, and goes on from its very last step."""
    return detail(services.jobs.pause(owner, job_id))


@router.post(
    "/resume",
    status_code=202,
    summary="Go on after a pause",
    response_description="It waits for its turn.",
    responses={**PROBLEMS, **ENDED, **LIMITS},
)
def resume(job_id: str, owner: OwnerDep, services: ServicesDep) -> JobDetail:
    return detail(services.jobs.resume(owner, job_id))


async def _changes(job_id: str, request: Request, owner: OwnerDep, services: ServicesDep) -> dict[str, Any]:
    """Read what is wanted, of the job's owner alone."""
    await run_in_threadpool(services.jobs.get, owner, job_id)
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > _MOST_BYTES:
            raise TooLarge(f"Changes are at most {_MOST_BYTES} bytes of JSON. Send only the names whose values change.")
    return _read(bytes(received))


def _read(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a body; an empty one asks for nothing."""
    try:
        wanted = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise InputError(f"{_WANTED} Received: {body[:_MOST_OF_A_NAME]!r}.") from error
    if not isinstance(wanted, dict):
        raise InputError(f"{_WANTED} Received: {body[:_MOST_OF_A_NAME]!r}.")
    if len(wanted) > _MOST_NAMES:
        raise InputError(f"At most {_MOST_NAMES} names can be given at once. Received: {len(wanted)}.")
    return {name if len(name) <= _MOST_OF_A_NAME else f"{name[:_MOST_OF_A_NAME]}…": value for name, value in wanted.items()}


@router.patch(
    "",
    summary="Change the balance during the run",
    response_description="The job with its new parameters; the painter follows within an iteration.",
    responses={
        **PROBLEMS,
        **ENDED,
        413: {"model": Problem, "description": "The body is longer than any change."},
        422: {"model": Problem, "description": "A value is out of range, or cannot be changed during a run."},
    },
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": CHANGES}}}},
)
def change(job_id: str, owner: OwnerDep, services: ServicesDep, wanted: Annotated[dict[str, Any], Depends(_changes)]) -> JobDetail:
    """Weights of the objective only. What was changed at which iteration stands in the events, in `changes`, and in the receipt."""
    return detail(services.jobs.change(owner, job_id, wanted))


@router.post(
    "/more",
    status_code=202,
    summary="Paint on from the result",
    response_description="A new job; this one and its result stay.",
    responses={
        **PROBLEMS,
        **ENDED,
        **LIMITS,
        422: {"model": Problem, "description": "More iterations than a picture of its size takes at once."},
    },
)
def more(
    job_id: str,
    response: Response,
    owner: OwnerDep,
    services: ServicesDep,
    iterations: Annotated[int, Query(ge=1, le=5000, description="How many more, at the size it has; at most 500 above 724 pixels.")] = MORE,
) -> Accepted:
    return _continued(response, accepted(services.jobs.more(owner, job_id, iterations)))


@router.post(
    "/larger",
    status_code=202,
    summary="Paint the result larger",
    response_description="A new job at twice the size, or the largest; this one and its result stay.",
    responses={**PROBLEMS, **ENDED, **LIMITS},
)
def larger(job_id: str, response: Response, owner: OwnerDep, services: ServicesDep) -> Accepted:
    """Begins from this job's result, so that only the new scales are worked on."""
    return _continued(response, accepted(services.jobs.larger(owner, job_id)))


def _continued(response: Response, answer: Accepted) -> Accepted:
    response.headers["Location"] = answer.links.self
    return answer
