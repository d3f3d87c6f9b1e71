"""The JSON API of the Lab's experiments, of comparing two, and of the detectors made from them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from app.core.experiments import EXPERIMENT_PRESETS, ExperimentPreset
from app.core.report import Report
from app.lab import report_files, report_page
from app.lab.comparison import Comparison
from app.lab.experiment_events import ExperimentEvent
from app.lab.experiment_specs import resolve
from app.web import sse
from app.web.audience import FollowerDep
from app.web.deps import OwnerDep, ServicesDep, VisitorDep
from app.web.error_handlers import Problem
from app.web.routes.api_jobs import ENDED
from app.web.routes.lab_models import (
    DetectorDetail,
    DetectorList,
    ExperimentAccepted,
    ExperimentDetail,
    ExperimentList,
    ExperimentOrder,
    accepted,
    detector_detail,
    experiment_detail,
)

ABSENT: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is no such experiment, or it is not yours."}}
REFUSED: dict[int | str, dict[str, Any]] = {422: {"model": Problem, "description": "A parameter is wrong; `errors` names each."}}

router = APIRouter(prefix="/api/lab", tags=["experiments"])


@router.get("/presets", summary="List the experiments' presets", response_description="In order of how they are offered.")
def presets() -> list[ExperimentPreset]:
    """Each with every parameter; what an order's `spec` leaves out is taken from its preset."""
    return list(EXPERIMENT_PRESETS.values())


@router.post(
    "/experiments",
    status_code=202,
    summary="Make an experiment",
    response_description="The experiment waits.",
    responses={
        404: {"model": Problem, "description": "There is no such dataset, or it is not yours."},
        **ENDED,
        **REFUSED,
        429: {"model": Problem, "description": "Too many experiments; try again after `Retry-After` seconds."},
    },
)
def create(order: ExperimentOrder, response: Response, owner: OwnerDep, services: ServicesDep) -> ExperimentAccepted:
    """Runs on what the dataset has when the experiment begins: pictures that are not made yet are left out."""
    job = services.experiments.submit(owner, order.dataset, order.preset, resolve(order.preset, order.spec))
    answer = accepted(job)
    response.headers["Location"] = answer.links.self
    return answer


@router.get("/experiments", summary="List your experiments", response_description="Newest first; empty without the cookie.")
def list_experiments(
    visitor: VisitorDep,
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=100, description="How many at most.")] = 20,
    before: Annotated[float | None, Query(description="Only experiments made before this moment, in seconds since 1970.")] = None,
) -> ExperimentList:
    jobs = services.experiments.history(visitor.owner, limit + 1, before)
    older = f"/api/lab/experiments?limit={limit}&before={jobs[limit - 1].created_at!r}" if len(jobs) > limit else None
    return ExperimentList(experiments=[experiment_detail(job) for job in jobs[:limit]], older=older)


@router.get(
    "/experiments/{experiment_id}", summary="Look at an experiment", response_description="The experiment as it is now.", responses=ABSENT
)
def read(experiment_id: str, owner: OwnerDep, services: ServicesDep) -> ExperimentDetail:
    return experiment_detail(services.experiments.get(owner, experiment_id), services.experiments.event(owner, experiment_id))


@router.get(
    "/experiments/{experiment_id}/events",
    summary="Watch an experiment",
    response_class=StreamingResponse,
    responses={
        **ABSENT,
        200: {
            "description": "Server-sent events. Each `data:` is a whole ExperimentEvent with the curves of the training that goes on; the last "
            "has the state done, failed or cancelled. Send the newest `id:` as `Last-Event-ID` to go on after it.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
    },
)
async def events(
    experiment_id: str,
    request: Request,
    owner: FollowerDep,
    services: ServicesDep,
    last_event_id: Annotated[str | None, Header(description="Id of the newest event received.")] = None,
) -> Response:
    await run_in_threadpool(services.experiments.get, owner, experiment_id)
    follower = sse.Follower(
        experiment_id, ExperimentEvent, lambda: services.experiments.event(owner, experiment_id), services.reader, services.closing
    )
    return sse.stream(sse.as_json(follower.follow(last_event_id)))


@router.post(
    "/experiments/{experiment_id}/stop",
    status_code=202,
    summary="Stop and report what is finished",
    response_description="It was asked for; the first run is finished before.",
    responses={**ABSENT, **ENDED},
)
def stop(experiment_id: str, owner: OwnerDep, services: ServicesDep) -> ExperimentDetail:
    """The experiment ends as `done` with `stopped_early`; the report says so."""
    return experiment_detail(services.experiments.stop(owner, experiment_id))


@router.post(
    "/experiments/{experiment_id}/cancel",
    status_code=202,
    summary="Cancel",
    response_description="It was asked for and happens within a step.",
    responses={**ABSENT, **ENDED},
)
def cancel(experiment_id: str, owner: OwnerDep, services: ServicesDep) -> ExperimentDetail:
    """The experiment ends as `cancelled`, without a report."""
    return experiment_detail(services.experiments.cancel(owner, experiment_id))


@router.delete(
    "/experiments/{experiment_id}", summary="Delete an experiment", response_description="The experiment as it was.", responses=ABSENT
)
def delete(experiment_id: str, owner: OwnerDep, services: ServicesDep) -> ExperimentDetail:
    """Removes the experiment and its report; for some minutes `restore` brings them back. A detector made from it stays."""
    return experiment_detail(services.experiments.delete(owner, experiment_id))


@router.post(
    "/experiments/{experiment_id}/restore",
    summary="Bring a deleted experiment back",
    response_description="The experiment is back.",
    responses=ABSENT,
)
def restore(experiment_id: str, owner: OwnerDep, services: ServicesDep) -> ExperimentDetail:
    return experiment_detail(services.experiments.restore(owner, experiment_id))


@router.post(
    "/experiments/{experiment_id}/shuffle",
    status_code=202,
    summary="Shuffle the labels",
    response_description="The same experiment with shuffled labels waits.",
    responses={**ABSENT, **ENDED},
)
def shuffle(experiment_id: str, owner: OwnerDep, services: ServicesDep) -> ExperimentAccepted:
    """An honest pipeline falls to chance."""
    return accepted(services.experiments.shuffled(owner, experiment_id))


@router.head("/experiments/{experiment_id}/report.json", include_in_schema=False)
@router.get(
    "/experiments/{experiment_id}/report.json",
    summary="Download the report as JSON",
    response_model=Report,
    response_description="Everything that was measured.",
    responses={**ABSENT, **ENDED},
)
def report_json(experiment_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    services.experiments.evaluation(owner, experiment_id)
    return _file(services.experiments.report_file(owner, experiment_id), "application/json", experiment_id[:8], "json")


@router.head("/experiments/{experiment_id}/report.html", include_in_schema=False)
@router.get(
    "/experiments/{experiment_id}/report.html",
    summary="Download the report as a page",
    response_class=HTMLResponse,
    response_description="One file that needs nothing else.",
    responses={**ABSENT, **ENDED},
)
def report_html(experiment_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    job = services.experiments.evaluation(owner, experiment_id)
    title = f"{job.inputs['dataset']['name']}: {EXPERIMENT_PRESETS[job.preset].title if job.preset in EXPERIMENT_PRESETS else job.preset}"
    page = report_page.html(services.experiments.report(owner, experiment_id), title=title)
    return _file(page.encode(), "text/html; charset=utf-8", experiment_id[:8], "html")


@router.head("/experiments/{experiment_id}/report.csv", include_in_schema=False)
@router.get(
    "/experiments/{experiment_id}/report.csv",
    summary="Download the metrics as a table",
    response_class=Response,
    responses={
        **ABSENT,
        **ENDED,
        200: {
            "description": "One row for each split, part and metric.",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        },
    },
)
def report_csv(experiment_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    return _file(report_files.metrics_csv(services.experiments.report(owner, experiment_id)), "text/csv", experiment_id[:8], "csv")


@router.head("/experiments/{experiment_id}/scores.csv", include_in_schema=False)
@router.get(
    "/experiments/{experiment_id}/scores.csv",
    summary="Download the pictures' scores as a table",
    response_class=Response,
    responses={
        **ABSENT,
        **ENDED,
        200: {
            "description": "One row for each test picture of each run.",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        },
    },
)
def scores_csv(experiment_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    return _file(
        report_files.scores_csv(services.experiments.report(owner, experiment_id)), "text/csv", f"{experiment_id[:8]}-scores", "csv"
    )


@router.get(
    "/compare",
    summary="Compare two experiments",
    response_description="What the second does better or worse, with intervals of the paired difference.",
    responses={**ABSENT, **ENDED},
)
def compare(
    owner: OwnerDep,
    services: ServicesDep,
    first: Annotated[str, Query(description="Id of an experiment of yours.")],
    second: Annotated[str, Query(description="Id of another.")],
) -> Comparison:
    return services.experiments.compare(owner, first, second)


@router.post(
    "/experiments/{experiment_id}/detector",
    status_code=201,
    summary="Use as detector",
    response_description="From now on it judges your pictures.",
    responses={**ABSENT, **ENDED, **REFUSED},
    tags=["detectors"],
)
def keep(experiment_id: str, owner: OwnerDep, services: ServicesDep) -> DetectorDetail:
    """Only a classifier on features: its evidence can be shown exactly."""
    return detector_detail(services.detectors.keep(owner, experiment_id))


@router.get("/detectors", summary="List your detectors", response_description="Newest first.", tags=["detectors"])
def list_detectors(visitor: VisitorDep, services: ServicesDep) -> DetectorList:
    found = services.detectors.listed(visitor.owner)
    return DetectorList(shipped=not any(one.active for one in found), detectors=[detector_detail(one) for one in found])


@router.post(
    "/detectors/shipped/use",
    status_code=204,
    summary="Use the shipped detector",
    response_description="The detector that came with the program judges again.",
    tags=["detectors"],
)
def use_shipped(owner: OwnerDep, services: ServicesDep) -> None:
    services.detectors.use_shipped(owner)


@router.post(
    "/detectors/{detector_id}/use",
    summary="Use a detector",
    response_description="It judges your pictures from now on.",
    responses=ABSENT,
    tags=["detectors"],
)
def use(detector_id: str, owner: OwnerDep, services: ServicesDep) -> DetectorDetail:
    return detector_detail(services.detectors.use(owner, detector_id))


@router.get(
    "/detectors/{detector_id}/file",
    summary="Download a detector",
    response_class=Response,
    responses={
        **ABSENT,
        200: {
            "description": "Its weights, as safetensors.",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        },
    },
    tags=["detectors"],
)
def detector_file(detector_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="pentimento-detector-{detector_id[:8]}.safetensors"'}
    return Response(services.detectors.file(owner, detector_id), media_type="application/octet-stream", headers=headers)


@router.delete(
    "/detectors/{detector_id}",
    summary="Delete a detector",
    response_description="The detector as it was. If it was active, the shipped one judges again.",
    responses=ABSENT,
    tags=["detectors"],
)
def delete_detector(detector_id: str, owner: OwnerDep, services: ServicesDep) -> DetectorDetail:
    return detector_detail(services.detectors.delete(owner, detector_id))


def _file(data: bytes, kind: str, name: str, suffix: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="pentimento-experiment-{name}.{suffix}"'}
    return Response(data, media_type=kind, headers=headers)
