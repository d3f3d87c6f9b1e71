"""Generators by preset and strength, each with its name."""

from __future__ import annotations

import pytest

from app.core.errors import ParameterError, ParameterErrors
from app.core.specs import resolve
from app.lab.generators import generators, name_of, read_strengths


def test_each_preset_with_each_strength_and_instant_once() -> None:
    found = generators(("instant", "fast", "default"), (0.5, 2.0), {"size": "128"})
    assert [one.name for one in found] == ["instant", "fast strength 0.5", "fast strength 2", "default strength 0.5", "default strength 2"]
    assert {one.params.size for one in found} == {128}
    assert [one.params.strength for one in found[1:]] == [0.5, 2.0, 0.5, 2.0]
    assert [one.name for one in generators(("fast",), (), {})] == ["fast"]


def test_wrong_ones_are_refused() -> None:
    with pytest.raises(ParameterErrors, match="no preset called 'none'"):
        generators(("none",), (), {})
    with pytest.raises(ParameterErrors, match="Strength"):
        generators(("fast",), (99.0,), {})
    with pytest.raises(ParameterErrors, match=r"at most 20 generators. Received: 21"):
        generators(("fast",), tuple(1 + n / 10 for n in range(21)), {})


def test_strengths_are_numbers_between_commas() -> None:
    assert read_strengths(" 0.5, 2,0.5 ,") == (0.5, 2.0)
    assert read_strengths("") == ()
    with pytest.raises(ParameterError, match=r"such as 0.5, 2. Received: '1;2'"):
        read_strengths("1;2")


def test_a_finished_picture_s_generator_is_named_by_what_differs_from_its_preset() -> None:
    assert name_of("default", resolve("default")) == "default"
    assert name_of("default", resolve("default", {"seed": 7})) == "default", "the seed makes no other generator"
    assert name_of("default", resolve("default", {"size": 256, "strength": 2.5})) == "default, size 256, strength 2.5"
    assert name_of("fast", resolve("fast", {"iterations": ""})) == "fast, iterations none"
