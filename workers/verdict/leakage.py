"""Ways in which the answer can leak into the test, each looked for and reported with what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from app.core.experiments import SPLITS, SplitName
from app.core.report import Figure, Finding
from app.imaging.fingerprint import NEAR, distances, near_pairs
from workers.verdict.splits import Fold
from workers.verdict.table import FILE, ORIGINAL, UNKNOWN_PRINT, Table

_ROWS = 512
# Weights of fewer clusters than this say little of how far their mean may lie from that of all.
ENOUGH_STYLES = 5


def merged_contents(table: Table) -> tuple[NDArray[np.str_], Finding | None]:
    """Return the contents with originals that are nearly the same picture under one name, and what was merged.

    Merged contents stay in one part of every split by content. Without fingerprints nothing is merged.
    """
    if table.fingerprint is None:
        return table.content, None
    rows = np.flatnonzero(table.label == ORIGINAL)
    merged, twins = _merged(table.content, table.content[rows], table.name[rows], table.fingerprint[rows])
    return merged, _twins("twins", "Copies among the originals", twins, "originals are nearly the same picture", "content")


def merged_styles(table: Table) -> tuple[NDArray[np.str_], Finding | None]:
    """Return the styles with nearly the same style pictures under one name, and what was merged.

    The same painting sent twice would otherwise be a training style and a test style at once.
    Without fingerprints of style pictures nothing is merged.
    """
    if table.style_fingerprint is None:
        return table.style, None
    rows = np.flatnonzero((table.style != "") & (table.style_fingerprint != UNKNOWN_PRINT))
    names, first = np.unique(table.style[rows], return_index=True)
    if not len(names):
        return table.style, None
    merged, twins = _merged(table.style, names, names, table.style_fingerprint[rows][first])
    return merged, _twins("style_twins", "Copies among the styles", twins, "style pictures are nearly the same", "style")


def _merged(
    column: NDArray[np.str_], names: NDArray[np.str_], shown: NDArray[np.str_], prints: NDArray[np.uint64]
) -> tuple[NDArray[np.str_], list[str]]:
    """Return the (n,) column with names whose pictures are nearly the same replaced by one of them, and each pair that made it so.

    Args:
        column: names to be merged.
        names, shown, prints: (m,) of each picture the name it stands for, its name for people, and its fingerprint.
    """
    parent = {name: name for name in map(str, np.unique(column))}

    def root(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    twins = []
    for one, other, _ in near_pairs(prints):
        first, second = root(str(names[one])), root(str(names[other]))
        if first != second:
            parent[max(first, second)] = min(first, second)
            twins.append(f"{shown[one]} and {shown[other]}")
    return np.array([root(str(name)) for name in column]), twins


def _twins(name: str, title: str, twins: Sequence[str], alike: str, kind: str) -> Finding:
    sentence = f"No two {alike}."
    if twins:
        listed = "; ".join(twins[:5]) + (f"; and {len(twins) - 5} more" if len(twins) > 5 else "")
        sentence = f"Nearly the same picture under two names: {listed}. They count as one {kind} and stay in one part."
    return Finding(name=name, title=title, sound=not twins, value=float(len(twins)), sentence=sentence)


def shared(table: Table, folds: Mapping[SplitName, Sequence[Fold]]) -> list[Finding]:
    """Return for each split how many test pictures have their content, or nearly themselves, in the training part."""
    found = []
    for name, runs in folds.items():
        contents = np.mean([np.isin(table.content[fold.test], table.content[fold.train]).mean() for fold in runs])
        sentence = f"{contents:.0%} of the test pictures have their content in the training part."
        worst = float(contents)
        if table.fingerprint is not None:
            copies = np.mean([_seen(table.fingerprint[fold.test], table.fingerprint[fold.train]).mean() for fold in runs])
            worst = max(worst, float(copies))
            sentence += f" {copies:.0%} are nearly the same as a training picture by their perceptual hash."
        if worst:
            sentence += " The figures of this split flatter; judge by the strictest."
        found.append(Finding(name=f"shared_{name}", title=SPLITS[name], sound=not worst, value=round(worst, 6), sentence=sentence))
    return found


def file_only(auroc: Figure | None, columns: int, *, stopped: bool = False) -> Finding:
    """Return what a classifier that sees nothing but the files' outside reaches; it should be at chance.

    Args:
        auroc: of that classifier, or None where it was not tried.
        columns: how many of ``FILE`` it saw; 0 where nothing is known.
        stopped: the experiment was ended before it was tried.
    """
    name, title = "file_only", "Size and format alone"
    if auroc is None or auroc.value is None:
        why = "The files' sizes and formats are not known" if not columns else "These pictures do not allow it"
        why = "The experiment was stopped before the files' sizes and formats were tried" if stopped else why
        return Finding(name=name, title=title, sound=True, value=None, sentence=f"{why}, so this was not checked.")
    chance = _at_chance(auroc)
    verdict = (
        "which is chance: the files' outside does not tell."
        if chance
        else "which is better than chance: the two classes came as different files, and a classifier can learn that instead of the "
        "picture. Give both classes the same."
    )
    known, unknown = FILE[:columns], FILE[columns:]
    sentence = f"{_listed(known).capitalize()} reach AUROC {auroc.value:.3f}, {verdict}"
    if unknown:
        sentence += f" Not compared: {_listed(unknown)}, which only a picture that was sent as a file has."
    return Finding(name=name, title=title, sound=chance, value=auroc.value, sentence=sentence)


def _listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]


def few_styles(table: Table, folds: Sequence[Fold]) -> Finding | None:
    """Return whether the test parts hold styles enough for an interval to tell how styles differ; None where styles are not known."""
    counts = [len(set(table.style[fold.test]) - {""}) for fold in folds]
    if not max(counts):
        return None
    fewest = min(counts)
    few = fewest < ENOUGH_STYLES
    sentence = f"A test part holds {fewest} style{'s' if fewest != 1 else ''} at least"
    sentence += (
        f", fewer than {ENOUGH_STYLES}: the interval holds little of the variation between styles, and the figure on other styles may lie"
        " outside it. Add styles, or hold out a larger share."
        if few
        else ", enough for the interval to hold some of the variation between styles."
    )
    return Finding(name="few_styles", title="Styles in the test part", sound=not few, value=float(fewest), sentence=sentence)


def shuffled(auroc: Figure | None) -> Finding:
    """Return whether an experiment with shuffled labels fell to chance on its headline."""
    value = None if auroc is None else auroc.value
    chance = auroc is None or _at_chance(auroc)
    sentence = "Labels were shuffled: " + (
        "the headline is at chance, as it must be." if chance else "the headline is still better than chance, so something leaks."
    )
    return Finding(name="shuffled", title="Shuffled labels", sound=chance, value=value, sentence=sentence)


def _at_chance(auroc: Figure) -> bool:
    """Return whether resampling reaches one half. An AUROC of 1 is not chance, however few clusters stand behind it."""
    if auroc.value is None or auroc.value <= 0.5:
        return True
    return auroc.value < 1 and (auroc.interval is None or auroc.interval.low <= 0.5)


def _seen(test: NDArray[np.uint64], train: NDArray[np.uint64]) -> NDArray[np.bool_]:
    return np.concatenate([(distances(test[start : start + _ROWS], train) <= NEAR).any(axis=1) for start in range(0, len(test), _ROWS)])
