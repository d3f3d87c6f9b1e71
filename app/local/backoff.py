"""How long to wait before a child that died is started again."""

from __future__ import annotations

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 30.0
HEALTHY_SECONDS = 60.0


class Backoff:
    """Doubles the wait with each death in a row, up to ``longest`` seconds; a minute of health starts it anew."""

    def __init__(self, longest: float = LONGEST_SECONDS) -> None:
        self.deaths = 0
        self._longest = longest

    def after(self, lived_seconds: float) -> float:
        """Return the seconds to wait after a life of ``lived_seconds``."""
        if lived_seconds >= HEALTHY_SECONDS:
            self.deaths = 0
        wait = min(self._longest, FIRST_SECONDS * 2.0**self.deaths)
        self.deaths += 1
        return wait
