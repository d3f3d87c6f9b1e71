"""What may be changed while a picture is being painted: weights of the objective, which cost no new graph."""

from __future__ import annotations

from app.core.commission import Commission
from app.core.specs import STYLE_LAYERS, StyleParams, base_side

STEERABLE = ("strength", "content_weight", *(f"style_{layer}" for layer in STYLE_LAYERS), "tv")


def settings_of(commission: Commission) -> dict[str, float]:
    """Return what is in effect: each parameter of ``STEERABLE``, and ``weight_1``, ``weight_2`` … of the paintings."""
    found = {name: float(getattr(commission.params, name)) for name in STEERABLE}
    return found | {f"weight_{number}": float(style.weight) for number, style in enumerate(commission.styles, start=1)}


def is_painted(params: StyleParams) -> bool:
    """Tell whether there are iterations to steer: an instant picture has none, nor has one whose colours alone are taken over."""
    enlarged = params.enlarging > 0 and base_side(params.size) < params.size
    return params.colours != "only" and bool(params.iterations) and (sum(params.iterations) > 0 or enlarged)
