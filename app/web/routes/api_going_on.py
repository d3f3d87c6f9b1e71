"""The JSON API: changing one's mind about a job, while it is painted and afterwards."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Response

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


@router.patch(
    "",
    summary="Change the balance during the run",
    response_description="The job with its new parameters; the painter follows within an iteration.",
    responses={**PROBLEMS, **ENDED, 422: {"model": Problem, "description": "A value is out of range, or cannot be changed during a run."}},
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": CHANGES}}}},
)
def change(job_id: str, owner: OwnerDep, services: ServicesDep, wanted: Annotated[dict[str, Any] | None, Body()] = None) -> JobDetail:
    """Weights of the objective only. What was changed at which iteration stands in the events, in `changes`, and in the receipt."""
    return detail(services.jobs.change(owner, job_id, wanted or {}))


@router.post(
    "/more",
    status_code=202,
    summary="Paint on from the result",
    response_description="A new job; this one and its result stay.",
    responses={**PROBLEMS, **ENDED, **LIMITS},
)
def more(
    job_id: str,
    response: Response,
    owner: OwnerDep,
    services: ServicesDep,
    iterations: Annotated[int, Query(ge=1, le=5000, description="How many more, at the size it has.")] = MORE,
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
