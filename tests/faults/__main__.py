"""``python -m tests.faults soak``: the long run, written between the markers of docs/reliability.md.

``--kills`` makes it shorter, ``--seed`` repeats one, ``--dry`` leaves the document alone.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import sys
import tempfile
from pathlib import Path

from tests.faults import soak
from tests.faults.installation import ROOT

DOCUMENT = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- soak: begin -->", "<!-- soak: end -->"


def between_markers(text: str, new: str, begin: str = BEGIN, end: str = END) -> str:
    """Return ``text`` with ``new`` in the place of what stood between the markers."""
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{new}\n{end}{after}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("what", choices=["soak"])
    parser.add_argument("--kills", type=int, default=soak.KILLS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dry", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pentimento-soak-") as folder:
        outcome = soak.soak(Path(folder), asked.seed, lambda line: print(line, file=sys.stderr, flush=True), asked.kills)
    where = f"{os.cpu_count()} CPUs, Python {platform.python_version()}"
    told = soak.table(outcome, datetime.datetime.now(tz=datetime.UTC).date().isoformat(), where)
    print(told)
    for violation in outcome.violations:
        print(violation, file=sys.stderr)
    if not asked.dry:
        DOCUMENT.write_text(between_markers(DOCUMENT.read_text(), told))
    return 0 if outcome.is_well else 1


if __name__ == "__main__":
    raise SystemExit(main())
