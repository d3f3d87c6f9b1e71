"""Evidence maps as drawings: every cell in its place, its side and its strength."""

from __future__ import annotations

import re

import numpy as np
import pytest

from app.core.verdicts import Evidence
from app.web import heat


def evidence(cells: list[list[float]], bias: float = 0.0) -> Evidence:
    return Evidence(rows=len(cells), columns=len(cells[0]), cells=tuple(cell for row in cells for cell in row), bias=bias)


def painted(drawn: heat.Heat, side: str) -> np.ndarray:
    """Return the opacity at each cell's middle, read back from the paths."""
    field = np.zeros((drawn.rows, drawn.columns))
    for layer in drawn.layers:
        for found in re.finditer(r"M(-?\d+) (-?\d+)H(-?\d+)V(-?\d+)H\1z", layer.path):
            left, top, right, bottom = map(int, found.groups())
            if layer.side == side:
                field[max(top, 0) : bottom, max(left, 0) : right] += layer.opacity
    return field


def test_each_cell_is_drawn_once_by_its_side_and_strength() -> None:
    cells = np.random.default_rng(4).normal(size=(5, 7))
    cells[2, 3] = 0.0
    scale = np.abs(cells).max()
    drawn = heat.draw(evidence(cells.tolist()), float(scale))
    for side, part in (("stylised", np.maximum(cells, 0)), ("original", np.maximum(-cells, 0))):
        # In steps, so to within half of one.
        np.testing.assert_allclose(painted(drawn, side), part / scale * heat.RAMP[-1], atol=heat.RAMP[-1] / heat.STEPS / 2 + 1e-3)
    assert painted(drawn, "stylised")[2, 3] == painted(drawn, "original")[2, 3] == 0


def test_cells_at_the_edge_go_on_outside_so_that_softening_does_not_fade_them() -> None:
    drawn = heat.draw(evidence([[1.0, 0.0], [0.0, 0.0]]), 1.0)
    assert [layer.path for layer in drawn.layers] == ["M-1 -1H1V1H-1z"]
    assert heat.draw(evidence([[1.0]]), 1.0).layers[0].path == "M-1 -1H2V2H-1z"


def test_maps_of_one_verdict_share_a_scale() -> None:
    weak, strong = evidence([[0.1, -0.2]]), evidence([[0.4, -0.8]])
    scale = heat.scale_of((weak, strong))
    assert scale == 0.8
    assert max(layer.opacity for layer in heat.draw(weak, scale).layers) == heat.RAMP[1]
    assert max(layer.opacity for layer in heat.draw(strong, scale).layers) == heat.RAMP[-1]


def test_one_cell_in_a_hundred_does_not_pale_the_rest() -> None:
    cells = [0.5] * 99 + [40.0]
    assert heat.scale_of((evidence([cells]),)) == 0.5
    assert painted(heat.draw(evidence([cells]), 0.5), "stylised").max() == heat.RAMP[-1]


@pytest.mark.parametrize("scale", [0.0, 1.0])
def test_nothing_is_drawn_where_nothing_is_said(scale: float) -> None:
    drawn = heat.draw(evidence([[0.0, 0.0]]), scale)
    assert (drawn.layers, drawn.strongest_for, drawn.strongest_against) == ((), None, None)
    assert heat.scale_of(()) == 0.0


def test_the_strongest_places_are_told_in_words() -> None:
    cells = np.zeros((6, 9))
    cells[5, 8], cells[0, 4], cells[2, 0] = 2.0, -1.0, 1.0
    drawn = heat.draw(evidence(cells.tolist()), 2.0)
    assert (drawn.strongest_for, drawn.strongest_against) == ("lower right", "top")
