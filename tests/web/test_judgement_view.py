"""A judgement in words and figures: never more certain than it is, and a sum of true figures."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest

from app.core.verdicts import Band, Evidence, Judgement, Neighbour, NeighbourKind, Novelty
from app.web.judgement_view import Card, Sum, added_up, band_words, kind_words, percent

BAND = Band(low=0.35, threshold=0.5, high=0.7)


def judgement(cells: list[float], bias: float) -> Judgement:
    logit = sum(cells) + bias
    probability = 1 / (1 + math.exp(-logit))
    return Judgement(
        probability=probability,
        logit=logit,
        decision=BAND.decide(probability),
        band=BAND,
        evidence=Evidence(rows=1, columns=len(cells), cells=tuple(cells), bias=bias),
        novelty=Novelty(unlike=False, distance=1.0, limit=2.0),
        detector="a" * 64,
    )


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (0.0, "< 0.1 %"),
        (0.0004, "< 0.1 %"),
        (0.004, "0.4 %"),
        (0.03, "3 %"),
        (0.5, "50 %"),
        (0.983, "98 %"),
        (0.994, "99.4 %"),
        (0.9996, "> 99.9 %"),
        (1.0, "> 99.9 %"),
    ],
)
def test_a_percentage_never_says_certain(probability: float, said: str) -> None:
    assert percent(probability) == said


def test_each_printed_figure_is_the_true_one_rounded_and_together_they_add_up() -> None:
    rng = np.random.default_rng(2)
    digits = []
    for _ in range(300):
        made = judgement(rng.normal(scale=rng.choice([0.003, 0.1, 3]), size=12).tolist(), float(rng.normal()))
        printed = added_up(made)
        cells = made.evidence.cells
        true = sum(max(cell, 0) for cell in cells), sum(min(cell, 0) for cell in cells), made.evidence.bias, made.logit
        figures = [Decimal(text.replace("−", "-")) for text in (printed.stylised, printed.original, printed.bias, printed.logit)]
        (places,) = {-int(figure.as_tuple().exponent) for figure in figures}
        assert all(abs(float(figure) - value) <= 0.5 * 10**-places + 1e-9 for figure, value in zip(figures, true, strict=True))
        if places < 6:
            assert sum(figures[:3]) == figures[3]
        digits.append(places)
    assert digits.count(2) > 150 and min(digits) == 2 and digits.count(6) < 15


def test_a_sum_that_does_not_add_up_at_two_digits_is_told_with_more() -> None:
    # To two digits 0.004 is nothing, and twice 0.004 is 0.01.
    assert added_up(judgement([0.004, -0.0], 0.004)) == Sum("+0.004", "0.000", "+0.004", "+0.008")
    assert added_up(judgement([1.0, -0.25], 0.5)) == Sum("+1.00", "−0.25", "+0.50", "+1.25")


def test_a_card_marks_the_band_and_the_probability_on_its_bar() -> None:
    card = Card("result", "", "/picture", (60, 40), judgement([1.0, -0.2], 0.0))
    start, width, value = card.marks
    assert (start, width) == (35.0, 35.0)
    assert value == pytest.approx(100 / (1 + math.exp(-0.8)), abs=0.01)
    assert (card.decision, card.percent, card.band) == ("Uncertain", "69 %", "Uncertain from 35 % to 70 %")
    assert card.alt == "The result."


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.063, 0.614, "Uncertain from 6 % to 61 %"),
        (0.56, 0.56, "No uncertain band: stylised above 56 %, original below"),
        (0.558, 0.562, "Uncertain only close to 56 %"),
    ],
)
def test_a_band_of_no_width_is_not_told_as_one(low: float, high: float, said: str) -> None:
    assert band_words(Band(low=low, threshold=high, high=high)) == said


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("photograph", "Photograph"),
        ("painting", "Painting"),
        ("style", "Picture used as a style"),
        ("adain", "Stylised by AdaIN"),
        ("optimiser", "Stylised by the optimiser"),
        (None, "Stylised"),
    ],
)
def test_a_neighbour_is_said_to_be_what_it_is(kind: NeighbourKind | None, said: str) -> None:
    assert kind_words(Neighbour(name="00051-adain", label="stylised", kind=kind, distance=0.5)) == said


def test_a_card_that_is_not_judged_says_so_when_asked() -> None:
    card = Card("style", "night.jpg", "/picture", (60, 40))
    assert card.alt == "The painting, night.jpg."
    with pytest.raises(ValueError, match="the style has not been judged"):
        _ = card.percent
