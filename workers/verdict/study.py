"""What the detector owes to each choice: one choice changed at a time, measured on the validation part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.core.features import CHANNELS, DETECTOR_FEATURES, FeatureSet
from workers.verdict.card import OURS, auroc
from workers.verdict.training import CLEAN, PENALTY, Bank, fit

Keep = Callable[[Bank], NDArray[np.bool_]]


@dataclass(frozen=True)
class Choice:
    """One way of fitting.

    Attributes:
        name: in words.
        layers: whose statistics are used; empty for all.
        penalty: see ``training.fit``.
        keep: rows of the training part that are used.
    """

    name: str
    layers: tuple[str, ...] = ()
    penalty: float = PENALTY
    keep: Keep = lambda bank: np.ones(len(bank.group), bool)


@dataclass(frozen=True)
class Outcome:
    """What a choice gives on the validation part: AUROC by view and generator, and what is called stylised where
    five pictures in a hundred of all originals, as they are, are."""

    choice: Choice
    auroc: dict[tuple[str, str], float]
    paintings: float
    recall: dict[str, float]


CHOICES = (
    Choice("as shipped"),
    Choice("pooled features only", layers=("mixed_10",)),
    Choice("mixed_2 and mixed_4", layers=("mixed_2", "mixed_4")),
    Choice("mixed_2, mixed_4 and pooled", layers=("mixed_2", "mixed_4", "mixed_10")),
    Choice("stem to mixed_4", layers=("conv_2", "conv_4", "mixed", "mixed_2", "mixed_3", "mixed_4")),
    Choice("penalty 100 times larger", penalty=100 * PENALTY),
    Choice("penalty 10 times larger", penalty=10 * PENALTY),
    Choice("penalty 10 times smaller", penalty=PENALTY / 10),
    Choice("no worn pictures in training", keep=lambda bank: bank.view == CLEAN),
    Choice("no paintings in training", keep=lambda bank: ~np.isin(bank.group, ("painting", "style"))),
    Choice("no AdaIN in training", keep=lambda bank: bank.group != "adain"),
    Choice("no optimiser in training", keep=lambda bank: bank.group != "optimiser"),
)


def outcomes(
    bank: Bank, validation: Bank, choices: tuple[Choice, ...] = CHOICES, features: FeatureSet = DETECTOR_FEATURES
) -> Iterator[Outcome]:
    """Yield what each choice gives.

    Args:
        bank: the training part.
        validation: the validation part.
        features: what the columns are.
    """
    for choice in choices:
        columns = _columns(features, choice.layers)
        kept = bank.where(choice.keep(bank))
        weights, bias = fit(Bank(kept.features[:, columns], kept.group, kept.view, kept.name, kept.content, kept.style), choice.penalty)
        logits = np.asarray(validation.features[:, columns] @ weights + bias, np.float64)
        views = tuple(dict.fromkeys(validation.view.tolist()))
        areas = {(view, name): auroc(name, logits, validation, view, resamples=1).value for view in views for name in OURS}
        clean = validation.view == CLEAN
        threshold = float(np.quantile(logits[clean & ~validation.stylised], 0.95))
        share = {name: float((logits[clean & (validation.group == name)] > threshold).mean()) for name in (*OURS, "painting")}
        yield Outcome(choice, areas, share.pop("painting"), share)


def _columns(features: FeatureSet, layers: tuple[str, ...]) -> NDArray[np.intp]:
    found, at = [], 0
    for layer, _ in features.parts:
        if not layers or layer in layers:
            found.append(np.arange(at, at + CHANNELS[layer]))
        at += CHANNELS[layer]
    return np.concatenate(found)


def markdown(found: list[Outcome]) -> str:
    """Return the outcomes as a Markdown table."""
    views = list(dict.fromkeys(view for view, _ in found[0].auroc))
    heads = [f"{name}, {view}" for view in views for name in OURS]
    rows = [f"| choice | {' | '.join(heads)} | {' | '.join(f'{name} found' for name in OURS)} | paintings called stylised |"]
    rows.append("|---" * (len(heads) + len(OURS) + 2) + "|")
    for one in found:
        areas = [f"{one.auroc[view, name]:.4f}" for view in views for name in OURS]
        rows.append(
            f"| {one.choice.name} | {' | '.join(areas)} | {' | '.join(f'{one.recall[name]:.2f}' for name in OURS)} | {one.paintings:.3f} |"
        )
    return "\n".join(rows)
