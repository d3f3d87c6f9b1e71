from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.core.checkpoint import Checkpoint
from app.core.progress import Losses, Progress
from app.core.specs import StyleParams
from workers.style import pyramid
from workers.style.descent import Step
from workers.style.pyramid import Scale
from workers.style.tracker import Tracker

PREVIEW = np.zeros((4, 4, 3), np.uint8)
LOSSES = Losses(1.0, 2.0, 0.5, 3.5)


def checkpoint(number: int, done: int) -> Checkpoint:
    canvas = np.zeros((4, 4, 3), np.float32)
    return Checkpoint(number, done, 0, 0.0, canvas, canvas, (3.5,), {}, {})


def step(number: int, done: int) -> Step:
    canvas = np.zeros((4, 4, 3), np.float32)
    return Step(number, done, canvas, canvas, LOSSES, None, lambda: checkpoint(number, done))


def tracked(iterations: tuple[int, int], told: list[Progress], **more: Any) -> tuple[Tracker, list[Scale]]:
    """Return a tracker that tells into ``told``, and its two scales of one level, 256 and 512 pixels."""
    params = StyleParams(size=512, iterations=iterations, levels=1)
    frame = pyramid.frame(512, 512, params)
    scales = pyramid.scales(frame, params)
    costs = [float(scale.height * scale.width) for scale in scales]
    return Tracker(told.append, scales, side=512, pixels=frame.canvas_height * frame.canvas_width, costs=costs, **more), scales


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def told() -> list[Progress]:
    """Records of a run in which an iteration costs two seconds at full size and takes in proportion before."""
    clock, records = Clock(), list[Progress]()
    tracker, scales = tracked((6, 4), records, clock=clock)
    tracker.prepared()
    clock.now += 1
    tracker.begun(PREVIEW)
    for number, scale in enumerate(scales):
        clock.now += 3
        for done in range(1, scale.iterations + 1):
            clock.now += 2.0 * scale.height * scale.width / (scales[-1].height * scales[-1].width)
            tracker.iterated(step(number, done), PREVIEW)
    tracker.finished(PREVIEW)
    return records


def test_iterations_count_over_all_scales(told: list[Progress]) -> None:
    refine = [record for record in told if record.stage == "refine"]
    assert [record.iteration for record in refine] == list(range(1, 11))
    assert {record.iterations for record in told} == {10}
    assert [record.scale for record in refine] == [256] * 6 + [512] * 4


def test_fraction_rises_to_one_in_proportion_to_cost(told: list[Progress]) -> None:
    fractions = [record.fraction for record in told]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0.0 and fractions[-1] == 1.0
    refine = [record.fraction for record in told if record.stage == "refine"]
    coarse, fine = refine[3] - refine[2], refine[8] - refine[7]
    assert fine == pytest.approx(4 * coarse)


def test_remaining_is_unknown_until_measured_and_then_right(told: list[Progress]) -> None:
    refine = [record for record in told if record.stage == "refine"]
    assert all(record.remaining is None for record in told[:2]) and refine[0].remaining is None
    # After the second iteration: four more here, and at full size four and two units for the start, of 2 s each.
    assert refine[1].remaining == pytest.approx(4 * 0.5 + 6 * 2.0)
    assert refine[-1].remaining == pytest.approx(0.0, abs=1e-9)
    assert told[-1].remaining == 0.0


def test_elapsed_follows_the_clock(told: list[Progress]) -> None:
    assert told[0].elapsed == 0.0
    assert told[1].elapsed == 1.0
    assert told[-1].elapsed == pytest.approx(1 + 3 + 6 * 0.5 + 3 + 4 * 2)


def test_losses_only_while_refining(told: list[Progress]) -> None:
    assert {record.stage: record.losses for record in told} == {"prepare": None, "adain": None, "refine": LOSSES, "finish": None}


def test_a_resumed_run_goes_on_from_its_counts_and_times() -> None:
    clock, whole, rest = Clock(), list[Progress](), list[Progress]()
    tracker, scales = tracked((6, 4), whole, clock=clock)
    for number, scale in enumerate(scales):
        for done in range(1, scale.iterations + 1):
            clock.now += 1
            tracker.iterated(step(number, done), PREVIEW)
    assert whole[6].save is not None
    left = replace(checkpoint(1, 1), iteration=7, elapsed=whole[6].save().elapsed)
    clock.now = 500.0
    tracker, _ = tracked((6, 4), rest, resume=left, clock=clock)
    tracker.prepared()
    tracker.begun(PREVIEW)
    clock.now += 1
    tracker.iterated(step(1, 2), PREVIEW)
    assert [(record.stage, record.scale, record.iteration) for record in rest[1:]] == [("refine", 512, 7), ("refine", 512, 8)]
    assert [record.fraction for record in rest] == [whole[6].fraction, whole[6].fraction, whole[7].fraction]
    assert [record.elapsed for record in rest] == [7.0, 7.0, 8.0]


def test_a_scale_that_ends_early_counts_as_done() -> None:
    told: list[Progress] = []
    tracker, _ = tracked((6, 4), told)
    tracker.iterated(replace(step(0, 3), note="enough"), PREVIEW)
    tracker.iterated(step(0, 6), PREVIEW)
    tracker.iterated(step(1, 1), PREVIEW)
    assert [record.note for record in told] == ["enough", None, None]
    assert told[0].fraction == told[1].fraction < told[2].fraction


def test_parts_of_an_iteration_show_life_and_carry_the_state_before_them() -> None:
    told: list[Progress] = []
    tracker, scales = tracked((2, 3), told)
    tracker.worked(100.0)
    [first] = told
    assert (first.stage, first.scale, first.iteration) == ("refine", 256, 0)
    assert first.losses is first.preview is first.save is None
    tracker.iterated(step(0, 1), PREVIEW)
    tracker.iterated(step(0, 2), PREVIEW)
    whole = float(scales[1].height * scales[1].width)
    for _ in range(4):
        tracker.worked(whole / 4)
    # What comes before a scale's first step is part of that scale.
    assert [record.scale for record in told[3:]] == [512] * 4
    assert all(record.save and record.save().done == 2 for record in told[3:])
    fractions = [record.fraction for record in told]
    assert fractions == sorted(fractions)
    assert len(set(fractions[2:])) == 5
    # More is worked on than an iteration costs: what is not done is not told as done.
    tracker.worked(50 * whole)
    tracker.iterated(step(1, 1), PREVIEW)
    assert told[-2].fraction < told[-1].fraction < 1.0


def test_a_scales_last_iteration_says_that_the_next_takes_longer_but_where_none_follows(told: list[Progress]) -> None:
    assert [one.iteration for one in told if one.ends_scale] == [6]


def test_a_scale_that_ends_early_says_so_too() -> None:
    records = list[Progress]()
    tracker, _ = tracked((6, 4), records)
    tracker.prepared()
    tracker.iterated(replace(step(0, 3), note="stopped"), PREVIEW)
    tracker.iterated(replace(step(1, 2), note="stopped"), PREVIEW)
    assert [one.iteration for one in records if one.ends_scale] == [1]
