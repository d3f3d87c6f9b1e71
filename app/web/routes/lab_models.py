"""What the JSON API answers about experiments and detectors, with examples."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.core.experiments import EXPERIMENT_PRESETS
from app.jobs.models import Job, State
from app.lab.experiment_events import ExperimentEvent, snapshot
from app.lab.models import Detector
from app.lab.schemas import DatasetDetail, DatasetLinks, links

_ID = "7c9e6a4f0b2d4813a5f7c1e9d3b86024"
_DATASET = "5d1c0a9e7b3f4a628f60d2c4b8a1e973"


class DatasetAccepted(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": {"id": _DATASET, "state": "unpacking", "links": links(_DATASET).model_dump()}})

    id: str
    state: str
    links: DatasetLinks


class DatasetList(BaseModel):
    datasets: list[DatasetDetail] = Field(description="Newest first.")
    older: str | None = Field(None, description="Address of the datasets before these; null at the end.")


class ExperimentOrder(BaseModel):
    """What an experiment is asked for with."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"dataset": _DATASET, "preset": "quick", "spec": {"features": "both", "training": {"epochs": 50}}}},
    )

    dataset: str = Field(description="Id of a dataset of yours.")
    preset: str = Field(
        "default",
        description="Parameters to begin with. "
        + " ".join(f"`{preset.name}` ({preset.title}): {preset.help}" for preset in EXPERIMENT_PRESETS.values()),
    )
    spec: dict[str, Any] = Field(
        default_factory=dict, description="What differs from the preset; `GET /api/lab/presets` shows every field."
    )


class ExperimentLinks(BaseModel):
    self: str = Field(description="The experiment, as JSON.")
    events: str = Field(description="Server-sent events until it ends.")
    stop: str = Field(description="POST: end after the run that goes on; the report tells what was finished.")
    cancel: str = Field(description="POST: end now, without a report.")
    report: str = Field(description="The report as JSON; with `.html` or `.csv` in place of `.json` as a page or a table.")
    shuffle: str = Field(description="POST: the same experiment with shuffled labels.")
    detector: str = Field(description="POST: use its classifier as the detector.")
    page: str = Field(description="Its page, for people.")


def experiment_links(experiment_id: str) -> ExperimentLinks:
    api = f"/api/lab/experiments/{experiment_id}"
    return ExperimentLinks(
        self=api,
        events=f"{api}/events",
        stop=f"{api}/stop",
        cancel=f"{api}/cancel",
        report=f"{api}/report.json",
        shuffle=f"{api}/shuffle",
        detector=f"{api}/detector",
        page=f"/lab/experiments/{experiment_id}",
    )


class ExperimentAccepted(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": {"id": _ID, "state": "queued", "links": experiment_links(_ID).model_dump()}})

    id: str
    state: State
    links: ExperimentLinks


def accepted(job: Job) -> ExperimentAccepted:
    return ExperimentAccepted(id=job.id, state=State(job.state), links=experiment_links(job.id))


class ExperimentDetail(ExperimentEvent):
    """An experiment: its newest event, and what it was asked for with."""

    study: str = Field(description="What is studied: `evaluation` asks original against stylised.")
    dataset: str
    dataset_name: str
    preset: str
    spec: dict[str, Any] = Field(description="Every parameter.")
    stopped_early: bool = False
    created_at: float = Field(description="Seconds since 1970.")
    finished_at: float | None = Field(None, description="Seconds since 1970; null while it goes on.")
    links: ExperimentLinks


def experiment_detail(job: Job, event: ExperimentEvent | None = None) -> ExperimentDetail:
    return ExperimentDetail.model_validate(
        {
            **(event or snapshot(job)).model_dump(),
            "study": job.inputs["study"],
            "dataset": job.inputs["dataset"]["id"],
            "dataset_name": job.inputs["dataset"]["name"],
            "preset": job.preset,
            "spec": job.params,
            "stopped_early": job.stopped_early,
            "created_at": job.created_at,
            "finished_at": job.finished_at,
            "links": experiment_links(job.id),
        }
    )


class ExperimentList(BaseModel):
    experiments: list[ExperimentDetail] = Field(description="Newest first.")
    older: str | None = Field(None, description="Address of the experiments before these; null at the end.")


class DetectorDetail(BaseModel):
    """A detector made from an experiment."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "2b7f1c9d5e3a48609c8d4f1b7a2e6053",
                "name": "15 contents × 8 styles",
                "experiment": _ID,
                "sha256": "4c0f6b1d8e2a7395c1b4d8f0e6a29375b8d1c4f7e0a3926585b1d4c7f0e3a629",
                "active": True,
                "created_at": 1767225600.0,
            }
        }
    )

    id: str
    name: str = Field(description="The dataset it was made from.")
    experiment: str
    sha256: str = Field(description="Of its file; every verdict names it.")
    active: bool = Field(description="It judges your pictures.")
    created_at: float = Field(description="Seconds since 1970.")


def detector_detail(detector: Detector) -> DetectorDetail:
    return DetectorDetail(
        id=detector.id,
        name=detector.name,
        experiment=detector.experiment,
        sha256=detector.sha256,
        active=detector.active,
        created_at=detector.created_at,
    )


class DetectorList(BaseModel):
    shipped: bool = Field(description="The detector that came with the program judges, since none of these is active.")
    detectors: list[DetectorDetail] = Field(description="Newest first.")
