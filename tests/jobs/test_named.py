"""Which files a row names: all that anybody may still ask for, and no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.jobs.models import EXPERIMENT, STYLIZE, VERDICT, Job, State
from app.jobs.named import named

GIVEN = {"content.png", "content-small.jpg", "style.png", "style-small.jpg"}


def job(**columns: Any) -> Job:
    return Job(**{"id": "1" * 32, "kind": STYLIZE, "state": State.QUEUED, "inputs": {"content": {}, "style": {}}, **columns})


def test_what_it_was_given() -> None:
    assert named(job()) == GIVEN
    roles = ("content", "content-alpha", "style", "style-mask", "style-part", "style2", "style2-mask", "protect")
    assert named(job(inputs={role: {"name": "x"} for role in roles})) == {
        f"{role}{end}" for role in roles for end in (".png", "-small.jpg")
    }
    assert named(job(kind=VERDICT, inputs={"picture": {}})) == {"picture.png", "picture-small.jpg"}


def test_what_lies_in_a_dataset_is_not_in_the_folder() -> None:
    both = {"key": "datasets/1/00001.png", "thumbnail": "datasets/1/00001-small.jpg"}
    assert named(job(inputs={"content": both, "style": {}})) == {"style.png", "style-small.jpg"}


def test_previews_results_and_frames() -> None:
    frames = [{"iteration": 1, "name": "preview-1-0001.jpg"}, {"iteration": 9, "name": "preview-1-0009.jpg"}]
    shown = job(preview="preview-1-0010.jpg", result="result-1.png", frames=frames)
    assert named(shown) - GIVEN == {"preview-1-0001.jpg", "preview-1-0009.jpg", "preview-1-0010.jpg", "result-1.png"}


@pytest.mark.parametrize("live", [{}, {"something": "of another version"}])
def test_what_the_next_attempt_goes_on_from(live: dict[str, Any]) -> None:
    left = {"name": "checkpoint-2-1.safetensors", "live": live, "frames": [{"iteration": 4, "name": "preview-1-0004.jpg"}]}
    assert named(job(checkpoint=left)) - GIVEN == {"checkpoint-2-1.safetensors", "preview-1-0004.jpg"}
    assert named(job(checkpoint={**left, "result": "result-2.png"})) - named(job(checkpoint=left)) == {"result-2.png"}


def test_what_a_continued_picture_began_from() -> None:
    assert named(job(continues="2" * 32)) - GIVEN == {"start.png"}


def test_what_a_study_was_given_and_reports() -> None:
    inputs = {"study": "hypothesis", "dataset": {"id": "3" * 32, "name": "Set"}, "styles": {"seen": [{"role": "seen-1"}], "unseen": []}}
    report = {"summary": {}, "answer": "", "file": "report-1.json", "detector": "detector-1.safetensors"}
    study: Callable[..., Job] = lambda **columns: job(kind=EXPERIMENT, inputs=inputs, **columns)  # noqa: E731
    assert named(study()) == {"seen-1.png", "seen-1-small.jpg"}
    assert named(study(report=report)) - named(study()) == {"report-1.json", "detector-1.safetensors"}
    assert named(job(kind=EXPERIMENT, inputs={"study": "evaluation", "dataset": {"id": "3" * 32, "name": "Set"}})) == set()
