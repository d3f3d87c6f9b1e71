"""What the grid shows, in plain words made from its figures, "no effect" included."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.hypothesis import AUGMENTATIONS, CONTRASTS, AugmentationName, Cell, ContrastName, Effect, Outcome, Side, Trial
from app.core.report import Figure

# What the hypothesis is about: both together.
_TOGETHER: tuple[tuple[AugmentationName, ContrastName], ...] = (("style", "nt_xent"), ("style", "supcon"))
_EFFECTS: tuple[tuple[Side, str, str], ...] = (
    ("augmentation", "style", "none"),
    ("augmentation", "style", "jitter"),
    ("augmentation", "jitter", "none"),
    ("contrast", "nt_xent", "none"),
    ("contrast", "supcon", "none"),
    ("contrast_with_style", "nt_xent", "none"),
    ("contrast_with_style", "supcon", "none"),
)


def conclude(cells: Sequence[Cell], effects: Sequence[Effect], trials: Sequence[Trial]) -> tuple[str, ...]:
    """Return sentences: the answer first, then what each part of the method does by itself."""
    found = {(cell.augmentation, cell.contrast): cell for cell in cells}
    both = [
        (f"{AUGMENTATIONS[row]} with {CONTRASTS[column]}", [(one.difference, one.outcome) for one in found[row, column].results])
        for row, column in _TOGETHER
    ]
    sentences = [_answer([outcome for _, results in both for _, outcome in results])]
    sentences += [_told(f"{name}, beside neither", results, trials) for name, results in both]
    for side, changed, against in _EFFECTS:
        ours = {one.trial: one for one in effects if (one.side, one.changed, one.against) == (side, changed, against)}
        if ours:
            results = [(ours[trial.name].difference, ours[trial.name].outcome) for trial in trials]
            sentences.append(_told(_subject(side, changed, against), results, trials))
    differences = (len(cells) - 1) * len(trials)
    sentences.append(
        f"The grid has {differences} differences; with 95 % intervals about {max(1, round(differences * 0.05))} of them"
        " would leave out zero by chance alone, so a single one near its edge proves little."
    )
    return tuple(sentences)


def points(found: Figure) -> str:
    """Return a difference in percentage points with its interval."""
    value = f"{_signed(found.value or 0.0)} points"
    return f"{value} ({_signed(found.interval.low)} to {_signed(found.interval.high)})" if found.interval else value


def _answer(outcomes: Sequence[Outcome]) -> str:
    better, worse = "better" in outcomes, "worse" in outcomes
    if better and worse:
        return "Style transfer together with contrastive learning helps in some respects and harms in others on these pictures."
    if better:
        where = "wherever it was tested" if set(outcomes) == {"better"} else "in some respects, and harms in none that can be told,"
        return f"Style transfer together with contrastive learning improves classification {where} on these pictures."
    if worse:
        return (
            "Style transfer together with contrastive learning does not improve classification on these pictures:"
            " a gain can be told nowhere, and in some respects it harms."
        )
    return (
        "Whether style transfer together with contrastive learning improves classification cannot be told from no effect on these pictures."
    )


def _told(subject: str, results: Sequence[tuple[Figure, Outcome]], trials: Sequence[Trial]) -> str:
    """Return one sentence: where it is better, where worse, and where it cannot be told."""
    parts = []
    for wanted, words in (("better", "better on"), ("worse", "worse on"), ("unclear", "cannot be told from no effect on")):
        ours = [
            f"{_lower(trial.title)}, {points(difference)}"
            for trial, (difference, outcome) in zip(trials, results, strict=True)
            if outcome == wanted
        ]
        if ours:
            parts.append(f"{words} {' and '.join(ours)}")
    return f"{subject}: {'; '.join(parts)}."


def _subject(side: Side, changed: str, against: str) -> str:
    if side == "augmentation":
        names: dict[str, str] = {str(name): title for name, title in AUGMENTATIONS.items()}
        beside = f" rather than {names[against].lower()}" if against != "none" else " by itself"
        return f"{names[changed]}{beside}, over all columns"
    title = {str(name): title for name, title in CONTRASTS.items()}[changed]
    return f"{title} by itself, over all rows" if side == "contrast" else f"{title} added to style transfer"


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]


def _signed(share: float) -> str:
    rounded = round(100 * share, 1)
    return f"{rounded:+.1f}".replace("-", "−") if rounded else "0.0"
