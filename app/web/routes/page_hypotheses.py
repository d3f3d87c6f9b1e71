"""The hypothesis as pages: asked on labelled pictures, watched, and read as a grid."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from app.core.errors import InputError, NotFound, NotReady, PentimentoError
from app.lab.experiment_events import ExperimentEvent
from app.web import sse
from app.web.dataset_view import view as dataset_view
from app.web.deps import DatasetFormDep, OwnerDep, Services, ServicesDep, VisitorDep
from app.web.error_handlers import retry_headers
from app.web.hypothesis_form import PART_TITLES, HypothesisForm
from app.web.hypothesis_view import HypothesisStudy, view
from app.web.render import page, render

router = APIRouter(prefix="/lab/hypotheses", include_in_schema=False)

_LISTED = 200


@router.post("")
def create(form: DatasetFormDep, visitor: VisitorDep, services: ServicesDep) -> Response:
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
    event = services.hypotheses.event(owner, study_id)
    return page("pages/hypothesis.html", study=_with_report(services, owner, study_id, event))


@router.get("/{study_id}/stream")
async def stream(study_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    job = await run_in_threadpool(services.hypotheses.study, owner, study_id)
    follower = sse.Follower(
        study_id, ExperimentEvent, lambda: services.hypotheses.event(owner, study_id), services.reader, services.closing
    )
    return sse.stream(_parts(services, owner, view(job), follower))


async def _parts(services: Services, owner: str, shown: HypothesisStudy, follower: sse.Follower[ExperimentEvent]) -> AsyncIterator[str]:
    """Yield parts of the page: all of it when its look changes, otherwise only what moved."""
    look: str | None = None
    async for sight in follower.follow():
        if sight.event is None:
            yield sse.KEEP_ALIVE
            continue
        shown = shown.shown(sight.event)
        if not shown.live:
            shown = await run_in_threadpool(_ended, services, owner, shown)
        if shown.look != look:
            yield sse.message(render("partials/_hypothesis_body.html", study=shown), event="study")
        else:
            yield sse.message(render("partials/_study_figures.html", study=shown), event="figures")
        look = shown.look
        if not shown.live:
            yield sse.message("", event="ended")


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


def _with_report(services: Services, owner: str, study_id: str, event: ExperimentEvent) -> HypothesisStudy:
    job = services.hypotheses.study(owner, study_id)
    return view(job, event, services.hypotheses.grid(owner, study_id) if job.report else None)


def _ended(services: Services, owner: str, shown: HypothesisStudy) -> HypothesisStudy:
    """Return the study with what its worker wrote at the end; as it was, where it has been deleted."""
    try:
        return _with_report(services, owner, shown.id, services.hypotheses.event(owner, shown.id))
    except PentimentoError:
        return shown


def asking(services: Services, owner: str, form: HypothesisForm, status: int = 200) -> HTMLResponse:
    """Return the page on which labelled pictures are sent and a study is asked for."""
    datasets = [one for one in map(dataset_view, services.datasets.newest(owner, _LISTED)) if one.usable and one.labelled and not one.asks]
    known = {"samples": services.samples, "max_bytes": services.settings.max_upload_bytes, "archive_mb": services.settings.max_archive_mb}
    return page("pages/hypothesis_new.html", status, form=form, datasets=datasets, parts=PART_TITLES, **known)


def _to(study_id: str) -> RedirectResponse:
    return RedirectResponse(f"/lab/hypotheses/{study_id}", 303)
