"""The goals of a run: each a figure from the records, a limit, and whether it is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.records import Record

_RECIPES = ("recipe-40", "recipe-48")


@dataclass(frozen=True)
class Goal:
    """One line of the table; ``met`` is None where the run did not measure it."""

    title: str
    measured: str
    wanted: str
    met: bool | None


def goals(records: Sequence[Record]) -> list[Goal]:
    """Return every goal with what ``records`` say of it."""
    of = {name: [record for record in records if record.system == name] for name in {record.system for record in records}}
    default = of.get("default", [])
    found = [
        _at_most("default preset, longest", [record.painted.wall for record in default], max, 30.0, "{:.1f} s"),
        _at_most("first picture of the default preset, longest", _firsts(default), max, 2.0, "{:.2f} s"),
        _at_most(
            "most memory of a process with the default preset",
            [record.painted.peak_bytes / 1e9 for record in default],
            max,
            2.0,
            "{:.2f} GB",
        ),
        _at_most("time of an iteration over what matrix products allow, median", iteration_ratios(default), median, 1.2, "{:.2f}×"),
        _speed_up(default, of.get("tutorial", [])),
        _loss(default, of.get("tutorial-1000", []), "the tutorial's 1,000 iterations"),
    ]
    found += [_loss(default, of.get(name, []), name) for name in _RECIPES]
    found.append(_waffle(default, of.get("no-adain", [])))
    found += [_less_waffle(default, of.get(name, []), name) for name in _RECIPES]
    return found


def iteration_ratios(records: Sequence[Record]) -> list[float]:
    """Return seconds of an iteration at full size over those that its matrix products would take alone."""
    return [record.painted.iteration / record.painted.allowed for record in records if record.painted.iteration and record.painted.allowed]


def speed_ups(ours: Sequence[Record], tutorial: Sequence[Record]) -> dict[tuple[str, str], float]:
    """Return, by pair, the seconds of 1,000 of the tutorial's iterations over ours."""
    slow = {record.pair: 1000 * record.painted.iteration for record in tutorial if record.painted.iteration}
    return {record.pair: slow[record.pair] / record.painted.wall for record in ours if record.pair in slow}


def _at_most(title: str, figures: list[float], of: Callable[[list[float]], float], limit: float, form: str) -> Goal:
    wanted = f"at most {form.format(limit)}"
    return Goal(title, form.format(of(figures)), wanted, of(figures) <= limit) if figures else Goal(title, "not measured", wanted, None)


def _speed_up(ours: Sequence[Record], tutorial: Sequence[Record]) -> Goal:
    title, wanted = "faster than 1,000 iterations of the tutorial's algorithm, median", "at least 60×"
    found = list(speed_ups(ours, tutorial).values())
    return Goal(title, f"{median(found):.0f}×", wanted, median(found) >= 60) if found else Goal(title, "not measured", wanted, None)


def _loss(ours: Sequence[Record], theirs: Sequence[Record], name: str) -> Goal:
    title, wanted = f"three-scale loss beside {name}, median over their pairs", "no higher"
    both = _both(ours, theirs)
    if not both:
        return Goal(title, "not measured", wanted, None)
    mine, other = (median(record.measures.loss for record in side) for side in zip(*both, strict=True))
    lower = sum(one.measures.loss <= two.measures.loss for one, two in both)
    return Goal(title, f"{mine:.2f} beside {other:.2f}; no higher on {lower} of {len(both)}", wanted, mine <= other)


def _waffle(ours: Sequence[Record], without: Sequence[Record]) -> Goal:
    title, wanted = "waffle beyond that of a start without the decoder, median", "at most 1 dB"
    both = [(one, two) for one, two in _both(ours, without) if one.measures.waffle is not None and two.measures.waffle is not None]
    if not both:
        return Goal(title, "not measured", wanted, None)
    beyond = median(one.measures.waffle - two.measures.waffle for one, two in both)
    return Goal(title, f"{beyond:+.1f} dB on {len(both)} pairs with flat areas", wanted, beyond <= 1.0)


def _less_waffle(ours: Sequence[Record], theirs: Sequence[Record], name: str) -> Goal:
    title, wanted = f"waffle beside {name}, median over pairs with flat areas", "no more"
    both = [(one, two) for one, two in _both(ours, theirs) if one.measures.waffle is not None and two.measures.waffle is not None]
    if not both:
        return Goal(title, "not measured", wanted, None)
    mine, other = (median(record.measures.waffle for record in side) for side in zip(*both, strict=True))
    return Goal(title, f"{mine:.1f} dB beside {other:.1f} dB", wanted, mine <= other)


def _both(ours: Sequence[Record], theirs: Sequence[Record]) -> list[tuple[Record, Record]]:
    other = {record.pair: record for record in theirs}
    return [(record, other[record.pair]) for record in ours if record.pair in other]


def _firsts(records: Sequence[Record]) -> list[float]:
    return [record.painted.first for record in records if record.painted.first is not None]
