"""A verdict's records keep their promises, and the turning point of a run is found."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from app.core.verdicts import Band, Evidence, FrameScore, became_stylised


@pytest.mark.parametrize(
    ("probability", "decision"), [(0.0, "original"), (0.29, "original"), (0.3, "uncertain"), (0.8, "uncertain"), (0.81, "stylised")]
)
def test_the_band_decides(probability: float, decision: str) -> None:
    assert Band(low=0.3, threshold=0.5, high=0.8).decide(probability) == decision


def test_a_band_out_of_order_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"received 0\.6, 0\.5, 0\.8"):
        Band(low=0.6, threshold=0.5, high=0.8)


def test_cells_and_bias_are_the_logit_and_cover_the_grid() -> None:
    assert Evidence(rows=2, columns=2, cells=(1.0, -0.5, 0.25, 2.0), bias=-1.0).logit == 1.75
    with pytest.raises(ValidationError, match="need 6 cells, received 4"):
        Evidence(rows=2, columns=3, cells=(1.0, -0.5, 0.25, 2.0), bias=0.0)


@pytest.mark.parametrize(
    ("probabilities", "became"),
    [((), None), ((0.1, 0.2), None), ((0.1, 0.5, 0.9), 10), ((0.9, 0.8), 0), ((0.1, 0.9, 0.3, 0.7, 0.8), 30), ((0.9, 0.1), None)],
)
def test_a_run_becomes_stylised_where_it_stays_so(probabilities: tuple[float, ...], became: int | None) -> None:
    frames = tuple(FrameScore(iteration=10 * n, probability=one) for n, one in enumerate(probabilities))
    assert became_stylised(frames, Band(low=0.2, threshold=0.3, high=0.45)) == became
