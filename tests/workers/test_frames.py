"""Which frames of a run are kept."""

from __future__ import annotations

import itertools

from workers.runtime.frames import MOST, Frame, Frames, spread


def test_frames_are_spread_evenly_over_a_long_run_and_its_last_is_kept() -> None:
    frames = Frames()
    stored: set[str] = set()
    for iteration in range(1, 1001):
        stored.add(str(iteration))
        stored -= frames.add(Frame(iteration, str(iteration)))
        assert stored == frames.names
        assert str(iteration) in stored
        assert len(stored) <= 2 * MOST
    kept = [frame.iteration for frame in frames.run]
    assert len(kept) <= MOST
    assert (kept[0], kept[-1]) == (1, 1000)
    # 1, 65, 129, …: every 64th, which is the first power of two that leaves room for all.
    assert {later - earlier for earlier, later in itertools.pairwise(kept[:-1])} == {64}


def test_a_short_run_keeps_all() -> None:
    frames = Frames()
    for iteration in range(MOST - 1):
        assert frames.add(Frame(iteration, str(iteration))) == set()
    assert [frame.iteration for frame in frames.run] == list(range(MOST - 1))


def test_quick_iterations_get_no_more_frames_than_slow_ones() -> None:
    """Previews come by the clock: two hundred of the quick first half, twenty of the slow second."""
    frames = Frames()
    for number, iteration in enumerate([*range(200), *range(200, 400, 10)]):
        frames.add(Frame(iteration, str(number)))
    # Every 16th of the quick ones; of the slow ones, ten apart, every other.
    assert [frame.iteration for frame in frames.run] == [*range(0, 200, 16), *range(210, 400, 20)]


def test_the_last_picture_takes_the_place_of_one_of_the_same_iteration() -> None:
    frames = Frames()
    for name, iteration in (("first", 0), ("current", 5), ("finished", 5)):
        frames.add(Frame(iteration, name))
    assert [frame.name for frame in frames.run] == ["first", "finished"]


def test_nothing_stored_is_no_run() -> None:
    assert Frames().run == []
    assert spread([], 4) == []
