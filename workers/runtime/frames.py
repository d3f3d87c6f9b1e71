"""Which previews of a run are kept: the newest for whoever watches, and a few spread over its iterations for later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

# Frames of a finished run, its last picture included.
MOST = 24
# A page on a slow line may still be asking for one that is a while old.
_NEWEST = 24


@dataclass(frozen=True)
class Frame:
    iteration: int
    name: str


def spread(frames: Sequence[Frame], every: int) -> list[Frame]:
    """Return the first frame, and each that is at least ``every`` iterations after the one taken before."""
    taken: list[Frame] = []
    for frame in frames:
        if not taken or frame.iteration - taken[-1].iteration >= every:
            taken.append(frame)
    return taken


class Frames:
    """The stored previews of one attempt."""

    def __init__(self, earlier: Sequence[Frame] = ()) -> None:
        """Begin, or go on after the run of an ``earlier`` attempt."""
        self.count = 0
        self._newest: list[Frame] = list(earlier[-1:])
        self._spread: list[Frame] = list(earlier)
        gaps = [later.iteration - frame.iteration for frame, later in pairwise(earlier[:-1])]
        self._every = min(gaps, default=1)

    @property
    def run(self) -> list[Frame]:
        """The frames spread over the run so far, the newest at its end."""
        if not self._newest:
            return []
        last = self._newest[-1]
        return [frame for frame in self._spread if frame.iteration < last.iteration] + [last]

    @property
    def names(self) -> set[str]:
        """Everything that is stored."""
        return {frame.name for frame in (*self._newest, *self._spread)}

    def add(self, frame: Frame) -> set[str]:
        """Take a stored preview, and return the names of those that are needed no more."""
        before = self.names | {frame.name}
        self.count += 1
        self._newest = [*self._newest, frame][-_NEWEST:]
        self._spread = spread([*self._spread, frame], self._every)
        while len(self._spread) >= MOST:
            self._every *= 2
            self._spread = spread(self._spread, self._every)
        return before - self.names
