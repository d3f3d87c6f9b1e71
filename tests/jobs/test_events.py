"""Progress records become events with the whole state, and a curve that stays short."""

from __future__ import annotations

import itertools
from dataclasses import replace

from app.core.progress import Losses, Progress
from app.jobs.job_events import MAX_CURVE_POINTS, MOST_CHANGES, LiveRecorder, snapshot
from app.jobs.models import STYLIZE, Job, State


def _progress(iteration: int, fraction: float = 0.5) -> Progress:
    return Progress("refine", 256, iteration, 1000, fraction, Losses(1.0, 2.0 * iteration, 0.0, 3.0), 1.23456, 9.87, None)


def test_a_record_keeps_every_figure() -> None:
    live = LiveRecorder().record(_progress(7, 0.1234))
    assert (live.stage, live.scale, live.iteration, live.iterations, live.percent) == ("refine", 256, 7, 1000, 12.3)
    assert (live.elapsed, live.remaining) == (1.23, 9.9)
    assert live.losses is not None
    assert live.losses.style == 14.0


def test_the_curve_is_thinned_evenly_and_keeps_its_start() -> None:
    recorder = LiveRecorder()
    for n in range(1, 1001):
        live = recorder.record(_progress(n))
    iterations = [point.iteration for point in live.curve]
    assert len(iterations) <= MAX_CURVE_POINTS
    assert iterations[0] == 1
    assert {b - a for a, b in itertools.pairwise(iterations)} == {8}
    assert iterations[-1] > 1000 - 8


def test_a_snapshot_tells_the_row() -> None:
    job = Job(id="f" * 32, kind=STYLIZE, state=State.QUEUED, stop_requested=False, cancel_requested=False, stopped_early=False)
    event = snapshot(job, queue_position=4)
    assert (event.state, event.queue_position, event.percent, event.preview, event.result) == (State.QUEUED, 4, 0.0, None, None)
    job.state, job.preview, job.result = State.DONE, "preview-1-0003.jpg", "result-1.png"
    job.progress = {"percent": 61.0, "iteration": 50}
    event = snapshot(job, queue_position=4)
    assert (event.queue_position, event.percent, event.iteration) == (None, 100.0, 50)
    assert event.preview == f"/api/jobs/{'f' * 32}/pictures/preview-1-0003.jpg"
    assert event.result == f"/api/jobs/{'f' * 32}/result"
    assert not event.stopping
    job.state, job.stop_requested = State.RUNNING, True
    assert snapshot(job).stopping


def test_the_curve_follows_the_best_picture_of_each_scale() -> None:
    recorder = LiveRecorder()
    totals = [(256, 5.0), (256, 4.0), (256, 12.0), (256, 3.0), (512, 8.0), (512, 6.0)]
    for n, (scale, total) in enumerate(totals, start=1):
        live = recorder.record(Progress("refine", scale, n, 6, n / 6, Losses(1.0, total - 1, 0.0, total), 1.0, None, None))
    assert [point.style for point in live.curve] == [4.0, 3.0, 3.0, 2.0, 7.0, 5.0]
    assert live.losses is not None
    assert live.losses.style == 5.0


def test_a_part_of_an_iteration_keeps_the_losses_and_adds_nothing_to_the_curve() -> None:
    recorder = LiveRecorder()
    before = recorder.record(_progress(7))
    part = recorder.record(replace(_progress(7, 0.6), losses=None))
    assert (part.losses, part.curve, part.percent) == (before.losses, before.curve, 60.0)
    assert recorder.record(replace(_progress(7, 1.0), stage="finish", losses=None)).losses is None


def test_many_changes_are_told_in_few() -> None:
    recorder = LiveRecorder()
    for value in range(1, 6):
        recorder.changed(3, {"tv": value - 1.0, "strength": 1.0}, {"tv": float(value), "strength": 1.0})
    assert recorder.facts["changes"] == [{"iteration": 3, "name": "tv", "before": 0.0, "after": 5.0}]
    recorder.changed(3, {"tv": 5.0}, {"tv": 0.0})
    assert recorder.facts["changes"] == [], "it was taken back"
    for n in range(700):
        recorder.changed(n, {"tv": float(n)}, {"tv": n + 1.0})
    changes = recorder.facts["changes"]
    assert (len(changes), changes[-1]["iteration"]) == (MOST_CHANGES, 699)
