"""`make bench`: ours, the plain algorithm and a peer on the same pictures, measured and judged in one run into RESULTS.md.

What is done is kept: Ctrl-C, and the same command again, goes on from there.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from PIL import Image

from app.core.config import Settings
from bench.judge import Judge
from bench.pictures import PAIRS, painting, photograph
from bench.plan import Plan
from bench.records import Record, Records
from bench.report import Machine, page
from bench.sheet import card, laid_out, save
from bench.systems import SYSTEMS, chosen
from bench.timing import Pace, duration
from workers.nets import weights
from workers.nets.precision import choose, device
from workers.nets.vgg19 import VGG19

HERE = Path(__file__).parent
# Of the contact sheet: a picture's place, bytes at most, and what is left out, since so few iterations show nothing.
_CARD = (192, 192)
_LARGEST = 1_900_000
_LEFT_OUT = {"tutorial"}


def main() -> None:
    given = _arguments()
    plan = Plan(given.size, given.pairs, given.share, given.tutorial, given.full)
    settings = Settings()
    weights.prepare(settings)
    machine = Machine(device(), os.cpu_count() or 1, choose(settings.precision))
    folder = given.work / plan.fingerprint(f"{machine}")
    plan.write(folder)
    systems = chosen([name for name in SYSTEMS if name in (given.systems or SYSTEMS)], machine.precision)
    missing: dict[str, str] = {}
    try:
        _paint(systems, plan, folder, missing)
        records = _judged(systems, plan, Records(folder), settings)
    except KeyboardInterrupt:
        _say(f"Stopped. What is done is kept in {folder}; the same command goes on from there.")
        raise SystemExit(130) from None
    _write(records, plan, machine, missing, given.output or (HERE if plan.whole and not given.systems else folder), Records(folder))


def _arguments() -> argparse.Namespace:
    default = Plan()
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--size", type=int, default=default.size, help="longer side in pixels (default: %(default)s)")
    parser.add_argument("--pairs", type=int, default=default.pairs, choices=range(1, len(PAIRS) + 1), metavar="N", help="of %(default)s")
    parser.add_argument("--share", type=float, default=default.share, help="of each schedule's iterations, less than 1 for a try")
    parser.add_argument("--tutorial", type=int, default=default.tutorial, help="iterations that 1,000 are extrapolated from (%(default)s)")
    parser.add_argument("--full", type=int, default=default.full, metavar="N", help="pairs on which all 1,000 are run (default: none)")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, metavar="NAME", help=f"only these: {', '.join(SYSTEMS)}")
    parser.add_argument("--work", type=Path, default=HERE / "work", help="folder of records, kept between runs")
    parser.add_argument("--output", type=Path, help="folder of RESULTS.md; a try goes beside its records by default")
    return parser.parse_args()


def _paint(systems: list[str], plan: Plan, folder: Path, missing: dict[str, str]) -> None:
    """Let each system paint in a process of its own; one that cannot is told in ``missing``."""
    records = Records(folder)
    todo = {
        name: sum(not records.is_painted(name, pair) for pair in PAIRS[: SYSTEMS[name].wanted(plan.pairs, plan.full)]) for name in systems
    }
    pace = Pace({name: SYSTEMS[name].effort for name in systems}, todo)
    for name in systems:
        if not todo[name]:
            continue
        _say(f"{SYSTEMS[name].title}: {todo[name]} pictures")
        command = [sys.executable, "-m", "bench.worker", str(folder), name]
        began = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parent) as process:  # noqa: S603
            assert process.stdout is not None  # noqa: S101 - asked for above
            try:
                for line in process.stdout:
                    told = json.loads(line)
                    if isinstance(told, str):
                        missing[name] = told
                        continue
                    content, style, seconds = told
                    pace.done(name, seconds, time.perf_counter() - began - seconds)
                    began = time.perf_counter()
                    _say(f"  {content} × {style}: {seconds:.1f} s; {pace.finished} of {pace.total}, about {duration(pace.left)} left")
            except KeyboardInterrupt:
                process.terminate()
                raise
        if process.returncode:
            missing.setdefault(name, f"its process ended with code {process.returncode}")
            _say(f"  {SYSTEMS[name].title}: {missing[name]}")
            pace.give_up(name)


def _judged(systems: list[str], plan: Plan, records: Records, settings: Settings) -> list[Record]:
    judge = Judge(VGG19(weights.load("vgg19", settings)))
    pairs = list(PAIRS[: plan.pairs])
    for name in systems:
        for pair in pairs:
            if records.is_painted(name, pair) and not records.is_judged(name, pair):
                _say(f"judging {SYSTEMS[name].title}: {' × '.join(pair)}")
                records.judge(name, pair, judge.measures(records.picture(name, pair), photograph(pair[0]), painting(pair[1])))
    return list(records.all(systems, pairs))


def _write(records: list[Record], plan: Plan, machine: Machine, missing: dict[str, str], output: Path, kept: Records) -> None:
    output.mkdir(parents=True, exist_ok=True)
    text = page(records, plan, machine, missing)
    (output / "RESULTS.md").write_text(text)
    figures = {"machine": asdict(machine), "plan": asdict(plan), "missing": missing, "records": [asdict(record) for record in records]}
    (output / "RESULTS.json").write_text(json.dumps(figures, indent=1) + "\n")
    save(laid_out(_rows(records, kept)), output / "contact-sheet.jpg", _LARGEST)
    print(text)  # noqa: T201
    _say(f"written to {output}: RESULTS.md, RESULTS.json, contact-sheet.jpg")


def _rows(records: list[Record], kept: Records) -> list[list[Image.Image]]:
    """Return a row a pair: photograph, painting and what each system made of them."""
    systems = [name for name in SYSTEMS if name not in _LEFT_OUT and any(record.system == name for record in records)]
    rows = []
    for pair in dict.fromkeys(record.pair for record in records):
        has = {record.system for record in records if record.pair == pair}
        row = [card(photograph(pair[0]), pair[0], _CARD), card(painting(pair[1]), pair[1], _CARD)]
        rows.append(row + [card(kept.picture(name, pair) if name in has else None, SYSTEMS[name].title, _CARD) for name in systems])
    return rows


def _say(text: str) -> None:
    print(f"· {text}", file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
