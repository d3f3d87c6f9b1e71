"""What an experiment found: plain data, everything needed to draw it, nothing left to compute."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.core.experiments import ExperimentSpec, SplitName, TrainStep

PartName = Literal["train", "test"]
MetricName = Literal[
    "auroc",
    "average_precision",
    "accuracy",
    "balanced_accuracy",
    "precision_original",
    "recall_original",
    "f1_original",
    "precision_stylised",
    "recall_stylised",
    "f1_stylised",
    "brier",
    "ece",
]
IntervalMethod = Literal["bootstrap", "clopper_pearson"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Metric(_Record):
    """What a figure means. All lie between 0 and 1."""

    name: MetricName
    title: str
    help: str
    best: Literal[0, 1] = 1


METRICS: dict[MetricName, Metric] = {
    one.name: one
    for one in (
        Metric(name="auroc", title="AUROC", help="How often a stylised picture scores above an original; chance is 0.5."),
        Metric(name="average_precision", title="Average precision", help="Area under precision over recall; chance is the stylised share."),
        Metric(name="accuracy", title="Accuracy", help="Share of pictures called right at the threshold fixed in training."),
        Metric(name="balanced_accuracy", title="Balanced accuracy", help="Mean of the two recalls; chance is 0.5."),
        Metric(name="precision_original", title="Precision, original", help="Share of pictures called original that are."),
        Metric(name="recall_original", title="Recall, original", help="Share of originals called original."),
        Metric(name="f1_original", title="F1, original", help="Harmonic mean of the originals' precision and recall."),
        Metric(name="precision_stylised", title="Precision, stylised", help="Share of pictures called stylised that are."),
        Metric(name="recall_stylised", title="Recall, stylised", help="Share of stylised pictures called stylised."),
        Metric(name="f1_stylised", title="F1, stylised", help="Harmonic mean of the stylised pictures' precision and recall."),
        Metric(name="brier", title="Brier score", help="Mean squared error of the probability, both classes weighing the same.", best=0),
        Metric(
            name="ece", title="Calibration error", help="Expected calibration error over ten bins, both classes weighing the same.", best=0
        ),
    )
}


class Interval(_Record):
    """Where the figure lies with 95 % confidence."""

    low: float
    high: float
    method: IntervalMethod = "bootstrap"


class Figure(_Record):
    """A number with its interval; no value where the pictures do not allow one, such as AUROC with one class."""

    value: float | None
    interval: Interval | None = None


Figures = dict[MetricName, Figure]


class Bin(_Record):
    """Pictures whose probability lies in one of ten equal bins, for the reliability plot.

    Attributes:
        weight: share of all pictures, both classes weighing the same.
        predicted: their mean probability.
        observed: the share of them that is stylised.
    """

    count: int
    weight: float
    predicted: float
    observed: float


class Group(_Record):
    """Recall of the stylised pictures of one style or generator."""

    name: str
    pictures: int
    recall: float
    interval: Interval | None = None


class Part(_Record):
    """The figures of one part of one fold.

    Attributes:
        confusion: counts (originals called original, originals called stylised, stylised called
            original, stylised called stylised).
        roc: (false positive rate, true positive rate) from (0, 0) to (1, 1), thinned; empty with one class.
    """

    pictures: int
    originals: int
    stylised: int
    figures: Figures
    confusion: tuple[int, int, int, int]
    roc: tuple[tuple[float, float], ...]
    reliability: tuple[Bin, ...]
    styles: tuple[Group, ...]
    generators: tuple[Group, ...]
    worst_style: str | None


class Invariance(_Record):
    """Whether a stylised picture still lies with its original: the opposite of what a detector wants.

    Attributes:
        retrieval: share of stylised test pictures whose nearest original is their own content (R@1).
        chance: the share that guessing would give.
        alignment: mean squared distance of a content and its stylised picture, 0 to 4.
    """

    retrieval: float | None
    chance: float | None
    alignment: float | None


class Run(_Record):
    """One fold with one seed.

    Attributes:
        held_out: the generator held out, or nothing.
        dropped: pictures in neither part.
        regularisation: C of the classifier, chosen inside the training part.
        threshold: probability from which a picture is called stylised, fixed in training.
        test_pictures: places in the report's list of pictures.
        probabilities: of stylised, of the test pictures in that order.
    """

    seed: int
    held_out: str
    dropped: int
    regularisation: float
    threshold: float
    train: Part
    test: Part
    invariance: Invariance
    test_pictures: tuple[int, ...]
    probabilities: tuple[float, ...]


class Permutation(_Record):
    """How often labels swapped within contents do as well as the true ones.

    Attributes:
        p: (1 + swaps that do as well) / (1 + swaps); of several runs, theirs combined.
        smallest: the smallest p that this many swaps, contents and runs allow.
        contents: with both an original and a stylised picture in the test part; the fewest of any run.
        observed: mean AUROC with the true labels.
        refitted: the classifier was fitted again for each swap; otherwise the test labels alone were swapped.
    """

    p: float
    smallest: float
    swaps: int
    contents: int
    observed: float
    refitted: bool


class SplitReport(_Record):
    """All runs of one way of dividing the pictures, and their mean.

    Attributes:
        note: how the pictures were divided, in words.
        train, test: means over the runs.
        styles, generators: recall of the test parts of all runs together.
        replicates: bootstrap values of the test means, by metric, for paired comparison.
    """

    name: SplitName
    title: str
    note: str
    runs: tuple[Run, ...] = Field(min_length=1)
    train: Figures
    test: Figures
    styles: tuple[Group, ...]
    generators: tuple[Group, ...]
    worst_style: str | None
    reliability: tuple[Bin, ...]
    confusion: tuple[int, int, int, int]
    invariance: Invariance
    permutation: Permutation | None
    replicates: dict[MetricName, tuple[float, ...]]


class Baseline(_Record):
    """A simpler way to the same answer, on the headline split."""

    name: str
    title: str
    help: str
    figures: Figures


class Finding(_Record):
    """What a check for leaks found, and what follows from it."""

    name: str
    title: str
    sound: bool
    value: float | None
    sentence: str


class LeftOut(_Record):
    """A split that these pictures do not allow, and why."""

    split: SplitName
    why: str


class MapPoint(_Record):
    picture: int
    x: float
    y: float


class Map(_Record):
    """Test pictures of the headline's first run in two dimensions; pairs join a content and its stylised picture.

    Attributes:
        shown: what lies behind the points, in words.
        pairs: places in ``points``: (original, stylised).
        explained: share of the variance that the plane shows, or None for UMAP.
    """

    method: Literal["PCA", "UMAP"]
    shown: str
    points: tuple[MapPoint, ...]
    pairs: tuple[tuple[int, int], ...]
    explained: float | None


class Picture(_Record):
    """One row of the table: no style and no generator for an original."""

    name: str
    label: Literal[0, 1]
    content: str
    style: str
    generator: str


class Report(_Record):
    """One experiment, whole.

    Attributes:
        features: length of a picture's features.
        fingerprint: of the pictures' names, labels and groups; equal where two reports are about the same pictures.
        headline: the strictest split measured; ``baselines``, ``map`` and ``training`` are about it.
        training: the contrastive stage of the headline's first run, thinned; empty without one.
        stopped: somebody ended it early; what was finished is here.
    """

    version: Literal[1] = 1
    spec: ExperimentSpec
    pictures: tuple[Picture, ...]
    features: int
    fingerprint: str
    headline: SplitName
    splits: tuple[SplitReport, ...] = Field(min_length=1)
    left_out: tuple[LeftOut, ...]
    baselines: tuple[Baseline, ...]
    findings: tuple[Finding, ...]
    map: Map | None
    training: tuple[TrainStep, ...]
    stopped: bool
    seconds: float

    def split(self, name: SplitName) -> SplitReport:
        """Return one split's part. KeyError: it was not measured."""
        return {one.name: one for one in self.splits}[name]
