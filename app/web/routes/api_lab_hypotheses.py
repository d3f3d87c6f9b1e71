"""The JSON API of the hypothesis: does style transfer with contrastive learning make classification better?"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from app.core.hypothesis import HypothesisReport, HypothesisSpec
from app.lab import hypothesis_files, hypothesis_page
from app.web.deps import OwnerDep, ServicesDep
from app.web.error_handlers import Problem
from app.web.hypothesis_form import PART_TITLES
from app.web.received import HypothesisFormDep
from app.web.routes.api_jobs import ENDED, PROBLEMS
from app.web.routes.lab_models import ExperimentAccepted, ExperimentDetail, accepted, experiment_detail

router = APIRouter(prefix="/api/lab/hypotheses", tags=["hypotheses"])


def _body() -> dict[str, Any]:
    file, name = {"type": "string", "format": "binary"}, {"type": "string"}
    properties: dict[str, Any] = {"dataset": {**name, "description": "Id of a dataset of labelled folders."}}
    for part, title in PART_TITLES.items():
        properties[part] = {"type": "array", "items": file, "description": f"{title}: JPEG, PNG or WebP."}
        properties[f"{part}_sample"] = {
            "type": "array",
            "items": name,
            "description": f"{title}: names of samples. Without any style every second sample is kept for the test.",
        }
    properties.update(HypothesisSpec.model_json_schema()["properties"])
    return {"required": True, "content": {"multipart/form-data": {"schema": {"type": "object", "properties": properties}}}}


@router.post(
    "",
    status_code=202,
    summary="Test the hypothesis",
    response_description="The study waits.",
    responses={
        **PROBLEMS,
        409: {"model": Problem, "description": "The dataset's pictures are still being taken in."},
        422: {"model": Problem, "description": "A style or a parameter is wrong; each field is named."},
        429: {"model": Problem, "description": "Too many experiments are waiting; try again after `Retry-After` seconds."},
    },
    openapi_extra={"requestBody": _body()},
)
def create(response: Response, owner: OwnerDep, form: HypothesisFormDep, services: ServicesDep) -> ExperimentAccepted:
    """Nine ways of training on labelled pictures, each with the same budget. It is watched, stopped and deleted as an experiment is."""
    try:
        answer = accepted(services.hypothesis_desk.submit(form, owner))
    finally:
        form.close()
    response.headers["Location"] = answer.links.self
    return answer


@router.get("/{study_id}", summary="Look at a study", response_description="The study as it is now.", responses=PROBLEMS)
def read(study_id: str, owner: OwnerDep, services: ServicesDep) -> ExperimentDetail:
    return experiment_detail(services.hypotheses.study(owner, study_id), services.hypotheses.event(owner, study_id))


@router.head("/{study_id}/report.json", include_in_schema=False)
@router.get(
    "/{study_id}/report.json",
    summary="Download the grid as JSON",
    response_model=HypothesisReport,
    response_description="Everything that was measured.",
    responses={**PROBLEMS, **ENDED},
)
def report_json(study_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    return _file(hypothesis_files.to_json(services.hypotheses.grid(owner, study_id)), "application/json", study_id, "json")


@router.head("/{study_id}/report.html", include_in_schema=False)
@router.get(
    "/{study_id}/report.html",
    summary="Download the grid as a page",
    response_class=HTMLResponse,
    response_description="One file that needs nothing else.",
    responses={**PROBLEMS, **ENDED},
)
def report_html(study_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    job = services.hypotheses.study(owner, study_id)
    page = hypothesis_page.html(services.hypotheses.grid(owner, study_id), title=f"Does it help? {job.inputs['dataset']['name']}")
    return _file(page.encode(), "text/html; charset=utf-8", study_id, "html")


@router.head("/{study_id}/report.csv", include_in_schema=False)
@router.get(
    "/{study_id}/report.csv",
    summary="Download the grid as a table",
    response_class=Response,
    responses={
        **PROBLEMS,
        **ENDED,
        200: {"description": "One row for each figure.", "content": {"text/csv": {"schema": {"type": "string"}}}},
    },
)
def report_csv(study_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    return _file(hypothesis_files.grid_csv(services.hypotheses.grid(owner, study_id)), "text/csv", study_id, "csv")


def _file(data: bytes, kind: str, study_id: str, suffix: str) -> Response:
    name = f"pentimento-hypothesis-{study_id[:8]}.{suffix}"
    return Response(data, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
