"""Datasets as pages: made, watched as they fill, looked at, cancelled, resumed, deleted, brought back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from app.core.errors import PentimentoError
from app.core.experiments import EXPERIMENT_PRESETS
from app.jobs.models import State
from app.lab.measured import seconds_a_picture
from app.lab.models import LABELLED
from app.lab.schemas import AT_REST, DatasetEvent
from app.web import sse
from app.web.audience import FollowerDep
from app.web.dataset_fields import DatasetForm, refused
from app.web.dataset_picture import picture_of
from app.web.dataset_view import Cell, DatasetView, changed, view
from app.web.deps import OwnerDep, Services, ServicesDep, VisitorDep
from app.web.error_handlers import retry_headers
from app.web.received import DatasetFormDep
from app.web.render import page, render
from app.web.routes.page_hypotheses import asking
from app.web.study_view import StudyView, study_view
from app.web.uploads import FormLimits
from app.web.watching import watch

router = APIRouter(prefix="/lab/datasets", include_in_schema=False)

_OFFERED = 24
# Experiments looked through for those on one dataset.
_EXPERIMENTS = 200


@router.post("")
def create(form: DatasetFormDep, visitor: VisitorDep, services: ServicesDep) -> Response:
    try:
        dataset = services.dataset_desk.submit(form, visitor.owner)
    except PentimentoError as error:
        if form.fields.get("kind") == LABELLED:
            # Such a dataset is sent from the hypothesis's page, whose only field for it is the archive.
            rejected = asking(services, visitor.owner, services.hypothesis_desk.refused(form, error), error.status)
        else:
            made = _fields(services, visitor.owner)
            rejected = _form(services, refused(form, error, made.jobs, made.measured), error.status)
        rejected.headers.update(retry_headers(error))
        return rejected
    finally:
        form.close()
    answer = RedirectResponse(f"/lab/datasets/{dataset.id}", 303)
    visitor.remember(answer, services)
    return answer


@router.head("/new")
@router.get("/new")
def new(visitor: VisitorDep, services: ServicesDep) -> HTMLResponse:
    answer = _form(services, _fields(services, visitor.owner))
    visitor.remember(answer, services)
    return answer


@router.head("/{dataset_id}")
@router.get("/{dataset_id}")
def show(dataset_id: str, owner: OwnerDep, services: ServicesDep, first: Annotated[int, Query(ge=0)] = 0) -> HTMLResponse:
    dataset = _whole(services, owner, dataset_id, first)
    return page("pages/dataset.html", dataset=dataset, experiments=_experiments_on(services, owner, dataset_id), presets=EXPERIMENT_PRESETS)


@router.get("/{dataset_id}/stream")
async def stream(dataset_id: str, owner: FollowerDep, services: ServicesDep, first: Annotated[int, Query(ge=0)] = 0) -> Response:
    await run_in_threadpool(services.datasets.get, owner, dataset_id)
    return sse.stream(_parts(services, owner, dataset_id, first))


async def _parts(services: Services, owner: str, dataset_id: str, first: int) -> AsyncIterator[str]:
    """Yield parts of the page: all of it when its look changes, the grid when its shape does, otherwise only what moved."""

    def at_rest(event: DatasetEvent) -> bool:
        return event.state in AT_REST

    before: DatasetView | None = None
    cells: dict[int, Cell] = {}
    async for event in watch(lambda: services.datasets.event(owner, dataset_id), at_rest, services.closing):
        if event is None:
            yield sse.KEEP_ALIVE
            continue
        # Its pictures are many: they are read only when one of them can have changed.
        if before is None or event.stylised != before.event.stylised or at_rest(event):
            shown = await run_in_threadpool(_whole, services, owner, dataset_id, first)
        else:
            shown = before.now(event)
        if before is None or shown.look != before.look:
            yield sse.message(render("partials/_dataset_body.html", dataset=shown, presets=EXPERIMENT_PRESETS), event="dataset")
        elif shown.live:
            yield sse.message(render("partials/_dataset_figures.html", dataset=shown), event="figures")
        if before is None or shown.shape != before.shape:
            yield sse.message(render("partials/_dataset_grid.html", dataset=shown), event="grid")
        fresh = changed(cells, shown)
        if fresh:
            yield sse.message(render("partials/_dataset_cells.html", cells=fresh), event="cells")
            cells.update((one.number, one) for one in fresh)
        before = shown
        if not shown.live:
            yield sse.message("", event="ended")
            return
    yield sse.message("", event="ended")


@router.head("/{dataset_id}/pictures/{number}")
@router.get("/{dataset_id}/pictures/{number}")
def picture(dataset_id: str, number: int, owner: OwnerDep, services: ServicesDep) -> HTMLResponse:
    dataset = _whole(services, owner, dataset_id, 0)
    return page("pages/dataset_picture.html", dataset=dataset, picture=picture_of(dataset, number))


@router.post("/{dataset_id}/cancel")
def cancel(dataset_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    services.datasets.cancel(owner, dataset_id)
    return RedirectResponse(f"/lab/datasets/{dataset_id}", 303)


@router.post("/{dataset_id}/resume")
def resume(dataset_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    services.datasets.resume(owner, dataset_id)
    return RedirectResponse(f"/lab/datasets/{dataset_id}", 303)


@router.post("/{dataset_id}/delete")
def delete(dataset_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    services.datasets.delete(owner, dataset_id)
    return RedirectResponse(f"/lab?deleted={dataset_id}", 303)


@router.post("/{dataset_id}/restore")
def restore(dataset_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    services.datasets.restore(owner, dataset_id)
    return RedirectResponse(f"/lab/datasets/{dataset_id}", 303)


def _whole(services: Services, owner: str, dataset_id: str, first: int) -> DatasetView:
    return view(services.datasets.detail(owner, dataset_id), services.datasets.pictures(owner, dataset_id), first)


def _experiments_on(services: Services, owner: str, dataset_id: str) -> list[StudyView]:
    jobs = services.experiments.history(owner, _EXPERIMENTS)
    return [study_view(job) for job in jobs if job.inputs["dataset"]["id"] == dataset_id]


def _fields(services: Services, owner: str) -> DatasetForm:
    jobs = [job for job in services.jobs.history(owner, _OFFERED) if job.state == State.DONE and job.result]
    with services.database.read() as session:
        return DatasetForm(jobs=jobs, measured=seconds_a_picture(session))


def _form(services: Services, form: DatasetForm, status: int = 200) -> HTMLResponse:
    settings = services.settings
    limits: dict[str, Any] = {
        "file": f"{settings.max_upload_mb:g}",
        "bytes": settings.max_upload_bytes,
        "archive": f"{settings.max_archive_mb:g}",
        "files": FormLimits.for_dataset(settings.max_archive_bytes).files,
        "pictures": settings.max_dataset_pictures,
    }
    return page("pages/dataset_new.html", status, form=form, samples=services.samples, limits=limits)
