"""What may be changed while a picture is being painted: weights of the objective, which cost no new graph."""

from __future__ import annotations

from app.core.commission import Commission
from app.core.specs import STYLE_LAYERS

STEERABLE = ("strength", "content_weight", *(f"style_{layer}" for layer in STYLE_LAYERS), "tv")


def settings_of(commission: Commission) -> dict[str, float]:
    """Return what is in effect: each parameter of ``STEERABLE``, and ``weight_1``, ``weight_2`` … of the paintings."""
    found = {name: float(getattr(commission.params, name)) for name in STEERABLE}
    return found | {f"weight_{number}": float(style.weight) for number, style in enumerate(commission.styles, start=1)}
