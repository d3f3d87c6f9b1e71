"""`python -m bench.recipes`: ways to refine the picture, tried at equal cost, judged by the same measures, into RECIPES.md.

What is done is kept: Ctrl-C, and the same command again, goes on from there.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf

from app.core.config import Settings
from bench.judge import Judge
from bench.pictures import PAIRS, painting, photograph
from bench.plan import Plan
from bench.records import Painted, Record, Records
from bench.timing import Pace, duration
from bench.trial import Trial, cost, frame_of, paint, stages
from bench.worker import peak_bytes
from workers.nets import weights
from workers.nets.adain_decoder import AdaINDecoder
from workers.nets.precision import choose, device
from workers.nets.vgg19 import VGG19
from workers.style.instant import Instant

HERE = Path(__file__).parent
BASE = "base"
_COARSE = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")

TRIALS: dict[str, Trial] = {
    BASE: Trial("base: half and whole, L-BFGS, three levels"),
    "ladder": Trial("√2 ladder", scales=((0.5, 40), (0.5**0.5, 18), (1.0, 10))),
    "ladder-long": Trial("√2 ladder from a quarter", scales=((0.25, 60), (0.125**0.5, 40), (0.5, 25), (0.5**0.5, 14), (1.0, 8))),
    "average": Trial("mean of iterates, decay 0.8", average=0.8),
    "adam": Trial("Adam", optimiser="adam", finest="adam"),
    "adam-average": Trial("Adam, mean of iterates, decay 0.9", optimiser="adam", finest="adam", average=0.9),
    "adam-warm": Trial("Adam, moments carried over", optimiser="adam", finest="adam", warm=True),
    "warm": Trial("L-BFGS, curvature carried over", warm=True),
    "gaussian": Trial("mean and covariance at the finest scale", gaussian=True),
    "laplacian": Trial("Laplacian pyramid of 3 layers", layers=3),
    "coarse-layers": Trial("no relu5_1 at the coarse scale", coarse=_COARSE),
    "adam-finest": Trial("Adam at the finest scale", finest="adam"),
    "crops": Trial("random crops at the finest scale, half of each side, Adam", finest="adam", share=0.5),
}
# What a trial is made of, besides what decides the bench's records.
_SOURCES = ["recipes", "trial", "trial_objective", "wasserstein", "laplacian", "warm"]


def main() -> None:
    given = _arguments()
    settings = Settings()
    weights.prepare(settings)
    plan = Plan(given.size, given.pairs, given.share)
    sources = b"".join((HERE / f"{name}.py").read_bytes() for name in _SOURCES)
    folder = given.work / f"recipes-{plan.fingerprint(device() + hashlib.sha256(sources).hexdigest())}"
    names, pairs, records = [BASE, *(name for name in given.only or TRIALS if name != BASE)], PAIRS[: plan.pairs], Records(folder)
    try:
        _run(names, plan, records, settings)
    except KeyboardInterrupt:
        print(f"· Stopped. What is done is kept in {folder}; the same command goes on from there.", file=sys.stderr)  # noqa: T201
        raise SystemExit(130) from None
    costs = {name: median(_cost(TRIALS[name], pair[0], plan) for pair in pairs) for name in names}
    text = page(list(records.all(names, list(pairs))), costs, plan)
    output = given.output or (HERE if plan.size == 512 and plan.share == 1.0 and not given.only else folder)
    output.mkdir(parents=True, exist_ok=True)
    (output / "RECIPES.md").write_text(text)
    print(text)  # noqa: T201


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.recipes", description=__doc__)
    parser.add_argument("--size", type=int, default=512, help="longer side in pixels (default: %(default)s)")
    parser.add_argument(
        "--pairs", type=int, default=6, choices=range(1, len(PAIRS) + 1), metavar="N", help="how many (default: %(default)s)"
    )
    parser.add_argument("--share", type=float, default=1.0, help="of the cost of the default preset (default: 1)")
    parser.add_argument("--only", nargs="+", choices=TRIALS, metavar="NAME", help=f"beside the base: {', '.join(TRIALS)}")
    parser.add_argument("--work", type=Path, default=HERE / "work", help="folder of records, kept between runs")
    parser.add_argument("--output", type=Path, help="folder of RECIPES.md; a try goes beside its records by default")
    return parser.parse_args()


def budget(content_name: str, plan: Plan) -> float:
    """Return the pixels that the base costs on a photograph, with the share of its iterations that the plan asks for."""
    base = TRIALS[BASE]
    return cost(base, frame_of(photograph(content_name), plan.size), [plan.iterations(count) for _, count in base.scales])


def _cost(trial: Trial, content_name: str, plan: Plan) -> float:
    frame = frame_of(photograph(content_name), plan.size)
    return cost(trial, frame, [stage.iterations for stage in stages(trial, frame, budget(content_name, plan))])


def _run(names: Sequence[str], plan: Plan, records: Records, settings: Settings) -> None:
    vgg, precision = VGG19(weights.load("vgg19", settings)), choose(settings.precision)
    dtype = tf.as_dtype(precision)
    instant, judge = Instant(vgg, AdaINDecoder(weights.load("adain_decoder", settings)), dtype), Judge(vgg)
    missing = {name: sum(not records.is_judged(name, pair) for pair in PAIRS[: plan.pairs]) for name in names}
    pace = Pace(dict.fromkeys(names, 1.0), missing)
    # A pair after the other, so that what is stopped early compares every recipe on some.
    for pair in PAIRS[: plan.pairs]:
        content, style = photograph(pair[0]), painting(pair[1])
        for name in names:
            if records.is_judged(name, pair):
                continue
            load, wall, processor = os.getloadavg()[0], time.perf_counter(), time.process_time()
            pixels, count = paint(TRIALS[name], vgg, instant, dtype, content, style, plan.size, budget(pair[0], plan))
            wall, processor = time.perf_counter() - wall, time.process_time() - processor
            records.keep(name, pair, pixels, Painted(wall, processor, None, None, count, None, peak_bytes(), {}, load, precision))
            records.judge(name, pair, judge.measures(pixels, content, style))
            pace.done(name, wall, 0.0)
            told = (
                f"{' × '.join(pair)}, {TRIALS[name].title}: {wall:.1f} s; {pace.finished} of {pace.total}, about {duration(pace.left)} left"
            )
            print(f"· {told}", file=sys.stderr, flush=True)  # noqa: T201


def page(records: Sequence[Record], costs: Mapping[str, float], plan: Plan) -> str:
    """Return the table, best loss first.

    Args:
        costs: median cost of each trial, in pixels.
    """
    base = {record.pair: record.measures.loss for record in records if record.system == BASE}
    rows = []
    for name in dict.fromkeys(record.system for record in records):
        here = [record for record in records if record.system == name]
        measures, ratios = [record.measures for record in here], [record.measures.loss / base[record.pair] for record in here]
        waffles = [one.waffle for one in measures if one.waffle is not None]
        cells = (
            TRIALS[name].title,
            f"{median(ratios):.2f}",
            f"{sum(ratio < 1 for ratio in ratios)} of {len(here)}",
            f"{median(one.content for one in measures):.3f}",
            f"{median(one.style for one in measures):.3f}",
            f"{median(waffles):.1f}" if waffles else "–",
            f"{median(one.edges for one in measures):.3f}",
            f"{costs[name] / plan.size**2:.1f}",
            f"{median(record.painted.iterations for record in here):.0f}",
            f"{median(record.painted.wall for record in here):.1f}",
        )
        rows.append((median(ratios), f"| {' | '.join(cells)} |"))
    heads = (
        "recipe",
        "loss over the base's",
        "lower on",
        "content loss",
        "style loss",
        "waffle, dB",
        "edges",
        "cost",
        "iterations",
        "seconds",
    )
    return "\n".join(
        (
            "# Recipes tried",
            "",
            f"Written by `python -m bench.recipes`: {len(base)} pairs at {plan.size} pixels, each recipe at the same cost, medians.",
            "",
            f"| {' | '.join(heads)} |",
            f"|{'---|' * len(heads)}",
            *(row for _, row in sorted(rows)),
            "",
            "- *loss*: float32, mean over the size, its half and its quarter; of each pair over the base's, then the median.",
            "- *cost*: operations, in evaluations of one level of a square of this size with every layer; those of eigenvectors are not counted.",
            "- *waffle*, *edges*: as in RESULTS.md.",
            "",
        )
    )


if __name__ == "__main__":
    main()
