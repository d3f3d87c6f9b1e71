"""Described pictures in which style transfer helps by construction, or nothing does."""

from __future__ import annotations

import numpy as np

from workers.study.cells import Away, Described

CLASSES, DIMENSIONS = 3, 20


def described(per_class: int, *, style_matters: bool, seed: int = 0) -> Described:
    """Return features in which a clean picture tells its class twice: by a strong cue and by a weak one.

    A style wipes the strong cue out and puts that of a random class in its place; the weak one stays. Who has
    never seen a stylised picture trusts the strong cue. Without ``style_matters`` a stylised copy is the
    picture itself, and every training sees the same.
    """
    rng = np.random.default_rng(seed)
    klass = np.repeat(np.arange(CLASSES), per_class)
    # The strong cue is told five times over.
    weak, strong = 4.0 * np.eye(CLASSES, DIMENSIONS), np.zeros((CLASSES, DIMENSIONS))
    strong[:, CLASSES : 6 * CLASSES] = np.tile(4.0 * np.eye(CLASSES), 5)

    def pictures(truth: np.ndarray, told: np.ndarray) -> np.ndarray:
        return (strong[told] + weak[truth] + 0.5 * rng.standard_normal((len(truth), DIMENSIONS))).astype(np.float32)

    def other() -> np.ndarray:
        return rng.integers(CLASSES, size=len(klass))

    home = pictures(klass, klass)
    stylised = [pictures(klass, other()) if style_matters else home for _ in range(3)]
    return Described(
        home=home,
        klass=klass,
        cluster=np.arange(len(klass)),
        copies={"jitter": np.stack([home, home], axis=1), "style": np.stack(stylised[:2], axis=1)},
        unseen=stylised[2],
        style=np.array([f"style {place % 4}" for place in range(len(klass))]),
        away={"sketch": Away(pictures(klass, klass), klass, len(klass) + np.arange(len(klass)))},
    )
