"""What the grid shows, in a few plain words made from its figures, "no effect" included; the grid itself has the rest."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.hypothesis import CONTRASTS, AugmentationName, Cell, ContrastName, Effect, Outcome, Result, Side, Trial
from app.core.report import Figure

# What the hypothesis is about: both together.
_TOGETHER: tuple[tuple[AugmentationName, ContrastName], ...] = (("style", "nt_xent"), ("style", "supcon"))
_PARTS: tuple[tuple[Side, str, str], ...] = (
    ("augmentation", "style", "style transfer"),
    ("contrast", "nt_xent", CONTRASTS["nt_xent"]),
    ("contrast", "supcon", CONTRASTS["supcon"]),
)


def conclude(cells: Sequence[Cell], effects: Sequence[Effect], trials: Sequence[Trial]) -> tuple[str, ...]:
    """Return sentences: the answer, by how much, and what each part of the method does by itself."""
    where = {one.name: _where(one) for one in trials}
    found = {(cell.augmentation, cell.contrast): cell for cell in cells}
    together = [(CONTRASTS[column], one) for row, column in _TOGETHER for one in found[row, column].results]
    sentences = [_answer([one.outcome for _, one in together]), _by_how_much(together, where)]
    if parts := _parts(effects, where):
        sentences.append(parts)
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


def _by_how_much(together: Sequence[tuple[str, Result]], where: dict[str, str]) -> str:
    """Return the largest gain and the largest loss beside training with neither, of those that can be told."""
    told = []
    for outcome, word in (("better", "gain"), ("worse", "loss")):
        ours = [(abs(one.difference.value or 0.0), name, one) for name, one in together if one.outcome == outcome]
        if ours:
            _, name, one = max(ours, key=lambda found: found[0])
            told.append(f"the largest {word} is {points(one.difference)} with {name} on {where[one.trial]}")
    if not told:
        return f"None of its {len(together)} differences to training with neither can be told from chance."
    return f"Beside training with neither, {', and '.join(told)}."


def _parts(effects: Sequence[Effect], where: dict[str, str]) -> str:
    """Return what rows and columns do on average over the other side of the grid."""
    told, silent = [], []
    for side, changed, name in _PARTS:
        ours = [one for one in effects if (one.side, one.changed, one.against) == (side, changed, "none")]
        said = [
            f"{outcome} on {_listed([where[one.trial] for one in ours if one.outcome == outcome])}"
            for outcome in ("better", "worse")
            if any(one.outcome == outcome for one in ours)
        ]
        if said:
            told.append(f"{name} is {' and '.join(said)}")
        elif ours:
            silent.append(name)
    if silent:
        told.append(f"{_listed(silent)} cannot be told from no effect")
    return f"By themselves, on average over the grid: {'; '.join(told)}." if told else ""


def _where(trial: Trial) -> str:
    known = {"clean": "clean pictures", "stylised": "unseen styles"}
    return known.get(trial.kind) or trial.title[:1].lower() + trial.title[1:]


def _listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]


def _signed(share: float) -> str:
    rounded = round(100 * share, 1)
    return f"{rounded:+.1f}".replace("-", "−") if rounded else "0.0"
