"""How long what is left will take, from what is done."""

from __future__ import annotations

from collections.abc import Mapping


class Pace:
    """Seconds left of several systems' pictures: by a system's own pictures once it has some, before that by its effort.

    What comes before a system's first picture, networks loaded and graphs built, is counted apart.
    """

    def __init__(self, efforts: Mapping[str, float], todo: Mapping[str, int]) -> None:
        self._efforts, self._left = efforts, dict(todo)
        self._seconds: dict[str, list[float]] = {name: [] for name in todo}
        self._starts: list[float] = []
        self.total = sum(todo.values())

    @property
    def finished(self) -> int:
        return sum(map(len, self._seconds.values()))

    def done(self, name: str, seconds: float, around: float) -> None:
        """Count a picture that took ``seconds``, and ``around`` it what its process did besides."""
        if not self._seconds[name]:
            self._starts.append(around)
        self._seconds[name].append(seconds)
        self._left[name] -= 1

    def give_up(self, name: str) -> None:
        self._left[name] = 0

    @property
    def left(self) -> float:
        spent = sum(map(sum, self._seconds.values()))
        effort = sum(self._efforts[name] * len(seconds) for name, seconds in self._seconds.items())
        unit = spent / effort if effort else 0.0
        start = sum(self._starts) / len(self._starts) if self._starts else 0.0

        def each(name: str) -> float:
            known = self._seconds[name]
            return sum(known) / len(known) if known else unit * self._efforts[name]

        return sum(count * each(name) + start * (not self._seconds[name]) for name, count in self._left.items() if count)


def duration(seconds: float) -> str:
    """Return ``seconds`` as a person would say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
