"""Experiments as pages: begun, watched, read, compared; and what follows from one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from app.core.errors import InputError, NotFound, NotReady
from app.lab.experiments import EVALUATION
from app.web import experiment_form
from app.web.audience import FollowerDep
from app.web.dataset_view import view as dataset_view
from app.web.deps import OwnerDep, Services, ServicesDep, VisitorDep
from app.web.error_handlers import retry_headers
from app.web.experiment_form import ExperimentForm
from app.web.experiment_view import ExperimentView, view
from app.web.received import ExperimentFormDep
from app.web.render import page
from app.web.study_stream import follow

router = APIRouter(prefix="/lab", include_in_schema=False)

_LISTED = 200


@router.post("/experiments")
def create(form: ExperimentFormDep, visitor: VisitorDep, services: ServicesDep) -> Response:
    try:
        asked = experiment_form.read(form)
        job = services.experiments.submit(visitor.owner, asked.dataset, asked.preset, asked.spec)
    except (InputError, NotFound, NotReady) as error:
        if error.field is None:
            error.field = "dataset"
        refused = _form(services, visitor.owner, experiment_form.state(form, error), error.status)
        refused.headers.update(retry_headers(error))
        return refused
    finally:
        form.close()
    return RedirectResponse(f"/lab/experiments/{job.id}", 303)


@router.head("/experiments/new")
@router.get("/experiments/new")
def new(
    visitor: VisitorDep,
    services: ServicesDep,
    dataset: Annotated[str, Query()] = "",
    again: Annotated[str | None, Query(alias="from", description="Experiment to begin from.")] = None,
) -> HTMLResponse:
    form = ExperimentForm(dataset)
    if again is not None:
        job = services.experiments.evaluation(visitor.owner, again)
        form = experiment_form.again(job.inputs["dataset"]["id"], job.preset, job.params)
    answer = _form(services, visitor.owner, form)
    visitor.remember(answer, services)
    return answer


@router.head("/experiments/{experiment_id}")
@router.get("/experiments/{experiment_id}")
def show(experiment_id: str, owner: OwnerDep, services: ServicesDep) -> HTMLResponse:
    return page("pages/experiment.html", study=_whole(services, owner, experiment_id))


@router.get("/experiments/{experiment_id}/stream")
async def stream(experiment_id: str, owner: FollowerDep, services: ServicesDep) -> Response:
    job = await run_in_threadpool(services.experiments.evaluation, owner, experiment_id)
    return follow(services, owner, view(job), lambda: _whole(services, owner, experiment_id))


@router.post("/experiments/{experiment_id}/stop")
def stop(experiment_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    services.experiments.stop(owner, experiment_id)
    return _to(experiment_id)


@router.post("/experiments/{experiment_id}/cancel")
def cancel(experiment_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    services.experiments.cancel(owner, experiment_id)
    return _to(experiment_id)


@router.post("/experiments/{experiment_id}/shuffle")
def shuffle(experiment_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    return _to(services.experiments.shuffled(owner, experiment_id).id)


@router.post("/experiments/{experiment_id}/use")
def use(experiment_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    services.detectors.keep(owner, experiment_id)
    return RedirectResponse("/lab#detectors-title", 303)


@router.post("/experiments/{experiment_id}/delete")
def delete(experiment_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    services.experiments.delete(owner, experiment_id)
    return RedirectResponse(f"/lab?deleted={experiment_id}", 303)


@router.post("/experiments/{experiment_id}/restore")
def restore(experiment_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    services.experiments.restore(owner, experiment_id)
    return _to(experiment_id)


@router.head("/compare")
@router.get("/compare")
def compare(
    owner: OwnerDep, services: ServicesDep, first: Annotated[str, Query()] = "", second: Annotated[str, Query()] = ""
) -> HTMLResponse:
    jobs = [job for job in services.experiments.history(owner, _LISTED) if job.inputs["study"] == EVALUATION]
    offered = [one for one in map(view, jobs) if one.summary]
    if not (first and second):
        return page("pages/compare.html", offered=offered, first=first, second=second, pair=(), titles=(), comparison=None)
    comparison = services.experiments.compare(owner, first, second)
    pair = tuple(view(services.experiments.evaluation(owner, one)) for one in (first, second))
    return page("pages/compare.html", offered=offered, first=first, second=second, pair=pair, titles=_apart(*pair), comparison=comparison)


def _apart(first: ExperimentView, second: ExperimentView) -> tuple[str, str]:
    """Return what two experiments are called beside each other: as short as tells them apart."""
    for titles in ((first.title, second.title), (first.label, second.label)):
        if titles[0] != titles[1]:
            return titles
    return f"{first.title} (first)", f"{second.title} (second)"


def _whole(services: Services, owner: str, experiment_id: str) -> ExperimentView:
    """Return the experiment as it is now, with its report once there is one."""
    event = services.experiments.event(owner, experiment_id)
    job = services.experiments.evaluation(owner, experiment_id)
    return view(job, event, services.experiments.report(owner, experiment_id) if event.summary else None)


def _form(services: Services, owner: str, form: ExperimentForm, status: int = 200) -> HTMLResponse:
    datasets = [one for one in map(dataset_view, services.datasets.newest(owner, _LISTED)) if one.asks]
    return page("pages/experiment_new.html", status, form=form, datasets=datasets, presets=experiment_form.presets())


def _to(experiment_id: str) -> RedirectResponse:
    return RedirectResponse(f"/lab/experiments/{experiment_id}", 303)
