"""What a bench found, as a page of Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Pair:
    """One pair of pictures: seconds of our first picture and of the whole, and three losses."""

    content: str
    style: str
    size: str
    first: float
    wall: float
    ours: float
    recipe: float
    adam: float
    adam_iterations: int
    adam_seconds: float

    @property
    def speed_up(self) -> float:
        return 1000 * self.adam_seconds / self.wall


@dataclass(frozen=True)
class Run:
    processor: str
    cores: int
    precision: str
    iterations: tuple[int, ...]
    load: float
    warm_up: float
    peak_bytes: int
    pairs: list[Pair]


def write(run: Run, path: Path) -> str:
    """Write the page and return it."""
    pairs = run.pairs
    schedule = " + ".join(str(count) for count in run.iterations)
    adams = sorted({pair.adam_iterations for pair in pairs})
    lines = [
        "# Bench results",
        "",
        "Written by `make bench`, all in one run; losses judged in float32 at 512, 256 and 128 pixels (mean), strength 1.",
        "",
        f"Machine: {run.processor}, {run.cores} cores, convolutions in {run.precision}.",
        "",
        "| at 512 pixels, warm worker | measured | target |",
        "|---|---|---|",
        f"| first picture, longest of {len(pairs)} | {max(pair.first for pair in pairs):.2f} s | under 2 s |",
        f"| default preset ({schedule} iterations), longest | {max(pair.wall for pair in pairs):.1f} s | at most 60 s |",
        f"| default preset, median | {median(pair.wall for pair in pairs):.1f} s | |",
        f"| most memory the process held | {run.peak_bytes / 1e9:.2f} GB | under 2 GB |",
        f"| loading the networks, building shared graphs | {run.load:.1f} s, {run.warm_up:.1f} s | |",
        f"| plain float32 Adam, one iteration, median | {median(pair.adam_seconds for pair in pairs):.2f} s | |",
        f"| speed-up over 1,000 such iterations (extrapolated), median | {median(pair.speed_up for pair in pairs):.0f}× | |",
        f"| three-scale loss: ours, median | {median(pair.ours for pair in pairs):.2f} | the recipe's or less |",
        f"| three-scale loss: recipe, median | {median(pair.recipe for pair in pairs):.2f} | |",
        f"| three-scale loss: Adam, median | {median(pair.adam for pair in pairs):.2f} | |",
        "",
        "| pair | size | first picture | whole | ours | recipe | Adam | of iterations | Adam, 1,000 iterations | speed-up |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *(
            f"| {pair.content} × {pair.style} | {pair.size} | {pair.first:.2f} s | {pair.wall:.1f} s | {pair.ours:.2f} | {pair.recipe:.2f} "
            f"| {pair.adam:.2f} | {pair.adam_iterations} | {1000 * pair.adam_seconds / 60:.0f} min | {pair.speed_up:.0f}× |"
            for pair in pairs
        ),
        "",
        "- *Adam*: at 512 from the photograph, learning rate 0.02, β₁ 0.99, ε 0.1, float32, content at relu4_2. Seconds are the median over"
        f" {' and '.join(map(str, adams))} iterations, its loss is that after as many, and 1,000 of them are extrapolated unless all were run"
        " (`python -m bench --full`, on the first pair).",
        "- *recipe*: AdaIN start, 60 iterations of L-BFGS at 256 and 25 at 512, one scale at a time, zero padding, clipped at the end.",
        "- Each pair's time begins with the call and includes building the graphs of its shape.",
        "",
    ]
    text = "\n".join(lines)
    path.write_text(text)
    return text
