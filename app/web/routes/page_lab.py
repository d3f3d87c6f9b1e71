"""The Lab's first page: one's datasets, experiments and detectors, and what to begin with."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.core.experiments import EXPERIMENT_PRESETS
from app.web.dataset_view import STRIP
from app.web.deps import OwnerDep, Services, ServicesDep, VisitorDep
from app.web.lab_view import Gone, LabView, Shelf
from app.web.render import page

router = APIRouter(prefix="/lab", include_in_schema=False)

_DATASETS = 12
_EXPERIMENTS = 24


@router.head("")
@router.get("")
def lab(
    visitor: VisitorDep,
    services: ServicesDep,
    datasets_before: Annotated[float | None, Query()] = None,
    experiments_before: Annotated[float | None, Query()] = None,
    deleted: Annotated[str | None, Query()] = None,
) -> HTMLResponse:
    owner = visitor.owner
    datasets = Shelf.of(services.datasets.newest(owner, _DATASETS + 1, datasets_before), _DATASETS, datasets_before)
    shown = LabView(
        datasets=datasets,
        experiments=Shelf.of(services.experiments.history(owner, _EXPERIMENTS + 1, experiments_before), _EXPERIMENTS, experiments_before),
        detectors=tuple(services.detectors.listed(owner)),
        gone=_gone(services, owner, deleted) if deleted else None,
        numbers={one.id: services.datasets.first_numbers(owner, one.id, STRIP) for one in datasets.things if not one.newest},
    )
    answer = page("pages/lab.html", lab=shown, samples=services.samples, presets=EXPERIMENT_PRESETS)
    visitor.remember(answer, services)
    return answer


@router.post("/detectors/shipped/use")
def use_shipped(owner: OwnerDep, services: ServicesDep) -> Response:
    services.detectors.use_shipped(owner)
    return RedirectResponse("/lab#detectors-title", 303)


@router.post("/detectors/{detector_id}/use")
def use(detector_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    services.detectors.use(owner, detector_id)
    return RedirectResponse("/lab#detectors-title", 303)


@router.post("/detectors/{detector_id}/delete")
def delete(detector_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    services.detectors.delete(owner, detector_id)
    return RedirectResponse("/lab#detectors-title", 303)


def _gone(services: Services, owner: str, deleted: str) -> Gone | None:
    """Return what was just deleted, while it can be brought back."""
    dataset = services.datasets.deleted(owner, deleted)
    if dataset is not None:
        return Gone(dataset.name, f"/lab/datasets/{dataset.id}/restore")
    experiment = services.experiments.deleted(owner, deleted)
    return None if experiment is None else Gone.of(experiment)
