"""What one run measures, and the folder that its records are kept in."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.pictures import PAIRS

_ROOT = Path(__file__).parents[1]
# What decides a picture, its time or its measures: with any of it changed, records begin anew.
_DECIDING = "edges flops judge painters peer perceptual pictures plain rate systems waffle worker"
_SOURCES = (
    "app/core/specs.py",
    "app/core/commission.py",
    "app/core/memory.py",
    "workers/style/*.py",
    "workers/nets/*.py",
    *(f"bench/{name}.py" for name in _DECIDING.split()),
)


@dataclass(frozen=True)
class Plan:
    """Options of a run.

    Attributes:
        size: longer side of the pictures.
        pairs: how many, from the first of ``PAIRS``.
        share: of each schedule's iterations that is really done: 1, or less for a try.
        tutorial: iterations of the plain algorithm from which 1,000 are extrapolated.
        full: pairs on which all 1,000 are run.
    """

    size: int = 512
    pairs: int = len(PAIRS)
    share: float = 1.0
    tutorial: int = 20
    full: int = 0

    @property
    def whole(self) -> bool:
        """Whether the results are those that the goals are about."""
        return self.size == 512 and self.share == 1.0 and self.pairs == len(PAIRS)

    def iterations(self, count: int) -> int:
        """Return how many of a schedule's ``count`` iterations are done, at least 1 of any."""
        return max(1, round(count * self.share)) if count else 0

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "plan.json").write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, folder: Path) -> Plan:
        return cls(**json.loads((folder / "plan.json").read_text()))

    def fingerprint(self, machine: str, root: Path = _ROOT) -> str:
        """Return a name for the folder of records that may be put together: same machine, sources, size and iterations."""
        digest = hashlib.sha256(json.dumps([machine, self.size, self.share, self.tutorial]).encode())
        for pattern in _SOURCES:
            for path in sorted(root.glob(pattern)):
                digest.update(path.name.encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()[:12]
