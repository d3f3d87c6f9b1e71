"""Parameters: what fits together, and what is said at which field where it does not."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import ParameterErrors
from app.core.specs import PRESETS, STYLE_LAYERS, resolve

NO_STYLE = {f"style_{layer}": 0 for layer in STYLE_LAYERS}


def wrong(preset: str = "default", **changes: Any) -> dict[str | None, str]:
    with pytest.raises(ParameterErrors) as caught:
        resolve(preset, changes)
    assert caught.value.message == " ".join(error.message for error in caught.value.errors)
    return {error.field: error.message for error in caught.value.errors}


@pytest.mark.parametrize(
    ("size", "most"),
    # Halved from the base, rounding down, until the next would be under 32: counted by hand. Of 725 the base is 362, of 1450 too.
    [(64, 2), (127, 2), (128, 3), (255, 3), (256, 4), (511, 4), (512, 5), (724, 5), (725, 4), (1448, 5), (1450, 4), (4096, 5)],
)
def test_no_scale_is_under_32_pixels(size: int, most: int) -> None:
    assert resolve("default", {"size": size, "iterations": (1,) * most}).iterations == (1,) * most
    assert set(wrong(size=size, iterations=(1,) * (most + 1))) == {"iterations"}


def test_too_many_scales_say_what_to_do() -> None:
    assert wrong("fine", size="64")["iterations"] == (
        "Iterations: at size 64 there is room for 2 scales, so give at most 2 numbers, or a size of at least 128. Received: 100, 100, 60."
    )
    assert resolve("fine", {"size": 128}).size == 128


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_needs_no_changes(name: str) -> None:
    assert resolve(name) == PRESETS[name].params


def test_every_wrong_parameter_is_told_at_once() -> None:
    assert set(wrong("none", size=3, iterations="7,-1,x", tv="nan", nonsense=1, content_weight=0, **NO_STYLE)) == {
        "preset",
        "size",
        "iterations",
        "tv",
        "nonsense",
        "content_weight",
    }


def test_rules_over_several_fields_have_a_field() -> None:
    assert "nothing is left to paint" in wrong(content_weight=0, **NO_STYLE)["content_weight"]
    assert resolve("default", NO_STYLE).content_weight == 1
    assert "only the AdaIN start" in wrong("instant", init="noise")["init"]
    assert "only the AdaIN start" in wrong(iterations="0,0", init="content")["init"]
    # A wrong neighbour says so itself, and nothing is concluded from it.
    assert set(wrong(iterations="x", init="noise")) == {"iterations"}
    assert set(wrong(content_weight=0, **{**NO_STYLE, "style_relu5_1": -1})) == {"style_relu5_1"}


def test_presets_are_in_order_of_effort() -> None:
    assert list(PRESETS) == ["instant", "fast", "default", "fine", "paper"]
    assert [preset.name for preset in PRESETS.values()] == list(PRESETS)

    def pixels(name: str) -> int:
        params = PRESETS[name].params
        return sum(steps * (params.size >> power) ** 2 for power, steps in enumerate(reversed(params.iterations)))

    effort = [pixels(name) for name in PRESETS]
    assert effort == sorted(effort)
    assert pixels("fast") * 3 == pytest.approx(pixels("default"), rel=0.2)
    assert pixels("fine") == pytest.approx(3 * pixels("default"), rel=0.2)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"size": "5000"}, "Size: give a whole number from 64 to 4096. Received: '5000'."),
        ({"size": "big"}, "Size: give a whole number from 64 to 4096. Received: 'big'."),
        ({"strength": 0}, "Strength: give a number from 0.05 to 20.0. Received: 0."),
        ({"tv": "nan"}, "Smoothness: give a number from 0.0 to 100.0. Received: 'nan'."),
        ({"aspect": "round"}, "Shape: give one of: keep, square. Received: 'round'."),
        (
            {"iterations": "50; 20"},
            "Iterations: give whole numbers from 0 to 5000 with commas between them, at most five, such as 50, 20. Received: '50; 20'.",
        ),
        ({"iterations": (9000,)}, "Iterations: each scale takes 0 to 5000 iterations. Received: 9000."),
        ({"nonsense": 1}, "There is no parameter called 'nonsense'."),
    ],
)
def test_what_a_field_takes_is_said_in_plain_words(changes: dict[str, Any], said: str) -> None:
    assert list(wrong(**changes).values()) == [said]
