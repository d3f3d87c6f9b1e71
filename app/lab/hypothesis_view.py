"""A hypothesis report as its page shows it: texts and shades, ready for the templates."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.features import FEATURES
from app.core.hypothesis import AUGMENTATIONS, CONTRASTS, LEAST_DIFFERENT, Effect, HypothesisReport, Outcome, Result, Trial
from app.core.report import Figure

_SHADES = 5
# Accuracies nearer to each other than this are one shade: no more than noise.
_LEAST_RANGE = 0.02
# Older reports tell of every difference in a sentence of its own.
_SENTENCES = 3
_WORDS: dict[Outcome, str] = {"better": "better", "worse": "worse", "unclear": "no effect can be told"}


@dataclass(frozen=True)
class CellView:
    """A cell of one trial's grid; ``shade`` is 0 to 4, darker for more right answers, ``state`` a class of the style sheet.

    ``few`` pictures bear its difference, so that its words have to be said.
    """

    accuracy: str
    interval: str
    balanced: str
    difference: str
    words: str
    state: str
    shade: int
    few: bool


@dataclass(frozen=True)
class RowView:
    title: str
    cells: tuple[CellView, ...]


@dataclass(frozen=True)
class EffectView:
    title: str
    difference: str
    words: str
    state: str


@dataclass(frozen=True)
class TrialView:
    title: str
    size: str
    rows: tuple[RowView, ...]
    effects: tuple[EffectView, ...]


@dataclass(frozen=True)
class HypothesisView:
    """Everything that the hypothesis's templates name."""

    answer: str
    conclusion: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    trials: tuple[TrialView, ...]
    notes: tuple[str, ...]
    budget: str
    caution: str
    least: int
    stopped: bool


def view(report: HypothesisReport) -> HypothesisView:
    """Return what the page shows of a report."""
    return HypothesisView(
        answer=report.conclusion[0],
        conclusion=report.conclusion[1:_SENTENCES],
        facts=_facts(report),
        columns=tuple(CONTRASTS.values()),
        trials=tuple(_trial(report, trial) for trial in report.trials),
        notes=report.notes,
        budget=budget_in_words(report),
        caution=_caution(report),
        least=LEAST_DIFFERENT,
        stopped=report.stopped,
    )


def budget_in_words(report: HypothesisReport) -> str:
    """Return what every cell was given alike."""
    budget, copies = report.budget, report.spec.copies
    return (
        f"For each seed every cell is trained on the same {budget.fitted} pictures for {budget.steps:,} optimiser steps that see"
        f" {budget.vectors:,} feature vectors, {budget.batch} a step. Where there is a contrastive stage it takes half of them and the linear"
        f" classifier the other half. Each time a picture is drawn, one of {copies + 1} views of it is: the picture itself or one of {copies}"
        f" jittered or stylised copies; without augmentation all of them are the picture itself. {budget.validated} more pictures decide"
        f" how strongly the classifier's weights are held back, and {budget.tested} are tested."
    )


def percent(value: float | None) -> str:
    """Return a share in per cent with one decimal, or a dash where there is none."""
    return "–" if value is None else f"{100 * value:.1f} %"


def points(figure: Figure) -> str:
    """Return a difference in percentage points with its interval."""
    if figure.value is None:
        return "–"
    between = figure.interval
    return signed(figure.value) + (f" ({signed(between.low)} to {signed(between.high)})" if between else "")


def told(found: Result | Effect) -> tuple[str, str]:
    """Return a difference, with its interval where enough pictures bear it, and what can be said of it."""
    if found.differing is None or found.differing >= LEAST_DIFFERENT:
        return points(found.difference), _WORDS[found.outcome]
    few = f"too few pictures differ ({found.differing})" if found.differing else "no picture differs"
    return signed(found.difference.value or 0.0), few


def signed(share: float) -> str:
    """Return a difference of shares in percentage points, with its sign."""
    rounded = round(100 * share, 1)
    return f"{rounded:+.1f}".replace("-", "−") if rounded else "0.0"


def effect_title(effect: Effect) -> str:
    """Return what stands beside what."""
    names = {str(name): title for name, title in (AUGMENTATIONS if effect.side == "augmentation" else CONTRASTS).items()}
    against = names[effect.against]
    title = f"{names[effect.changed]} against {against[:1].lower() + against[1:] if effect.against == 'none' else against}"
    return f"{title}, with style transfer" if effect.side == "contrast_with_style" else title


def _trial(report: HypothesisReport, trial: Trial) -> TrialView:
    results = {(cell.augmentation, cell.contrast): one for cell in report.cells for one in cell.results if one.trial == trial.name}
    values = [one.accuracy.value or 0.0 for one in results.values()]
    low, spread = min(values), max(max(values) - min(values), _LEAST_RANGE)
    rows = tuple(
        RowView(title, tuple(_cell(results[row, column], low, spread, is_base=(row, column) == ("none", "none")) for column in CONTRASTS))
        for row, title in AUGMENTATIONS.items()
    )
    effects = tuple(EffectView(effect_title(one), *told(one), _state(one.outcome)) for one in report.effects if one.trial == trial.name)
    styles = f" in {trial.styles} unseen styles" if trial.styles else ""
    return TrialView(trial.title, f"{trial.pictures} pictures{styles}", rows, effects)


def _cell(result: Result, low: float, spread: float, *, is_base: bool) -> CellView:
    between = result.accuracy.interval
    value = result.accuracy.value or 0.0
    difference, words = ("what the others are compared with", "") if is_base else told(result)
    return CellView(
        accuracy=percent(result.accuracy.value),
        interval=f"{100 * between.low:.1f} to {100 * between.high:.1f}" if between else "",
        balanced=percent(result.balanced.value),
        difference=difference,
        words=words,
        state="" if is_base else _state(result.outcome),
        shade=min(int((value - low) / spread * _SHADES), _SHADES - 1),
        few=not is_base and result.differing is not None and result.differing < LEAST_DIFFERENT,
    )


def _caution(report: HypothesisReport) -> str:
    """Return how many of the grid's differences chance alone would let stand out."""
    differences = (len(report.cells) - 1) * len(report.trials)
    return (
        f"The grid has {differences} differences; with 95 % intervals about {max(1, round(differences * 0.05))} of them"
        " would leave out zero by chance alone, so a single one near its edge proves little."
    )


def _state(outcome: Outcome) -> str:
    return "" if outcome == "unclear" else f"is-{outcome}"


def _facts(report: HypothesisReport) -> tuple[tuple[str, str], ...]:
    spec = report.spec
    seeds = f"{len(report.seeds)}, from {report.seeds[0]}"
    return (
        ("Trained on", report.train_domain or "the only domain"),
        ("Classes", ", ".join(report.classes)),
        ("Features", FEATURES[spec.features].title),
        ("Classified after the contrastive stage", "the embedding" if spec.classify == "embedding" else "features and embedding"),
        ("Styles seen / unseen", f"{len(report.seen)} / {len(report.unseen)}"),
        ("Seeds", seeds),
        ("Time", f"{report.seconds / 60:.1f} minutes"),
    )
