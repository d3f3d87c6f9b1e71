"""Feature sets as data: which activations of InceptionV3 describe a picture, and by which statistics."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Statistic = Literal["mean", "mean_square"]
FeatureSetName = Literal["pooled", "midlevel", "both"]

# Channels of the layers that a feature set may name.
CHANNELS: dict[str, int] = {
    "conv_2": 64,
    "conv_4": 192,
    "mixed": 256,
    "mixed_1": 288,
    "mixed_2": 288,
    **{f"mixed_{number}": 768 for number in range(3, 8)},
    "mixed_8": 1280,
    "mixed_9": 2048,
    "mixed_10": 2048,
}


class FeatureSet(BaseModel):
    """Statistics over all positions of some layers, one after another, as one vector.

    Means and mean squares are sums over positions, so that a linear classifier's logit can be
    divided among the positions exactly; deviations could not be.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    help: str
    parts: tuple[tuple[str, Statistic], ...]

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers needed, shallow to deep, each once."""
        return tuple(dict.fromkeys(layer for layer, _ in self.parts))

    @property
    def length(self) -> int:
        return sum(CHANNELS[layer] for layer, _ in self.parts)


_BOTH: tuple[Statistic, ...] = ("mean", "mean_square")
_POOLED: tuple[tuple[str, Statistic], ...] = (("mixed_10", "mean"),)
_MIDLEVEL: tuple[tuple[str, Statistic], ...] = (
    ("mixed_2", "mean"),
    ("mixed_2", "mean_square"),
    ("mixed_4", "mean"),
    ("mixed_4", "mean_square"),
)

FEATURES: dict[str, FeatureSet] = {
    one.name: one
    for one in (
        FeatureSet(
            name="pooled", title="Pooled", help="The 2048 averages of the last layer, as in the paper: what is shown.", parts=_POOLED
        ),
        FeatureSet(
            name="midlevel",
            title="Mid-level",
            help="Means and mean squares of two middle blocks: textures and brush strokes rather than things.",
            parts=_MIDLEVEL,
        ),
        FeatureSet(name="both", title="Both", help="Mid-level statistics, then the pooled ones.", parts=_MIDLEVEL + _POOLED),
    )
}
DEFAULT_FEATURES: FeatureSetName = "both"

# The shipped detector's own: from the stem, which sees brush strokes and the traces of decoders, to what is shown.
# Measured against smaller sets in docs/detector.md.
DETECTOR_FEATURES = FeatureSet(
    name="detector",
    title="Every depth",
    help="Means and mean squares from the stem to the eighth block, and the pooled features.",
    parts=(
        *(
            (layer, statistic)
            for layer in ("conv_2", "conv_4", "mixed", "mixed_2", "mixed_3", "mixed_4", "mixed_6", "mixed_8")
            for statistic in _BOTH
        ),
        *_POOLED,
    ),
)
