"""What is seen of an experiment at one moment: where it stands, the curves of the training that goes on, and what came of it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.core.experiments import SplitName, TrainStep
from app.core.report import Figure, MetricName, Report
from app.core.studies import StudyStage, StudyStep
from app.jobs.events import Event, Live, event_of
from app.jobs.models import Job

MAX_CURVE_POINTS = 120


class TrainPoint(BaseModel):
    """One epoch of a contrastive training."""

    epoch: int
    loss: float
    alignment: float = Field(description="Mean squared distance of positive pairs, 0 to 4.")
    uniformity: float = Field(description="Log mean exp(−2 · squared distance) of all pairs; lower is more spread.")
    effective_rank: float = Field(description="How many directions the embeddings use.")
    retrieval: float | None = Field(None, description="R@1: share of held-out stylised pictures that lie nearest to their own original.")
    held_out_loss: float | None = Field(None, description="The gap to `loss` is what was learnt by heart.")
    held_out_alignment: float | None = None
    detection: float | None = Field(None, description="AUROC of original against stylised on held-out pictures.")
    collapsed: bool = False


class TrainedRun(BaseModel):
    """The training that goes on."""

    split: SplitName
    seed: int
    held_out: str = Field("", description="The generator held out, if any.")
    epochs: int
    curve: list[TrainPoint] = Field(default_factory=list, description="Epochs so far, thinned evenly, the newest last.")


class Studying(Live):
    """The part of an event that the study's progress decides."""

    stage: StudyStage | None = Field(None, description="Describing pictures, training, classifying, or what follows.")
    described: int = Field(0, description="Pictures that have their features.")
    pictures: int = 0
    runs: int = Field(0, description="Runs, a split with a seed, that are finished.")
    planned: int = Field(0, description="Runs in all; 0 where that is not known.")
    where: str = Field("", description="Of a hypothesis: the cell of the grid that is trained, in words.")
    split: SplitName | None = None
    seed: int | None = None
    held_out: str = ""
    training: TrainedRun | None = None


class ShortSplit(BaseModel):
    """The figures of one split that a list shows."""

    name: SplitName
    title: str
    train: dict[MetricName, Figure]
    test: dict[MetricName, Figure]
    retrieval: float | None = None


class Summary(BaseModel):
    """What a finished experiment says in short; the report has everything."""

    headline: SplitName
    splits: list[ShortSplit]
    left_out: dict[SplitName, str]
    unsound: list[str] = Field(description="Titles of the checks that found something.")
    pictures: int
    seconds: float
    stopped: bool = Field(description="Somebody ended it early; these are the runs that were finished.")
    detector: bool = Field(False, description="It can be used as the detector.")


_SHORT: tuple[MetricName, ...] = ("auroc", "accuracy", "balanced_accuracy", "precision_stylised", "recall_stylised", "f1_stylised", "ece")
_ID = "7c9e6a4f0b2d4813a5f7c1e9d3b86024"


def summary_of(report: Report, *, detector: bool) -> Summary:
    splits = [
        ShortSplit(
            name=one.name,
            title=one.title,
            train={name: one.train[name] for name in _SHORT if name in one.train},
            test={name: one.test[name] for name in _SHORT if name in one.test},
            retrieval=one.invariance.retrieval,
        )
        for one in report.splits
    ]
    return Summary(
        headline=report.headline,
        splits=splits,
        left_out={one.split: one.why for one in report.left_out},
        unsound=[one.title for one in report.findings if not one.sound],
        pictures=len(report.pictures),
        seconds=report.seconds,
        stopped=report.stopped,
        detector=detector,
    )


class ExperimentEvent(Studying, Event):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": _ID,
                "kind": "experiment",
                "state": "running",
                "stage": "train",
                "percent": 46.2,
                "elapsed": 21.5,
                "remaining": 30.0,
                "described": 660,
                "pictures": 660,
                "runs": 3,
                "split": "content_style",
                "seed": 0,
                "held_out": "",
                "training": {
                    "split": "content_style",
                    "seed": 0,
                    "held_out": "",
                    "epochs": 100,
                    "curve": [
                        {
                            "epoch": 1,
                            "loss": 3.9,
                            "alignment": 0.52,
                            "uniformity": -2.9,
                            "effective_rank": 41.0,
                            "retrieval": 0.6,
                            "held_out_loss": 4.1,
                            "held_out_alignment": 0.6,
                            "detection": 0.91,
                            "collapsed": False,
                        }
                    ],
                },
                "queue_position": None,
                "attempt": 1,
                "silent": False,
                "stopping": False,
                "error": None,
                "summary": None,
                "answer": None,
            }
        }
    )

    summary: Summary | None = Field(None, description="What came of it; null until then, and for a hypothesis.")
    answer: str | None = Field(None, description="What came of a hypothesis, in a sentence; null until then.")


def snapshot(job: Job, queue_position: int | None = None, *, silent: bool = False) -> ExperimentEvent:
    """Return the experiment as its row tells it."""
    said = job.report or {}
    return event_of(
        ExperimentEvent, job, queue_position, silent=silent, summary=said.get("summary") or None, answer=said.get("answer") or None
    )


class StudyRecorder:
    """Turns a study's records into the live part of events, keeping the curves of the training that goes on."""

    def __init__(self) -> None:
        self._run: tuple[str, int, str] | None = None
        self._curve: list[TrainPoint] = []
        self._newest: TrainPoint | None = None
        self._every = 1
        self._epochs = 0

    def record(self, step: StudyStep) -> Studying:
        told: dict[str, Any] = {
            "stage": step.stage,
            "percent": round(min(max(step.fraction, 0.0), 1.0) * 100, 1),
            "elapsed": round(step.elapsed, 2),
            "remaining": None if step.remaining is None else round(step.remaining, 1),
            "described": step.described,
            "pictures": step.pictures,
            "runs": step.runs,
            "planned": step.planned,
            "where": step.where,
        }
        at = step.evaluation
        if at is None:
            return Studying.model_validate(told)
        told |= {"split": at.split, "seed": at.seed, "held_out": at.held_out}
        if at.train is not None:
            self._add((at.split, at.seed, at.held_out), at.train)
        if self._run is not None:
            split, seed, held_out = self._run
            told["training"] = {"split": split, "seed": seed, "held_out": held_out, "epochs": self._epochs, "curve": self._shown()}
        return Studying.model_validate(told)

    def _add(self, run: tuple[str, int, str], step: TrainStep) -> None:
        """Keep every n-th epoch, doubling n whenever the curve grows too long to send often."""
        if run != self._run:
            self._run, self._curve, self._every, self._epochs = run, [], 1, step.epochs
        self._newest = _point(step)
        if (step.epoch - 1) % self._every == 0:
            self._curve.append(self._newest)
        if len(self._curve) > MAX_CURVE_POINTS:
            self._curve = self._curve[::2]
            self._every *= 2

    def _shown(self) -> list[TrainPoint]:
        last = [] if self._newest is None or self._newest in self._curve[-1:] else [self._newest]
        return [*self._curve, *last]


def _point(step: TrainStep) -> TrainPoint:
    values = {name: getattr(step, name) for name in TrainPoint.model_fields}
    return TrainPoint.model_validate({name: round(value, 5) if isinstance(value, float) else value for name, value in values.items()})
