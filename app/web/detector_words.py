"""What the shipped detector was measured to do, in the words that stand beside every verdict."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DetectorWords:
    """``measured``: its figures on pictures it had never seen, or None; ``card``: the address of its model card, or None."""

    measured: str | None = None
    card: str | None = None
