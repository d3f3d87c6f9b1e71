"""Does style transfer with contrastive learning make classification better? The study's parameters, steps and report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.core.features import FeatureSetName
from app.core.report import Figure

AugmentationName = Literal["none", "jitter", "style"]
ContrastName = Literal["none", "nt_xent", "supcon"]
Outcome = Literal["better", "worse", "unclear"]
Side = Literal["augmentation", "contrast", "contrast_with_style"]
TrialKind = Literal["clean", "stylised", "domain"]
HypothesisStage = Literal["prepare", "describe", "train", "finish"]

# Rows and columns of the grid, the plainest first.
AUGMENTATIONS: dict[AugmentationName, str] = {"none": "No augmentation", "jitter": "Colour jitter", "style": "Style transfer"}
CONTRASTS: dict[ContrastName, str] = {"none": "No contrastive stage", "nt_xent": "NT-Xent", "supcon": "SupCon"}

# Pictures answered differently, below which chance is not excluded even if all of them speak for one side: 2 · ½⁶ = 0.03.
LEAST_DIFFERENT = 6


class HypothesisSpec(BaseModel):
    """Everything that decides the grid's figures, besides pictures and styles."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    train_domain: str = Field(
        "",
        max_length=200,
        title="Train on",
        description="Domain whose pictures are trained on. Empty: the one called photo, or else the first by name.",
    )
    features: FeatureSetName = Field(
        "pooled", title="Features", description="What of InceptionV3 describes a picture; pooled tells best what it shows."
    )
    classify: Literal["embedding", "both"] = Field(
        "embedding",
        title="Classify after the contrastive stage",
        description="What the linear classifier sees there: the embedding, all that the stage has learnt, or features and embedding together.",
    )
    copies: int = Field(2, ge=1, le=8, title="Copies", description="Jittered, and stylised, copies of each training picture.")
    size: int = Field(224, ge=64, le=512, title="Size", description="Longer side of a stylised picture, in pixels.")
    strength: float = Field(1.0, gt=0, le=1, title="Strength", description="How much of the style is blended in; 1 is all of it.")
    per_class: int = Field(
        100, ge=6, le=1000, title="Pictures", description="Most pictures taken of a class in each domain; bounds time and memory."
    )
    rounds: int = Field(
        100,
        ge=2,
        le=2000,
        multiple_of=2,
        title="Rounds",
        description="Each draws every training picture twice. A contrastive stage takes half of the rounds, so that no cell trains longer.",
    )
    batch_size: int = Field(128, ge=4, le=2048, title="Batch", description="About how many pairs a step has.")
    test_share: float = Field(0.3, gt=0.05, lt=0.6, title="Test share", description="Share of each class held out for the test.")
    seeds: int = Field(5, ge=1, le=50, title="Seeds", description="How many times everything is divided and trained anew.")
    seed: int = Field(0, ge=0, le=2**31 - 1, title="First seed", description="Fixes every random choice; the others follow it.")
    resamples: int = Field(2000, ge=100, le=20000, title="Resamples", description="Bootstrap samples behind each interval.")


@dataclass(frozen=True, slots=True)
class HypothesisStep:
    """Where the study stands.

    Attributes:
        stage: what is being done.
        fraction: share of the whole work done, 0 to 1. Never falls.
        elapsed: seconds since the start.
        remaining: estimated seconds left; None until measured.
        described: pictures, jittered and stylised ones included, that have their features.
        pictures: of them in all.
        runs: cells trained, over all seeds.
        planned: cells in all.
        seed, augmentation, contrast: of the cell being trained; None outside ``train``.
    """

    stage: HypothesisStage
    fraction: float
    elapsed: float
    remaining: float | None
    described: int
    pictures: int
    runs: int
    planned: int
    seed: int | None = None
    augmentation: AugmentationName | None = None
    contrast: ContrastName | None = None


OnHypothesisStep = Callable[[HypothesisStep], None]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Budget(_Record):
    """What every cell is given alike, for each seed.

    Attributes:
        fitted: training pictures that heads and classifiers are fitted to.
        validated: training pictures by which the classifier's weight decay is chosen.
        tested: held-out pictures of the training domain.
        steps: optimiser steps of a cell, those of its contrastive stage included.
        vectors: feature vectors those steps see.
        batch: vectors in a step, about.
    """

    fitted: int
    validated: int
    tested: int
    steps: int
    vectors: int
    batch: int


class Trial(_Record):
    """Pictures that every cell is tested on, over all seeds.

    Attributes:
        name: unique among the trials.
        pictures: tried by at least one seed.
        styles: unseen styles among them; 0 where nothing was stylised.
    """

    name: str
    kind: TrialKind
    title: str
    pictures: int
    styles: int


class Result(_Record):
    """One cell on one trial, as means over the seeds.

    Attributes:
        accuracy: share of pictures given their class.
        balanced: mean of the classes' recalls.
        difference: accuracy less that of (no augmentation, no contrastive stage), paired.
        balanced_difference: the same of ``balanced``.
        outcome: of ``difference``: clear only where its interval leaves out zero and ``LEAST_DIFFERENT`` pictures bear it.
        runs: accuracy of each seed.
        differing: pictures answered right more often, or less often, than by what it is compared with; None in older reports.
    """

    trial: str
    accuracy: Figure
    balanced: Figure
    difference: Figure
    balanced_difference: Figure
    outcome: Outcome
    runs: tuple[float, ...]
    differing: int | None = None


class Cell(_Record):
    """One way of training.

    Attributes:
        training: mean accuracy on the clean pictures that it was fitted to.
        effective_rank: of the embeddings after the contrastive stage, mean over seeds; None without one.
        collapsed: seeds in which the embeddings collapsed.
    """

    augmentation: AugmentationName
    contrast: ContrastName
    results: tuple[Result, ...]
    training: float
    effective_rank: float | None
    collapsed: int


class Effect(_Record):
    """What a row or a column does beside another one.

    Attributes:
        side: rows, or columns, on average over the other side of the grid; or columns within the row of style transfer alone.
        changed, against: names of two rows, or of two columns.
        difference: in accuracy, ``changed`` less ``against``, paired.
        outcome, differing: as of a ``Result``.
    """

    side: Side
    changed: str
    against: str
    trial: str
    difference: Figure
    balanced_difference: Figure
    outcome: Outcome
    differing: int | None = None


class HypothesisReport(_Record):
    """The study, whole.

    Attributes:
        train_domain: whose pictures were trained on.
        classes: that were told apart.
        seen, unseen: names of the styles trained with, and of those kept for the test.
        notes: what was left out, and what follows for the reader.
        conclusion: what the figures show, in two or three sentences, the answer first.
        seeds: finished ones.
        stopped: somebody ended it early; the seeds that were finished are here.
    """

    version: Literal[1] = 1
    kind: Literal["hypothesis"] = "hypothesis"
    spec: HypothesisSpec
    train_domain: str
    classes: tuple[str, ...]
    seen: tuple[str, ...]
    unseen: tuple[str, ...]
    budget: Budget
    trials: tuple[Trial, ...] = Field(min_length=1)
    cells: tuple[Cell, ...] = Field(min_length=1)
    effects: tuple[Effect, ...]
    notes: tuple[str, ...]
    conclusion: tuple[str, ...]
    seeds: tuple[int, ...] = Field(min_length=1)
    stopped: bool
    seconds: float

    def result(self, augmentation: AugmentationName, contrast: ContrastName, trial: str) -> Result:
        """Return a cell's result on a trial. KeyError: there is none."""
        found = {(cell.augmentation, cell.contrast, one.trial): one for cell in self.cells for one in cell.results}
        return found[augmentation, contrast, trial]
