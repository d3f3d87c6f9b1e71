"""What a detector says of a picture, original or stylised, with its evidence: the records that are stored and shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

Decision = Literal["original", "stylised", "uncertain"]
# Pictures that a verdict can be about: those of a job, or one that was given alone.
Role = Literal["content", "style", "style2", "style3", "style4", "result", "picture"]
# What a training picture of the shipped detector is; ``style`` was used as one, the last two are generators.
NeighbourKind = Literal["photograph", "painting", "style", "adain", "optimiser"]
VerdictStage = Literal["prepare", "judge", "frames"]
# How the shipped detector's band was chosen: of photographs and of paintings that it had not learnt from, at most this
# share lies above it, and of each generator's pictures at most that share below.
MOST_ABOVE, MOST_BELOW = 0.01, 0.01
ROLES: tuple[Role, ...] = get_args(Role)


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Band(_Record):
    """Probabilities of the fixed decisions: below ``low`` original, above ``high`` stylised, uncertain between."""

    low: float = Field(ge=0, le=1)
    threshold: float = Field(ge=0, le=1, description="Where the band is left out and one side has to be taken.")
    high: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low <= self.threshold <= self.high:
            raise ValueError(f"a band needs low <= threshold <= high, received {self.low}, {self.threshold}, {self.high}")
        return self

    def decide(self, probability: float) -> Decision:
        """Return the decision for a probability of stylised, 0 to 1."""
        if probability < self.low:
            return "original"
        return "stylised" if probability > self.high else "uncertain"


class Evidence(_Record):
    """What each part of the picture adds to the logit; positive speaks for stylised. Cells and bias add up to it."""

    rows: int = Field(ge=1)
    columns: int = Field(ge=1)
    cells: tuple[float, ...] = Field(description="Row by row from the top left corner; together they cover the whole picture.")
    bias: float = Field(description="What is the same for every picture.")
    note: str = Field("", description="How the cells lie over the picture and what they were measured at, in words.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if len(self.cells) != self.rows * self.columns:
            raise ValueError(f"{self.rows} rows of {self.columns} need {self.rows * self.columns} cells, received {len(self.cells)}")
        return self

    @property
    def logit(self) -> float:
        return sum(self.cells) + self.bias


class Neighbour(_Record):
    """A training picture near to this one in the detector's features."""

    name: str
    label: Literal["original", "stylised"]
    kind: NeighbourKind | None = Field(None, description="What the training picture is; null where its detector does not tell.")
    distance: float = Field(ge=0)


class Novelty(_Record):
    """Whether the picture is unlike anything the detector was trained on."""

    unlike: bool = Field(description="The distance is beyond the limit: the verdict is a guess.")
    distance: float = Field(ge=0, description="To the nearest training pictures.")
    limit: float = Field(ge=0, description="Distance that all but a few of the pictures in training stay within.")


class Score(_Record):
    """A picture's verdict without its evidence: what streams over many pictures."""

    probability: float = Field(ge=0, le=1, description="Of stylised, calibrated.")
    logit: float = Field(description="The same before the logistic function: probability = 1 / (1 + exp(-logit)).")
    decision: Decision


class Judgement(Score):
    """One picture's verdict with its evidence."""

    band: Band
    evidence: Evidence
    neighbours: tuple[Neighbour, ...] = Field((), description="The nearest first.")
    novelty: Novelty
    detector: str = Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of the detector's file.")


class FrameScore(_Record):
    """One kept picture of a run."""

    iteration: int = Field(ge=0)
    name: str = Field("", description="Name of the stored picture.")
    probability: float = Field(ge=0, le=1)


class Verdict(_Record):
    """Everything said of a job, or of a picture given alone."""

    judgements: dict[Role, Judgement] = Field(
        description="`content`, `style`, further paintings as `style2` …, and `result` of a job, or `picture`."
    )
    frames: tuple[FrameScore, ...] = Field((), description="The run's pictures in order.")
    became: int | None = Field(None, description="Iteration from which on the run's pictures count as stylised; null: never, or no run.")
    facts: dict[str, Any] = Field(default_factory=dict, description="Detector, weights, libraries and seconds.")


@dataclass(frozen=True, slots=True)
class VerdictStep:
    """Where the making of a verdict stands.

    Attributes:
        stage: loading the detector, judging the pictures, or scoring the frames of the run.
        fraction: share of the work done, 0 to 1.
        elapsed: seconds since the start.
        remaining: estimated seconds left; None until measured.
    """

    stage: VerdictStage
    fraction: float
    elapsed: float
    remaining: float | None


OnVerdictStep = Callable[[VerdictStep], None]


class VerdictSummary(_Record):
    """What of a verdict goes into a receipt."""

    detector: str = Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of the detector's file.")
    scores: dict[Role, Score]
    became: int | None = None


def summary_of(verdict: Verdict) -> VerdictSummary | None:
    """Return the verdict without its evidence, or None where nothing was judged."""
    scores = {role: Score.model_validate(one.model_dump(include=set(Score.model_fields))) for role, one in verdict.judgements.items()}
    detectors = {one.detector for one in verdict.judgements.values()}
    return VerdictSummary(detector=detectors.pop(), scores=scores, became=verdict.became) if detectors else None


def became_stylised(frames: tuple[FrameScore, ...], band: Band) -> int | None:
    """Return the iteration from which on every frame is decided to be stylised, or None.

    Frames stand in the order of the run. A frame that goes back below starts the count anew, so that a
    single lucky frame is no turning point.
    """
    became: int | None = None
    for frame in frames:
        if band.decide(frame.probability) != "stylised":
            became = None
        elif became is None:
            became = frame.iteration
    return became
