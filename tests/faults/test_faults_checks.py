"""Each check sees a state that is bad, and each guard, switched off, is missed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from app.imaging import encode
from app.jobs.models import STYLIZE, VERDICT, Job, State
from tests.faults import checks, guards
from tests.faults.checks import Acknowledged, Step
from tests.faults.engine import painted

SEED = 7
# The others are for `make soak`.
IN_EVERY_RUN = ("fencing", "rename")


class World:
    """One finished job as it has to be: its row, its verdict, its files, what it went through."""

    def __init__(self, root: Path) -> None:
        self.root = root
        frame = {"iteration": 1, "name": "preview-1-0001.jpg"}
        self.job = Job(
            id="a" * 32,
            kind=STYLIZE,
            state=State.DONE,
            params={"seed": SEED},
            inputs={"content": {}},
            result="result-1.png",
            frames=[frame],
        )
        self.verdict = Job(id="b" * 32, kind=VERDICT, parent=self.job.id, state=State.DONE, inputs={}, report={"judgements": {}})
        self.rows = [self.job, self.verdict]
        self.steps = [
            Step(job.id, job.kind, old, new, 1, 0.0)
            for job in self.rows
            for old, new in ((State.QUEUED, State.RUNNING), (State.RUNNING, State.DONE))
        ]
        self.ledger = {self.job.id: Acknowledged(SEED)}
        self.folder = root / "jobs" / self.job.id
        self.folder.mkdir(parents=True)
        (self.folder / "result-1.png").write_bytes(encode.png(painted(SEED)))
        (self.folder / "content.png").write_bytes(encode.png(painted(1)))
        for name in ("content-small.jpg", "preview-1-0001.jpg"):
            Image.fromarray(painted(1)).save(self.folder / name)

    def violations(self) -> list[str]:
        return checks.violations(self.rows, self.steps, self.root, self.ledger)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_good_state_is_good(world: World) -> None:
    assert world.violations() == []
    (world.folder / ".partial-xyz").write_bytes(b"half")
    assert world.violations() == [], "what has no name yet may be half"


def is_lost(world: World) -> None:
    world.ledger["c" * 32] = Acknowledged(1)


def has_not_ended(world: World) -> None:
    world.verdict.state = State.RUNNING


def ended_otherwise(world: World) -> None:
    world.job.state = State.FAILED


def ended_twice(world: World) -> None:
    world.steps.append(Step(world.job.id, STYLIZE, State.RUNNING, State.DONE, 2, 1.0))


def claimed_while_it_ran(world: World) -> None:
    world.steps.insert(1, Step(world.job.id, STYLIZE, State.RUNNING, State.RUNNING, 2, 1.0))


def attempt_given_out_twice(world: World) -> None:
    world.steps[1:1] = [
        Step(world.job.id, STYLIZE, State.RUNNING, State.QUEUED, 1, 1.0),
        Step(world.job.id, STYLIZE, State.QUEUED, State.RUNNING, 1, 1.0),
    ]


def names_a_file_that_is_gone(world: World) -> None:
    (world.folder / "content-small.jpg").unlink()


def is_another_picture(world: World) -> None:
    (world.folder / "result-1.png").write_bytes(encode.png(painted(SEED + 1)))


def has_no_result(world: World) -> None:
    world.job.result = None


def is_half_a_picture(world: World) -> None:
    file = world.folder / "preview-2-0001.jpg"
    shutil.copy(world.folder / "preview-1-0001.jpg", file)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def is_half_a_state(world: World) -> None:
    (world.folder / "checkpoint-1-0.safetensors").write_bytes(b"0" * 100)


def has_no_verdict(world: World) -> None:
    world.verdict.report = None


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (is_lost, "was acknowledged and is not there"),
        (has_not_ended, "has not ended: it is running"),
        (ended_otherwise, "ended as failed, not as done"),
        (ended_twice, "ended 2 times"),
        (claimed_while_it_ran, "went from running to running in attempt 2"),
        (attempt_given_out_twice, "was claimed as attempts [1, 1]"),
        (names_a_file_that_is_gone, "names content-small.jpg, which is not there"),
        (is_another_picture, "result-1.png is another picture"),
        (has_no_result, "is done and has no result"),
        (is_half_a_picture, "preview-2-0001.jpg is not whole"),
        (is_half_a_state, "checkpoint-1-0.safetensors is not whole"),
        (has_no_verdict, "has no verdict"),
    ],
)
def test_a_bad_state_is_told(world: World, harm: Callable[[World], None], words: str) -> None:
    harm(world)
    assert any(words in line for line in world.violations()), world.violations()


def test_a_file_that_nobody_names_is_told(world: World) -> None:
    (world.folder / ".partial-xyz").write_bytes(b"half")
    assert checks.unnamed(world.rows, world.root) == [f"jobs/{world.job.id}/.partial-xyz"]


@pytest.mark.parametrize("guard", IN_EVERY_RUN)
def test_a_guard_that_is_switched_off_is_missed(tmp_path: Path, guard: str) -> None:
    told = guards.run_without(guard, tmp_path / "data")
    assert any(guards.SIGNS[guard] in line for line in told), told
