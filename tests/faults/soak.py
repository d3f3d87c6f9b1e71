"""The long run: every kind of harm, mixed, at seeded moments; then the checks, and runs without each guard."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from app.jobs.models import STYLIZE, State
from tests.faults import checks
from tests.faults.checks import Acknowledged, unfinished
from tests.faults.crash_points import WEB_POINTS, WORKER_POINTS
from tests.faults.driver import Driver
from tests.faults.guards import SIGNS, run_without
from tests.faults.installation import Installation
from tests.faults.minds import MINDS
from tests.faults.visitor import Crowd

KILLS = 100
# Beside the kills of the worker: each so many times.
OTHERS = {
    "kill_web": 20,
    "kill_judge": 20,
    "kill_broker": 15,
    "flush_broker": 15,
    "freeze_worker": 15,
    "repeat_wake_ups": 15,
    "slow_client": 10,
}
SHUTDOWNS = 10
# Kept waiting or at work.
DEPTH = 6
# The share of pictures about which people change their mind.
FICKLE = 0.4

_KILL = "kill −9 of the worker's group"

Say = Callable[[str], None]


@dataclass
class Outcome:
    """What a soak has found."""

    seed: int
    seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    done: int = 0
    cancelled: int = 0
    wishes: Counter[str] = field(default_factory=Counter)
    verdicts: int = 0
    attempts: int = 0
    resumed: int = 0
    last_seconds: float = 0.0
    orphans: int = 0
    violations: list[str] = field(default_factory=list)
    missed: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_well(self) -> bool:
        """Tell whether nothing was violated, although the faults met something, and whether each broken guard was noticed."""
        noticed = all(any(SIGNS[guard] in line for line in told) for guard, told in self.missed.items())
        met = self.attempts - self.acknowledged >= self.faults[_KILL] // 2 and self.resumed > 0 and bool(self.wishes)
        return not self.violations and met and noticed


def plan(driver: Driver, kills: int, share: float) -> list[tuple[str, Callable[[], object]]]:
    """Return every harm of the run in an order that the driver's seed decides."""
    harms: list[tuple[str, Callable[[], object]]] = [
        (_KILL, lambda at_work=number % 5 != 4: driver.kill_worker(at_work=at_work)) for number in range(kills)
    ]
    for name, times in OTHERS.items():
        harms += [(_IN_WORDS[name], getattr(driver, name))] * max(1, round(times * share))
    harms += [("SIGTERM to the worker", driver.shut_down_worker)] * max(1, round(SHUTDOWNS * share))
    for role, points in (("worker", WORKER_POINTS), ("judge", ("after-claim", "before-commit", "after-commit")), ("web", WEB_POINTS)):
        harms += [(f"{role} dies at a crash point", lambda role=role, point=point: _crash(driver, role, point)) for point in points]
    driver.random.shuffle(harms)
    return harms


_IN_WORDS = {
    "kill_web": "kill −9 of the web server",
    "kill_judge": "kill −9 of the judge's group",
    "kill_broker": "kill −9 of the broker",
    "flush_broker": "FLUSHALL",
    "freeze_worker": "SIGSTOP past the lease, then SIGCONT",
    "repeat_wake_ups": "ten times the same message",
    "slow_client": "upload that trickles and breaks off",
}


def _crash(driver: Driver, role: str, point: str) -> None:
    driver.arm(role, point)
    driver.wait_for_crash(role, point)


def soak(folder: Path, seed: int, say: Say, kills: int = KILLS) -> Outcome:
    """Run it all, and the runs without guards."""
    outcome = Outcome(seed)
    began = time.monotonic()
    with Installation(folder / "data", {"PENTIMENTO_MAX_CRASHES": "200"}) as installation:
        driver = Driver(installation, seed)
        with Crowd(installation.address, driver.ledger, lambda: len(unfinished(installation.rows())) < DEPTH, fickle=FICKLE) as crowd:
            for number, (name, harm) in enumerate(harms := plan(driver, kills, kills / KILLS), start=1):
                say(f"{number}/{len(harms)} {name}; {len(driver.ledger)} acknowledged")
                harm()
                outcome.faults[name] += 1
        outcome.last_seconds = installation.settle()
        outcome.violations = [*installation.violations(driver.ledger), *crowd.surprises]
        outcome.orphans = len(checks.unnamed(installation.rows(), installation.pictures))
        outcome.violations += [f"{key} is left by the janitor" for key in installation.clean()]
        outcome.violations += installation.violations(driver.ledger)
        _count(outcome, installation, driver.ledger)
        outcome.wishes = crowd.asked
    outcome.seconds = time.monotonic() - began
    for guard in SIGNS:
        say(f"without {guard}")
        outcome.missed[guard] = run_without(guard, folder / guard)
    return outcome


def _count(outcome: Outcome, installation: Installation, ledger: dict[str, Acknowledged]) -> None:
    rows = installation.rows()
    pictures = [job for job in rows if job.kind == STYLIZE]
    outcome.acknowledged = len(ledger)
    outcome.done = sum(job.state == State.DONE for job in pictures if job.id in ledger)
    outcome.cancelled = sum(job.state == State.CANCELLED for job in pictures if job.id in ledger)
    outcome.verdicts = sum(job.kind != STYLIZE and job.state == State.DONE for job in rows)
    outcome.attempts = sum(job.attempt for job in pictures)
    outcome.resumed = sum(bool((job.facts or {}).get("resumed_at")) for job in pictures)


def table(outcome: Outcome, when: str, where: str) -> str:
    """Return the outcome in Markdown."""
    lines = [f"{when}, {where}, seed {outcome.seed}, {outcome.seconds / 60:.1f} minutes.", "", "| fault | times |", "|---|---|"]
    lines += [f"| {name} | {times} |" for name, times in sorted(outcome.faults.items(), key=lambda item: (-item[1], item[0]))]
    lines += [
        "",
        "| | |",
        "|---|---|",
        f"| uploads acknowledged | {outcome.acknowledged} |",
        f"| of these done, each once, with the picture of its seed | {outcome.done} |",
        f"| cancelled, because their owner wanted it | {outcome.cancelled} |",
        f"| pictures about which an owner changed his mind ({'; '.join(sorted(MINDS))}) | {outcome.wishes.total()} |",
        f"| verdicts given | {outcome.verdicts} |",
        f"| attempts at pictures | {outcome.attempts} |",
        f"| pictures that went on from a checkpoint | {outcome.resumed} |",
        f"| seconds from the last fault until all was at rest | {outcome.last_seconds:.1f} |",
        f"| files that no row names, before the janitor | {outcome.orphans} |",
        f"| violations, the janitor's leavings included | {len(outcome.violations)} |",
        "",
        "| guard switched off | violations reported | the first |",
        "|---|---|---|",
    ]
    lines += [
        f"| {guard} | {len(told)} | {_without_ids(next((line for line in told if SIGNS[guard] in line), 'none'))} |"
        for guard, told in outcome.missed.items()
    ]
    return "\n".join(lines)


def _without_ids(line: str) -> str:
    return " ".join("…" if len(word) == 32 else word for word in line.replace("/", " ").split()).replace("|", " ")
