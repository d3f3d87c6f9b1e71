"""Figures of a report as shapes: where each line, dot and mark of a drawing lies, and nothing about its colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from app.core.report import Bin, Figure, Map

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: its place in the drawing, and what it says."""

    place: float
    text: str


@dataclass(frozen=True)
class Frame:
    """A drawing's field: values from (left, bottom) to (right, top) within a margin.

    Attributes:
        width, height: of the drawing, in its own units.
        x, y: lowest and highest value across and upwards.
        margins: left, top, right, bottom.
    """

    width: float
    height: float
    x: tuple[float, float] = (0.0, 1.0)
    y: tuple[float, float] = (0.0, 1.0)
    margins: tuple[float, float, float, float] = (52.0, 10.0, 12.0, 38.0)

    @property
    def left(self) -> float:
        return self.margins[0]

    @property
    def right(self) -> float:
        return self.width - self.margins[2]

    @property
    def top(self) -> float:
        return self.margins[1]

    @property
    def bottom(self) -> float:
        return self.height - self.margins[3]

    def across(self, value: float) -> float:
        low, high = self.x
        return round(self.left + (value - low) / (high - low) * (self.right - self.left), 1)

    def up(self, value: float) -> float:
        low, high = self.y
        return round(self.bottom - (value - low) / (high - low) * (self.bottom - self.top), 1)

    def line(self, points: Points) -> str:
        """Return the points as an SVG polyline's."""
        return " ".join(f"{self.across(x)},{self.up(y)}" for x, y in points)

    def ticks_across(self, count: int = 5) -> list[Tick]:
        return [Tick(self.across(value), text) for value, text in steps(*self.x, count)]

    def ticks_up(self, count: int = 5) -> list[Tick]:
        return [Tick(self.up(value), text) for value, text in steps(*self.y, count)]


def steps(low: float, high: float, count: int) -> list[tuple[float, str]]:
    """Return about ``count`` round values between two numbers, written with as many digits as they need."""
    raw = (high - low) / max(count, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)
    digits = next(number for number in range(12) if abs(round(step, number) - step) < step * 1e-6)
    first = math.ceil(low / step - 1e-9)
    return [(number * step, f"{number * step:.{digits}f}") for number in range(first, math.floor(high / step + 1e-9) + 1)]


def around(values: Sequence[float], *, margin: float = 0.06) -> tuple[float, float]:
    """Return a range that holds the values with some room; never empty."""
    low, high = min(values), max(values)
    room = (high - low) * margin or max(abs(low), 1.0) * 0.1
    return low - room, high + room


@dataclass(frozen=True)
class Dot:
    x: float
    y: float
    radius: float = 0.0
    title: str = ""


@dataclass(frozen=True)
class Roc:
    """ROC curves of some runs."""

    frame: Frame
    curves: tuple[str, ...]


def roc(curves: Sequence[Points]) -> Roc | None:
    """Return the runs' curves in one square, or None without any."""
    frame = Frame(280, 270)
    lines = tuple(frame.line(curve) for curve in curves if curve)
    return Roc(frame, lines) if lines else None


@dataclass(frozen=True)
class Reliability:
    """Observed shares over predicted probabilities: a dot for each bin, as large as it is full."""

    frame: Frame
    line: str
    dots: tuple[Dot, ...]


def reliability(bins: Sequence[Bin]) -> Reliability | None:
    """Return the reliability plot, or None without bins."""
    if not bins:
        return None
    frame = Frame(280, 270)
    dots = tuple(
        Dot(
            frame.across(one.predicted),
            frame.up(one.observed),
            round(2.5 + 9 * math.sqrt(one.weight), 1),
            f"{one.count} answers near {one.predicted:.2f}: {one.observed:.0%} stylised",
        )
        for one in bins
    )
    return Reliability(frame, frame.line([(one.predicted, one.observed) for one in bins]), dots)


@dataclass(frozen=True)
class Row:
    """One line of the dot plot: a figure of the training part, of the test part, its interval and its runs."""

    title: str
    y: float
    train: float | None
    test: float | None
    low: float | None
    high: float | None
    runs: tuple[float, ...]
    is_headline: bool


@dataclass(frozen=True)
class Dots:
    frame: Frame
    rows: tuple[Row, ...]
    chance: float


_ROW = 40.0


def dots(rows: Sequence[tuple[str, Figure, Figure, Sequence[float], bool]]) -> Dots:
    """Return splits beside each other: (title, training figure, test figure, the runs' test values, is it the headline)."""
    seen = [value for _, train, test, runs, _ in rows for value in (*_known(train), *_known(test), *runs)]
    lowest = max(min([0.5, *seen]) // 0.1 * 0.1 - 1e-9, 0.0)
    frame = Frame(380, _ROW * len(rows) + 34, x=(lowest, 1.0), margins=(12, 0, 14, 30))
    found = []
    for number, (title, train, test, runs, is_headline) in enumerate(rows):
        interval = test.interval
        found.append(
            Row(
                title=title,
                y=_ROW * number + 28,
                train=None if train.value is None else frame.across(train.value),
                test=None if test.value is None else frame.across(test.value),
                low=frame.across(interval.low) if interval else None,
                high=frame.across(interval.high) if interval else None,
                runs=tuple(frame.across(value) for value in runs),
                is_headline=is_headline,
            )
        )
    return Dots(frame, tuple(found), frame.across(0.5))


def _known(figure: Figure) -> list[float]:
    bounds = [figure.interval.low, figure.interval.high] if figure.interval else []
    return bounds if figure.value is None else [figure.value, *bounds]


@dataclass(frozen=True)
class Plane:
    """The map: originals and stylised pictures as dots, pairs as lines (x1, y1, x2, y2)."""

    frame: Frame
    originals: tuple[Dot, ...]
    stylised: tuple[Dot, ...]
    pairs: tuple[tuple[float, float, float, float], ...]


def plane(found: Map, labels: Sequence[int], names: Sequence[str]) -> Plane:
    """Return a map's shapes; ``labels`` and ``names`` are those of all pictures of the report."""
    frame = Frame(
        560,
        400,
        x=around([point.x for point in found.points]),
        y=around([point.y for point in found.points]),
        margins=(8, 8, 8, 8),
    )
    placed = [Dot(frame.across(point.x), frame.up(point.y), 0.0, names[point.picture]) for point in found.points]
    sorts = [labels[point.picture] for point in found.points]
    return Plane(
        frame,
        tuple(dot for dot, label in zip(placed, sorts, strict=True) if label == 0),
        tuple(dot for dot, label in zip(placed, sorts, strict=True) if label == 1),
        tuple((placed[one].x, placed[one].y, placed[other].x, placed[other].y) for one, other in found.pairs),
    )


@dataclass(frozen=True)
class Series:
    """One line of a plot over epochs: its number among them tells its colour."""

    title: str
    line: str
    last: float


@dataclass(frozen=True)
class Lines:
    title: str
    frame: Frame
    series: tuple[Series, ...]


def lines(
    title: str,
    epochs: Sequence[int],
    values: Sequence[tuple[str, Sequence[float | None]]],
    *,
    share: bool = False,
    until: int | None = None,
) -> Lines | None:
    """Return lines over epochs; a missing value is left out; None where no line has two points.

    Args:
        title: of the drawing.
        epochs: of the values, rising.
        values: title and one value an epoch, of each line.
        share: the values are shares, to be drawn from 0 to 1.
        until: last epoch of the drawing, if it is not the last of the values.
    """
    drawn = [
        (name, points)
        for name, column in values
        if len(points := [(float(epoch), value) for epoch, value in zip(epochs, column, strict=True) if value is not None]) > 1
    ]
    if not drawn:
        return None
    heights = [value for _, points in drawn for _, value in points]
    frame = Frame(
        280, 190, x=(0.0, float(max(until or 0, epochs[-1]))), y=(0.0, 1.0) if share else around(heights), margins=(46, 10, 12, 36)
    )
    return Lines(title, frame, tuple(Series(name, frame.line(points), points[-1][1]) for name, points in drawn))
