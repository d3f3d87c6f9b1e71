"""The hypothesis as pages: asked on labelled pictures, watched, and read as a grid."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from app.core.errors import InputError, NotFound, NotReady
from app.web.audience import FollowerDep
from app.web.dataset_view import view as dataset_view
from app.web.deps import OwnerDep, Services, ServicesDep, VisitorDep
from app.web.error_handlers import retry_headers
from app.web.hypothesis_form import PART_TITLES, HypothesisForm
from app.web.hypothesis_view import HypothesisStudy, view
from app.web.received import HypothesisFormDep
from app.web.render import page
from app.web.study_stream import follow

router = APIRouter(prefix="/lab/hypotheses", include_in_schema=False)

_LISTED = 200


@router.post("")
def create(form: HypothesisFormDep, visitor: VisitorDep, services: ServicesDep) -> Response:
    try:
        job = services.hypothesis_desk.submit(form, visitor.owner)
    except (InputError, NotFound, NotReady) as error:
        if error.field is None:
            error.field = "dataset"
        refused = asking(services, visitor.owner, services.hypothesis_desk.state(form, error), error.status)
        refused.headers.update(retry_headers(error))
        return refused
    finally:
        form.close()
    return _to(job.id)


@router.head("/new")
@router.get("/new")
def new(visitor: VisitorDep, services: ServicesDep, dataset: Annotated[str, Query()] = "") -> HTMLResponse:
    answer = asking(services, visitor.owner, HypothesisForm(dataset, samples=services.hypothesis_desk.halves()))
    visitor.remember(answer, services)
    return answer


@router.head("/{study_id}")
@router.get("/{study_id}")
def show(study_id: str, owner: OwnerDep, services: ServicesDep) -> HTMLResponse:
    return page("pages/hypothesis.html", study=_whole(services, owner, study_id))


@router.get("/{study_id}/stream")
async def stream(study_id: str, owner: FollowerDep, services: ServicesDep) -> Response:
    job = await run_in_threadpool(services.hypotheses.study, owner, study_id)
    return follow(services, owner, view(job), lambda: _whole(services, owner, study_id))


@router.post("/{study_id}/stop")
def stop(study_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    services.hypotheses.stop(owner, study_id)
    return _to(study_id)


@router.post("/{study_id}/cancel")
def cancel(study_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    services.hypotheses.cancel(owner, study_id)
    return _to(study_id)


@router.post("/{study_id}/delete")
def delete(study_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    services.hypotheses.delete(owner, study_id)
    return RedirectResponse(f"/lab?deleted={study_id}", 303)


@router.post("/{study_id}/restore")
def restore(study_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    services.hypotheses.restore(owner, study_id)
    return _to(study_id)


def _whole(services: Services, owner: str, study_id: str) -> HypothesisStudy:
    """Return the study as it is now, with its grid once there is one."""
    event = services.hypotheses.event(owner, study_id)
    job = services.hypotheses.study(owner, study_id)
    return view(job, event, services.hypotheses.grid(owner, study_id) if job.report else None)


def asking(services: Services, owner: str, form: HypothesisForm, status: int = 200) -> HTMLResponse:
    """Return the page on which labelled pictures are sent and a study is asked for."""
    datasets = [one for one in map(dataset_view, services.datasets.newest(owner, _LISTED)) if one.usable and one.labelled and not one.asks]
    known = {"samples": services.samples, "max_bytes": services.settings.max_upload_bytes, "archive_mb": services.settings.max_archive_mb}
    return page("pages/hypothesis_new.html", status, form=form, datasets=datasets, parts=PART_TITLES, **known)


def _to(study_id: str) -> RedirectResponse:
    return RedirectResponse(f"/lab/hypotheses/{study_id}", 303)
