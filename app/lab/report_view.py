"""A report as its page shows it: texts and drawings, ready for the templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.experiments import CLASSIFIED, CLASSIFIERS, OBJECTIVES, PAIRS, SPLITS, TrainStep
from app.core.features import FEATURES
from app.core.report import METRICS, Baseline, Figure, Finding, Group, Invariance, Permutation, Report, SplitReport
from app.lab import plots
from app.lab.experiment_events import TrainPoint

_SHADES = 5
_CHANCE = 0.5
_UNTOUCHED = "the contrastive stage does not affect the classifier"
# Below as many pictures a percentage says more than is known: their number is told instead.
_FEW = 20


@dataclass(frozen=True)
class MetricRow:
    title: str
    help: str
    train: str
    test: str
    interval: str


@dataclass(frozen=True)
class Cell:
    """A cell of the confusion matrix: its count, its share of the row (empty of a row of few), and how dark it is, 0 to 4."""

    count: int
    share: str
    shade: int


@dataclass(frozen=True)
class GroupRow:
    name: str
    pictures: int
    recall: str
    interval: str
    bar: float
    is_worst: bool


@dataclass(frozen=True)
class SplitView:
    name: str
    title: str
    note: str
    is_headline: bool
    size: str
    rows: tuple[MetricRow, ...]
    confusion: tuple[tuple[str, tuple[Cell, Cell]], ...]
    roc: plots.Roc | None
    reliability: plots.Reliability | None
    styles: tuple[GroupRow, ...]
    generators: tuple[GroupRow, ...]
    worst_style: str | None
    permutation: str
    invariance: tuple[str, str, str]
    auroc: str
    accuracy: tuple[str, str]


@dataclass(frozen=True)
class BaselineRow:
    title: str
    help: str
    auroc: str
    interval: str
    balanced: str


@dataclass(frozen=True)
class ReportView:
    """Everything that the report's templates name."""

    lead: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    stopped: bool
    splits: tuple[SplitView, ...]
    headline: str
    dots: plots.Dots
    baselines: tuple[BaselineRow, ...]
    findings: tuple[Finding, ...]
    left_out: tuple[tuple[str, str], ...]
    plane: plots.Plane | None
    plane_note: str
    training: tuple[plots.Lines, ...]
    collapsed: bool
    beside: bool


def view(report: Report) -> ReportView:
    """Return what the page shows of a report."""
    labels, names = [one.label for one in report.pictures], [one.name for one in report.pictures]
    headline = report.split(report.headline)
    return ReportView(
        lead=_lead(report, headline),
        facts=_facts(report),
        stopped=report.stopped,
        splits=tuple(_split(one, is_headline=one.name == report.headline) for one in report.splits),
        headline=report.headline,
        dots=plots.dots(
            [(one.title, one.train["auroc"], one.test["auroc"], _run_values(one), one.name == report.headline) for one in report.splits]
        ),
        baselines=_baselines(report.baselines, headline),
        findings=report.findings,
        left_out=tuple((SPLITS[one.split], one.why) for one in report.left_out),
        plane=plots.plane(report.map, labels, names) if report.map else None,
        plane_note=_plane_note(report),
        training=training_lines(report.training),
        collapsed=any(step.collapsed for step in report.training),
        beside=_beside(report),
    )


def number(value: float | None) -> str:
    """Return a figure with three decimals, or a dash where there is none."""
    return "–" if value is None else f"{value:.3f}"


def interval(figure: Figure) -> str:
    """Return the interval with three decimals; a dagger marks one that counts clusters because everything is right, or nothing."""
    found = figure.interval
    if found is None:
        return ""
    return f"{found.low:.3f}–{found.high:.3f}" + ("†" if found.method == "clopper_pearson" else "")


def _lead(report: Report, headline: SplitReport) -> tuple[str, ...]:
    auroc, recall = headline.test["auroc"], headline.test["balanced_accuracy"]
    where = {
        "content_style": "On contents and styles it never saw",
        "content": "On contents it never saw",
        "generator": "On a generator it never saw",
        "style": "On styles it never saw",
        "random": "On pictures drawn at random",
        "train_is_test": "On the very pictures it was trained on",
    }[report.headline]
    bounds = f" ({interval(auroc)})" if auroc.interval else ""
    if auroc.interval and auroc.interval.method == "clopper_pearson":
        bounds = f" (above {number(auroc.interval.low)} with 95 % confidence: few contents and styles were tried)"
    chance = auroc.interval is not None and auroc.interval.low <= _CHANCE <= auroc.interval.high
    told = "cannot be told apart from chance: AUROC" if chance else "are told apart with AUROC"
    sentences = [
        f"{where}, originals and stylised pictures {told} {number(auroc.value)}{bounds}, balanced accuracy {number(recall.value)}."
    ]
    if report.spec.shuffle_labels:
        sentences.append(
            "The labels were shuffled: this is chance, as it should be."
            if chance
            else "The labels were shuffled, and yet this is not chance: something in the pictures or their division tells, or they are too few."
        )
    flattering = next((one for one in report.splits if one.name == "train_is_test"), None)
    if flattering and flattering is not headline:
        sentences.append(
            f"Tested as in the paper, on the pictures it was trained on, the accuracy is {number(flattering.test['accuracy'].value)}; "
            f"held out it is {number(headline.test['accuracy'].value)}."
        )
    worst = next((one for one in headline.styles if one.name == headline.worst_style), None)
    if worst and worst.recall < 1:
        sentences.append(f"The style missed most often is {worst.name}: {_found(worst)}.")
    return tuple(sentences)


def _beside(report: Report) -> bool:
    """There is a contrastive stage that the classifier does not see."""
    return bool(report.training) and report.spec.classify == "features"


def _found(group: Group) -> str:
    if group.pictures >= _FEW:
        return f"{group.recall:.0%} of its pictures are found"
    count = round(group.recall * group.pictures)
    return f"{count or 'none'} of its {group.pictures} tested pictures {'is' if count < 2 else 'are'} found"


def _facts(report: Report) -> tuple[tuple[str, str], ...]:
    spec, pictures = report.spec, report.pictures
    originals = sum(one.label == 0 for one in pictures)
    contrastive = OBJECTIVES["none"]
    if spec.training.objective != "none" and report.training:
        training = spec.training
        contrastive = f"{OBJECTIVES[training.objective]}; pairs: {PAIRS[training.pairs]}; {training.epochs} epochs"
    facts = [
        ("Pictures", f"{originals} originals, {len(pictures) - originals} stylised"),
        ("Contents", str(len({one.content for one in pictures}))),
        ("Styles", str(len({one.style for one in pictures} - {""}))),
        ("Generators", ", ".join(sorted({one.generator for one in pictures} - {""})) or "not known"),
        ("Features", f"{FEATURES[spec.features].title}, {report.features} numbers a picture"),
        ("Contrastive stage", contrastive),
        ("Classifier", CLASSIFIERS[spec.classifier]),
        ("It sees", CLASSIFIED[spec.classify] + (f"; {_UNTOUCHED}" if _beside(report) else "")),
        ("Seeds", f"{spec.seeds} from {spec.seed}; test share {spec.test_share:g}"),
    ]
    if spec.shuffle_labels:
        facts.append(("Labels", "shuffled, as a control"))
    return tuple(facts)


def _split(split: SplitReport, *, is_headline: bool) -> SplitView:
    runs = split.runs
    sizes = f"{len(runs)} {'run' if len(runs) == 1 else 'runs'}; the first trained on {runs[0].train.pictures} pictures and was tested on {runs[0].test.pictures}"
    kept = split.invariance
    return SplitView(
        name=split.name,
        title=split.title,
        note=split.note,
        is_headline=is_headline,
        size=sizes + (f", {runs[0].dropped} dropped." if runs[0].dropped else "."),
        rows=tuple(
            MetricRow(one.title, one.help, number(split.train[name].value), number(split.test[name].value), interval(split.test[name]))
            for name, one in METRICS.items()
        ),
        confusion=_confusion(split.confusion),
        roc=plots.roc([run.test.roc for run in runs]),
        reliability=plots.reliability(split.reliability),
        styles=_groups(split.styles, split.worst_style),
        generators=_groups(split.generators, None),
        worst_style=split.worst_style,
        permutation=_permutation(split.permutation),
        invariance=_invariance(kept),
        auroc=number(split.test["auroc"].value),
        accuracy=(number(split.train["accuracy"].value), number(split.test["accuracy"].value)),
    )


def _run_values(split: SplitReport) -> list[float]:
    values = [run.test.figures["auroc"].value for run in split.runs]
    return [value for value in values if value is not None] if len(values) > 1 else []


def _confusion(counts: tuple[int, int, int, int]) -> tuple[tuple[str, tuple[Cell, Cell]], ...]:
    found = []
    for title, row in (("Original", counts[:2]), ("Stylised", counts[2:])):
        total = max(sum(row), 1)
        one, other = (Cell(count, f"{count / total:.0%}" if total >= _FEW else "", round(count / total * (_SHADES - 1))) for count in row)
        found.append((title, (one, other)))
    return tuple(found)


def _groups(groups: tuple[Group, ...], worst: str | None) -> tuple[GroupRow, ...]:
    return tuple(
        GroupRow(
            one.name,
            one.pictures,
            number(one.recall),
            interval(Figure(value=one.recall, interval=one.interval)),
            round(100 * one.recall, 1),
            one.name == worst and one.recall < 1,
        )
        for one in sorted(groups, key=lambda one: (one.recall, one.name))
    )


def _permutation(found: Permutation | None) -> str:
    if found is None:
        return ""
    how = "the classifier fitted again for each swap" if found.refitted else "the test labels swapped"
    floor = f"; {found.swaps} swaps over {found.contents} contents allow no smaller than {found.smallest:.3g}"
    return f"Permutation test: p = {found.p:.3g} (labels swapped within contents, {how}{floor})."


def _invariance(found: Invariance) -> tuple[str, str, str]:
    return number(found.retrieval), number(found.chance), number(found.alignment)


def _baselines(baselines: tuple[Baseline, ...], headline: SplitReport) -> tuple[BaselineRow, ...]:
    if not baselines:
        return ()
    ours = ("This experiment", "What the report is about.", headline.test)
    return tuple(
        BaselineRow(title, words, number(figures["auroc"].value), interval(figures["auroc"]), number(figures["balanced_accuracy"].value))
        for title, words, figures in (ours, *((one.title, one.help, one.figures) for one in baselines))
    )


def _plane_note(report: Report) -> str:
    if report.map is None:
        return ""
    explained = report.map.explained
    share = "" if explained is None else f", which hold {explained:.0%} of the variance"
    way = "the two main directions (PCA)" if report.map.method == "PCA" else "UMAP"
    return f"Test pictures of the first run of the headline: {report.map.shown} along {way}{share}. A line joins a content with its stylised picture."


def training_lines(steps: Sequence[TrainStep | TrainPoint], *, epochs: int | None = None) -> tuple[plots.Lines, ...]:
    """Return a contrastive stage along its epochs.

    Args:
        epochs: of the whole training, while it goes on, so that the drawing fills instead of shrinking.
    """
    at = [step.epoch for step in steps]
    if len(at) < 2:
        return ()
    drawn = (
        plots.lines("Loss", at, [("training", [s.loss for s in steps]), ("held out", [s.held_out_loss for s in steps])], until=epochs),
        plots.lines(
            "Alignment", at, [("training", [s.alignment for s in steps]), ("held out", [s.held_out_alignment for s in steps])], until=epochs
        ),
        plots.lines(
            "Invariance against detection",
            at,
            [("retrieval R@1", [s.retrieval for s in steps]), ("detection AUROC", [s.detection for s in steps])],
            share=True,
            until=epochs,
        ),
        plots.lines("Uniformity", at, [("training", [s.uniformity for s in steps])], until=epochs),
        plots.lines("Effective rank", at, [("training", [s.effective_rank for s in steps])], until=epochs),
    )
    return tuple(one for one in drawn if one)
