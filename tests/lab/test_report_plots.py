from __future__ import annotations

import pytest

from app.core.report import Bin, Figure, Interval, Map, MapPoint
from app.lab import plots
from app.lab.plots import Frame, steps


def test_a_frame_places_its_corners_inside_the_margins() -> None:
    frame = Frame(100, 80, x=(-1, 1), y=(0, 10), margins=(10, 5, 20, 15))
    assert frame.line([(-1, 0), (1, 10), (0, 5)]) == "10.0,65.0 80.0,5.0 45.0,35.0"


@pytest.mark.parametrize(
    ("low", "high", "count", "texts"),
    [
        (0, 1, 4, ["0.00", "0.25", "0.50", "0.75", "1.00"]),
        (0, 1, 5, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0.4, 1, 5, ["0.4", "0.6", "0.8", "1.0"]),
        (0, 40, 4, ["0", "10", "20", "30", "40"]),
        (-2.07, -0.97, 4, ["-2.0", "-1.5", "-1.0"]),
        (0.0012, 0.0019, 3, ["0.00125", "0.00150", "0.00175"]),
    ],
)
def test_ticks_are_round_and_written_as_long_as_they_need(low: float, high: float, count: int, texts: list[str]) -> None:
    found = steps(low, high, count)
    assert [text for _, text in found] == texts
    assert [value for value, _ in found] == pytest.approx([float(text) for text in texts])


def test_a_range_holds_its_values_and_is_never_empty() -> None:
    assert plots.around([2.0, 4.0]) == pytest.approx((1.88, 4.12))
    low, high = plots.around([3.0, 3.0])
    assert low < 3 < high
    low, high = plots.around([0.0])
    assert low < 0 < high


def test_roc_curves_reach_from_corner_to_corner() -> None:
    found = plots.roc([((0.0, 0.0), (0.5, 1.0), (1.0, 1.0)), ()])
    assert found is not None
    frame = found.frame
    middle = (frame.left + frame.right) / 2
    assert found.curves == (f"{frame.left},{frame.bottom} {middle},{frame.top} {frame.right},{frame.top}",)
    assert plots.roc([()]) is None


def test_reliability_dots_grow_with_their_weight() -> None:
    bins = (
        Bin(count=1, weight=0.04, predicted=0.1, observed=0.0),
        Bin(count=24, weight=0.64, predicted=0.9, observed=1.0),
    )
    found = plots.reliability(bins)
    assert found is not None
    assert [dot.radius for dot in found.dots] == [2.5 + 9 * 0.2, 2.5 + 9 * 0.8]
    assert (found.dots[1].y, found.dots[0].y) == (found.frame.top, found.frame.bottom)
    assert found.dots[1].title == "24 answers near 0.90: 100% stylised"
    assert plots.reliability(()) is None


def test_dots_show_everything_down_to_the_lowest_figure() -> None:
    train = Figure(value=1.0, interval=Interval(low=0.9, high=1.0))
    test = Figure(value=0.7, interval=Interval(low=0.33, high=0.95))
    found = plots.dots([("One", train, test, (0.6, 0.8), True), ("Other", Figure(value=None), Figure(value=None), (), False)])
    assert found.frame.x == pytest.approx((0.3, 1.0))
    first, second = found.rows
    assert first.train == found.frame.right
    assert first.low is not None
    assert first.test is not None
    assert found.frame.left < first.low < found.chance < first.runs[0] < first.test < first.runs[1]
    assert (second.train, second.test, second.low) == (None, None, None)
    assert second.y > first.y


def test_the_map_keeps_originals_stylised_pictures_and_pairs_apart() -> None:
    points = tuple(MapPoint(picture=number, x=x, y=y) for number, x, y in ((4, -1.0, 0.0), (5, 1.0, 2.0)))
    found = plots.plane(
        Map(method="PCA", shown="", points=points, pairs=((0, 1),), explained=None), [0, 0, 0, 0, 0, 1], ["", "", "", "", "o.png", "s.png"]
    )
    assert [dot.title for dot in found.originals] == ["o.png"]
    assert [dot.title for dot in found.stylised] == ["s.png"]
    assert found.pairs == ((found.originals[0].x, found.originals[0].y, found.stylised[0].x, found.stylised[0].y),)
    # Up is up: the greater y lies nearer to the top.
    assert found.stylised[0].y < found.originals[0].y


def test_lines_leave_out_what_was_not_measured() -> None:
    found = plots.lines("Loss", [1, 2, 3], [("a", [3.0, 2.0, 1.0]), ("b", [None, 0.5, 0.4]), ("c", [None, None, 1.0])])
    assert found is not None
    assert [(series.title, series.last) for series in found.series] == [("a", 1.0), ("b", 0.4)]
    assert [len(series.line.split()) for series in found.series] == [3, 2]
    assert plots.lines("Loss", [1], [("a", [1.0])]) is None
    share = plots.lines("Share", [1, 2], [("a", [0.5, 0.6])], share=True)
    assert share is not None
    assert share.frame.y == (0.0, 1.0)
