from __future__ import annotations

import numpy as np
import pytest

from app.core.progress import Losses, Progress
from app.core.specs import StyleParams
from workers.style import pyramid
from workers.style.tracker import Tracker

PREVIEW = np.zeros((4, 4, 3), np.uint8)
LOSSES = Losses(1.0, 2.0, 0.5, 3.5)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def told() -> list[Progress]:
    """Records of a run in which an iteration costs two seconds at full size and takes in proportion before."""
    params = StyleParams(size=512, iterations=(6, 4), levels=1)
    frame = pyramid.frame(512, 512, params)
    scales = pyramid.scales(frame, params)
    clock, records = Clock(), list[Progress]()
    tracker = Tracker(records.append, scales, side=512, pixels=frame.canvas_height * frame.canvas_width, clock=clock)
    tracker.prepared()
    clock.now += 1
    tracker.adain(PREVIEW)
    for scale in scales:
        clock.now += 3
        for _ in range(scale.iterations):
            clock.now += 2.0 * scale.cost / scales[-1].cost
            tracker.iterated(scale, LOSSES, PREVIEW)
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
