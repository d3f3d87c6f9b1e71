"""What an experiment of the Lab is: parameters with ranges, defaults and help, and presets, each stated once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from app.core.features import DEFAULT_FEATURES, FeatureSetName

ObjectiveName = Literal["none", "pairwise", "nt_xent", "moco", "byol", "supcon"]
PairsName = Literal["content_stylised", "augmented", "paper_pairs", "labels"]
ClassifierName = Literal["logistic", "linear_svm"]
ClassifiedName = Literal["embedding", "features", "both"]
SplitName = Literal["train_is_test", "random", "content", "style", "content_style", "generator"]

# From the most flattering to the strictest; the last but one is the headline.
SPLITS: dict[str, str] = {
    "train_is_test": "Train = test, as in the paper",
    "random": "Random",
    "content": "Contents held out",
    "style": "Styles held out",
    "content_style": "Contents and styles held out",
    "generator": "Generator held out",
}
HEADLINE: SplitName = "content_style"

# What choices are called, in forms and reports alike.
OBJECTIVES: dict[str, str] = {
    "none": "None",
    "pairwise": "Pairwise (Hadsell)",
    "nt_xent": "NT-Xent (SimCLR)",
    "moco": "MoCo",
    "byol": "BYOL",
    "supcon": "SupCon",
}
PAIRS: dict[str, str] = {
    "content_stylised": "A content and its stylised version",
    "augmented": "Augmented views",
    "paper_pairs": "The paper's own pairs",
    "labels": "Pictures of one class",
}
CLASSIFIERS: dict[str, str] = {"logistic": "Logistic regression", "linear_svm": "Linear SVM"}
CLASSIFIED: dict[str, str] = {"embedding": "The embedding", "features": "The features", "both": "Both side by side"}

# Pairs that an objective can be given. The paper's have no real negatives, labels no views.
PAIRS_OF: dict[ObjectiveName, tuple[PairsName, ...]] = {
    "none": ("content_stylised", "augmented", "paper_pairs", "labels"),
    "pairwise": ("content_stylised", "augmented", "paper_pairs", "labels"),
    "nt_xent": ("content_stylised", "augmented"),
    "moco": ("content_stylised", "augmented"),
    "byol": ("content_stylised", "augmented"),
    "supcon": ("labels", "content_stylised", "augmented"),
}


class TrainParams(BaseModel):
    """The contrastive stage: a projection head trained on cached features."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    objective: ObjectiveName = Field(
        "nt_xent", title="Objective", description="What pulls pictures together and pushes them apart; none skips the stage."
    )
    pairs: PairsName = Field(
        "content_stylised",
        title="Pairs",
        description="What counts as a positive pair: a content and its stylised version, two augmented views of one picture, "
        "the paper's own pairs, or pictures of one class.",
    )
    temperature: float | None = Field(
        None, gt=0, le=10, title="Temperature", description="Divides similarities; empty: the objective's usual value."
    )
    margin: float = Field(
        1.0, gt=0, le=100, title="Margin", description="Distance beyond which a negative pair costs nothing (pairwise only)."
    )
    momentum: float = Field(
        0.99, ge=0, lt=1, title="Momentum", description="How slowly the key or target encoder follows (MoCo and BYOL only)."
    )
    queue: int = Field(4096, ge=16, le=65536, title="Queue", description="Negatives remembered (MoCo only).")
    hidden: int = Field(512, ge=8, le=4096, title="Hidden width", description="Width of the projection head's middle layer.")
    output: int = Field(128, ge=2, le=2048, title="Embedding", description="Length of an embedding.")
    epochs: int = Field(100, ge=1, le=2000, title="Epochs", description="Passes over the training part.")
    batch_size: int = Field(256, ge=4, le=4096, title="Batch", description="Pairs in a step; more pairs, more negatives.")
    learning_rate: float = Field(0.001, gt=0, le=1, title="Learning rate", description="Adam's step size at its height.")
    weight_decay: float = Field(0.0001, ge=0, le=1, title="Weight decay", description="Pulls the head's weights towards zero.")

    @field_validator("pairs")
    @classmethod
    def _fitting(cls, value: PairsName, info: ValidationInfo) -> PairsName:
        objective = info.data.get("objective")
        if objective and value not in PAIRS_OF[objective]:
            raise ValueError(f"the objective {objective} takes one of: {', '.join(PAIRS_OF[objective])}; pairwise takes every kind")
        return value


class ExperimentSpec(BaseModel):
    """Everything that decides an experiment's figures, besides its dataset."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    features: FeatureSetName = Field(DEFAULT_FEATURES, title="Features", description="What of InceptionV3 describes a picture.")
    training: TrainParams = Field(default_factory=TrainParams, title="Contrastive stage")
    classifier: ClassifierName = Field("logistic", title="Classifier", description="Linear, fitted to the training part alone.")
    classify: ClassifiedName = Field(
        "features",
        title="Classify",
        description="What the classifier sees: the embedding, the features as they are, or both side by side. "
        "The contrastive stage does not affect a classifier of the features alone; it is then only measured beside it.",
    )
    splits: tuple[SplitName, ...] = Field(
        ("train_is_test", "random", "content", "style", "content_style", "generator"),
        min_length=1,
        title="Splits",
        description="Ways of dividing the pictures into a training and a test part.",
    )
    test_share: float = Field(0.3, gt=0.05, lt=0.8, title="Test share", description="Share of contents, styles or pictures held out.")
    seeds: int = Field(5, ge=1, le=50, title="Seeds", description="How many times each split is drawn.")
    seed: int = Field(0, ge=0, le=2**31 - 1, title="First seed", description="Fixes every random choice; the others follow it.")
    shuffle_labels: bool = Field(
        False, title="Shuffle labels", description="Swap original and stylised at random: an honest pipeline then falls to chance."
    )
    resamples: int = Field(1000, ge=100, le=20000, title="Resamples", description="Bootstrap samples behind each interval.")
    permutations: int = Field(200, ge=0, le=5000, title="Permutations", description="Label swaps of the permutation test; 0 leaves it out.")


@dataclass(frozen=True, slots=True)
class TrainStep:
    """Where a contrastive training stands after one epoch.

    Attributes:
        epoch: epochs finished, from 1.
        epochs: epochs planned.
        loss: mean of the objective over the epoch's steps.
        alignment: mean squared distance of positive pairs, 0 to 4, of the training part.
        uniformity: log mean exp(−2 · squared distance) of all pairs; lower is more spread.
        effective_rank: exp of the entropy of the embeddings' normalised singular values, at least 1.
        retrieval: share of held-out stylised pictures whose nearest original is their own content (R@1).
        held_out_loss: the objective on held-out pairs, or None without them.
        held_out_alignment: as ``alignment``, of the held-out part, or None.
        collapsed: the embeddings have shrunk to a point or a line.
        elapsed: seconds since the start.
        detection: AUROC on the held-out part of one direction of the embedding, fitted to the
            training part's originals and stylised pictures; 0.5 is chance; None without both.
            What invariance costs: it falls where ``retrieval`` rises.
    """

    epoch: int
    epochs: int
    loss: float
    alignment: float
    uniformity: float
    effective_rank: float
    retrieval: float | None
    held_out_loss: float | None
    held_out_alignment: float | None
    collapsed: bool
    elapsed: float
    detection: float | None = None


OnTrainStep = Callable[[TrainStep], None]

EvaluationStage = Literal["train", "classify", "baselines", "permute", "finish"]


@dataclass(frozen=True, slots=True)
class EvaluationStep:
    """Where an experiment stands.

    Attributes:
        stage: what is being done.
        split: the split being measured.
        seed: of the run.
        held_out: the generator held out in this run, or nothing.
        fraction: share of the whole work done, 0 to 1. Never falls.
        train: the newest step of the contrastive stage; None outside ``train``.
    """

    stage: EvaluationStage
    split: SplitName
    seed: int
    held_out: str
    fraction: float
    train: TrainStep | None = None


OnEvaluationStep = Callable[[EvaluationStep], None]


class ExperimentPreset(BaseModel):
    """A named experiment, as data."""

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    help: str
    spec: ExperimentSpec


EXPERIMENT_PRESETS: dict[str, ExperimentPreset] = {
    one.name: one
    for one in (
        ExperimentPreset(
            name="default",
            title="Honest",
            help="NT-Xent on content–stylised pairs, mid-level and pooled features, every split, five seeds.",
            spec=ExperimentSpec(),
        ),
        ExperimentPreset(
            name="quick",
            title="Quick look",
            help="One seed, fewer epochs: to see that a dataset is sound.",
            spec=ExperimentSpec(training=TrainParams(epochs=20), seeds=1, resamples=200, permutations=50),
        ),
        ExperimentPreset(
            name="detector",
            title="Detector",
            help="SupCon on the labels original and stylised: the representation a detector wants.",
            spec=ExperimentSpec(training=TrainParams(objective="supcon", pairs="labels"), classify="both"),
        ),
        ExperimentPreset(
            name="paper",
            title="As in the paper",
            help="Pairwise loss on the paper's own pairs, pooled features, a linear classifier. Its 100 % stands beside what held-out pictures give.",
            spec=ExperimentSpec(features="pooled", training=TrainParams(objective="pairwise", pairs="paper_pairs"), classify="embedding"),
        ),
    )
}
DEFAULT_EXPERIMENT = "default"
