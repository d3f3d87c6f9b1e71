"""Parameters of a style transfer: names, ranges, defaults and help, each stated once."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from app.core.errors import ParameterError, ParameterErrors

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
# Of a picture, and of the coarsest scale: below it relu5_1 has hardly a pixel.
MIN_SIDE = 32
_MOST_ITERATIONS = 5000
# A larger picture is painted at half its size first, and enlarged: so it becomes what the small one promised.
LARGEST_BASE = 724
# Longer side over shorter.
MAX_ASPECT = 8


class StyleParams(BaseModel):
    """Everything that decides the pixels, besides the two pictures.

    A rule over several fields is checked at the last of them in this order, so that its
    message has a field, and is told together with what is wrong elsewhere.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    size: int = Field(
        512,
        ge=64,
        le=4096,
        title="Size",
        description="Longer side of the finished picture, in pixels. Twice the size takes three to four times as long.",
    )
    aspect: Literal["keep", "square"] = Field(
        "keep", title="Shape", description="Keep the photograph's proportions, or squeeze it into a square as the paper does."
    )
    colours: Literal["painting", "photograph", "matched", "only"] = Field(
        "painting",
        title="Colours",
        description="The painting's; the photograph's, under the painting's light and dark; the painting's brush work in the "
        "photograph's range of colours; or only the painting's colours on the photograph, without brush work.",
    )
    strength: float = Field(
        1.0, ge=0.05, le=20.0, title="Strength", description="How strongly the painting shows: multiplies every style weight."
    )
    style_relu1_1: float = Field(1.0, ge=0.0, le=10.0, title="Style at relu1_1", description="Weight of colours and finest texture.")
    style_relu2_1: float = Field(1.0, ge=0.0, le=10.0, title="Style at relu2_1", description="Weight of fine texture.")
    style_relu3_1: float = Field(1.0, ge=0.0, le=10.0, title="Style at relu3_1", description="Weight of small brush strokes.")
    style_relu4_1: float = Field(1.0, ge=0.0, le=10.0, title="Style at relu4_1", description="Weight of large brush strokes.")
    style_relu5_1: float = Field(1.0, ge=0.0, le=10.0, title="Style at relu5_1", description="Weight of the largest motifs.")
    content_weight: float = Field(1.0, ge=0.0, le=100.0, title="Content weight", description="How firmly the photograph's shapes are held.")
    content_layer: Literal["relu3_2", "relu4_2", "relu5_2"] = Field(
        "relu4_2", title="Content layer", description="Where in VGG19 shapes are compared; later layers hold them more loosely."
    )
    tv: float = Field(
        0.0, ge=0.0, le=100.0, title="Smoothness", description="Total variation weight; higher values remove speckle and fine texture."
    )
    style_scale: float = Field(
        1.0,
        ge=0.25,
        le=2.0,
        title="Style scale",
        description="Size of the painting relative to the result: larger gives larger brush strokes.",
    )
    iterations: tuple[int, ...] = Field(
        (50, 20),
        max_length=5,
        title="Iterations",
        description="Steps at each scale, coarse to fine, up to 724 pixels; each scale is half of the next. Empty: instant picture only.",
    )
    enlarging: int = Field(
        25, ge=0, le=500, title="Enlarging", description="Steps at each doubling of a picture larger than 724 pixels, after its iterations."
    )
    plateau: float = Field(
        0.0,
        ge=0.0,
        le=20.0,
        title="Plateau",
        description="A scale ends when 10 steps lower the loss by less than this many percent. 0: every step is taken.",
    )
    levels: int = Field(
        3,
        ge=1,
        le=4,
        title="Levels",
        description="At how many sizes each step looks: 3 means the picture, its half and its quarter. More keep large brush strokes.",
    )
    optimiser: Literal["lbfgs", "adam"] = Field(
        "lbfgs", title="Optimiser", description="L-BFGS gets further in the same time; Adam is the paper's."
    )
    learning_rate: float = Field(0.02, ge=0.0001, le=0.5, title="Learning rate", description="Step size of Adam; L-BFGS finds its own.")
    init: Literal["adain", "content", "noise"] = Field(
        "adain", title="Start from", description="The instant AdaIN picture, the photograph itself, or random noise."
    )
    seed: int = Field(0, ge=0, le=2**32 - 1, title="Seed", description="Fixes every random choice; only noise depends on it.")

    @field_validator("iterations", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("iterations")
    @classmethod
    def _bounded(cls, value: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        if any(not 0 <= n <= _MOST_ITERATIONS for n in value):
            raise ValueError(f"each scale takes 0 to {_MOST_ITERATIONS} iterations")
        size = info.data.get("size")
        if value and size is not None and base_side(size) >> (len(value) - 1) < MIN_SIDE:
            most, needed = (base_side(size) // MIN_SIDE).bit_length(), MIN_SIDE << (len(value) - 1)
            raise ValueError(
                f"at size {size} there is room for {most} scales, so give at most {most} numbers, or a size of at least {needed}"
            )
        return value

    @field_validator("*")
    @classmethod
    def _finite(cls, value: Any) -> Any:
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError("must be a finite number")
        return value

    @field_validator("content_weight")
    @classmethod
    def _some_loss(cls, value: float, info: ValidationInfo) -> float:
        if not value and all(info.data.get(f"style_{layer}") == 0 for layer in STYLE_LAYERS):
            raise ValueError("it and every style weight are zero, so nothing is left to paint; raise one of them")
        return value

    @field_validator("init")
    @classmethod
    def _some_picture(cls, value: str, info: ValidationInfo) -> str:
        iterations = info.data.get("iterations")
        if value != "adain" and iterations is not None and not sum(iterations):
            raise ValueError("without iterations only the AdaIN start gives a picture; choose it, or give iterations")
        return value

    @property
    def style_weights(self) -> dict[str, float]:
        """Weight of each style layer, before ``strength``."""
        return {layer: getattr(self, f"style_{layer}") for layer in STYLE_LAYERS}


def bounds(name: str) -> tuple[Any, Any]:
    """Return the least and the largest value that a parameter takes."""
    rules = StyleParams.model_fields[name].metadata
    least, most = (next(getattr(rule, end) for rule in rules if hasattr(rule, end)) for end in ("ge", "le"))
    return least, most


def base_side(size: int) -> int:
    """Return the longer side that ``iterations`` end with: ``size`` halved, rounding down, until it is at most ``LARGEST_BASE``."""
    while size > LARGEST_BASE:
        size //= 2
    return size


class Preset(BaseModel):
    """A named set of parameters, as data."""

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    help: str
    params: StyleParams


# In order of effort.
PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            name="instant",
            title="Instant",
            help="One pass of AdaIN: a picture in about two seconds.",
            params=StyleParams(iterations=()),
        ),
        Preset(
            name="fast",
            title="Sketch",
            help="A third of a painting's steps: rougher, in a third of the time.",
            params=StyleParams(iterations=(20, 6), enlarging=10),
        ),
        Preset(
            name="default",
            title="Painting",
            help="Instant start, then refined from coarse to fine: the best picture for a wait of about a minute at 512 pixels, two on older processors.",
            params=StyleParams(plateau=2.0),
        ),
        Preset(
            name="fine",
            title="Fine",
            help="Begins coarser and takes three times as long as a painting: larger brush strokes, finest finish.",
            params=StyleParams(iterations=(100, 100, 60), enlarging=60),
        ),
        Preset(
            name="paper",
            title="As in the paper",
            help="512 × 512 square, content at relu5_2, Adam from the photograph, 1,000 iterations. Slow: for comparison.",
            params=StyleParams(
                aspect="square", content_layer="relu5_2", iterations=(1000,), levels=1, optimiser="adam", learning_rate=0.02, init="content"
            ),
        ),
    )
}
DEFAULT_PRESET = "default"


def resolve(preset: str = DEFAULT_PRESET, changes: dict[str, Any] | None = None) -> StyleParams:
    """Return the preset's parameters with ``changes`` applied.

    Raises:
        ParameterErrors: unknown preset, unknown names or values out of range; one error for each field.
    """
    errors = []
    if preset not in PRESETS:
        errors.append(ParameterError(f"There is no preset called {preset!r}. Choose one of: {', '.join(PRESETS)}.", field="preset"))
    try:
        params = StyleParams.model_validate({**PRESETS.get(preset, PRESETS[DEFAULT_PRESET]).params.model_dump(), **(changes or {})})
    except ValidationError as error:
        raise ParameterErrors([*errors, *_in_words(error)]) from error
    if errors:
        raise ParameterErrors(errors)
    return params


def _in_words(error: ValidationError) -> list[ParameterError]:
    """Return one error a field: of a list with several wrong numbers, the first."""
    found: dict[str, ParameterError] = {}
    for one in error.errors():
        name = str(one["loc"][0])
        spec = StyleParams.model_fields.get(name)
        if spec is None:
            said = f"There is no parameter called {name!r}."
        else:
            reason = str(one["ctx"]["error"]) if one["type"] == "value_error" else f"give {_accepted(name, spec)}"
            said = f"{spec.title}: {reason}. Received: {_as_given(one['input'])}."
        found.setdefault(name, ParameterError(said, field=name))
    return list(found.values())


def _accepted(name: str, spec: FieldInfo) -> str:
    """Return in words what a field takes."""
    if name == "iterations":
        return f"whole numbers from 0 to {_MOST_ITERATIONS} with commas between them, at most five, such as 50, 20"
    if get_origin(spec.annotation) is Literal:
        return f"one of: {', '.join(get_args(spec.annotation))}"
    least, most = bounds(name)
    return f"a {'whole number' if spec.annotation is int else 'number'} from {least} to {most}"


def _as_given(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else repr(value)
