"""`pentimento verdict`: any number of picture files, a few in memory at a time."""

from __future__ import annotations

import csv
import json
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from app.core.config import Settings
from app.core.errors import PentimentoError
from app.core.verdicts import Score
from app.imaging import encode
from app.imaging.decode import DecoderPool, Limits
from app.local.painting import read
from app.local.terminal import console, hushed, prepare_weights, say

Pixels = NDArray[np.uint8]

_DECODERS = 2
# Files opened ahead of the network.
_AHEAD = 8
_COLOURS = {"original": "green", "stylised": "magenta", "uncertain": "yellow"}


@dataclass(frozen=True)
class Finding:
    """What is said of one file: a score or an error."""

    file: str
    score: Score | None = None
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        if self.score is None:
            return {"file": self.file, "error": self.error}
        score = self.score
        return {"file": self.file, "probability": score.probability, "verdict": score.decision, "logit": score.logit}


def judge_files(settings: Settings, paths: Sequence[Path]) -> list[Finding]:
    """Return a finding for each file, in order.

    Files are decoded in processes of their own and go through the network in batches: however many
    there are, no more than a few dozen pictures are in memory.
    """
    prepare_weights(settings)
    with hushed():
        from workers.verdict.judge import Judge

        judge = Judge(settings)
    errors: dict[int, str] = {}
    with DecoderPool(_DECODERS, Limits.of(settings)) as pool, console.status("Looking at the pictures ..."):
        scores = list(judge.probabilities(_readable(pool, paths, errors)))
    found = iter(scores)
    return [
        Finding(str(path), error=errors[number]) if number in errors else Finding(str(path), next(found))
        for number, path in enumerate(paths)
    ]


def show(findings: Sequence[Finding], form: Literal["table", "json", "csv"]) -> None:
    """Write the findings to standard output."""
    if form == "json":
        say(json.dumps([finding.as_dict() for finding in findings], indent=1, ensure_ascii=False))
    elif form == "csv":
        writer = csv.DictWriter(sys.stdout, ["file", "probability", "verdict", "logit", "error"], restval="")
        writer.writeheader()
        writer.writerows(finding.as_dict() for finding in findings)
    else:
        Console(highlight=False).print(_table(findings))


def _readable(pool: DecoderPool, paths: Sequence[Path], errors: dict[int, str]) -> Iterator[Pixels]:
    """Yield the pictures that can be read, in order; what is wrong with the others goes to ``errors`` by number."""
    with ThreadPoolExecutor(_DECODERS) as threads:
        waiting: deque[tuple[int, Future[Pixels]]] = deque()
        ahead = iter(enumerate(paths))
        while True:
            while len(waiting) < _AHEAD and (following := next(ahead, None)):
                waiting.append((following[0], threads.submit(_decoded, pool, following[1])))
            if not waiting:
                return
            number, picture = waiting.popleft()
            try:
                yield picture.result()
            except PentimentoError as error:
                errors[number] = error.message


def _decoded(pool: DecoderPool, path: Path) -> Pixels:
    return encode.read_rgb(pool.decode(read(path)).png)


def _table(findings: Sequence[Finding]) -> Table:
    table = Table(Column("file", overflow="fold"), "verdict", "stylised", "logit", box=None, pad_edge=False)
    for finding in findings:
        if finding.score is None:
            table.add_row(escape(finding.file), "[red]error[/]", escape(finding.error or ""), "")
        else:
            score = finding.score
            table.add_row(
                escape(finding.file), f"[{_COLOURS[score.decision]}]{score.decision}[/]", f"{score.probability:.1%}", f"{score.logit:+.2f}"
            )
    return table
