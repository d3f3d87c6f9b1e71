"""What children say: all of it into a rotating file each, warnings to the terminal too."""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Callable, Iterable
from logging.handlers import RotatingFileHandler
from pathlib import Path

Say = Callable[[str], None]

LOUD = re.compile(r"\b(WARNING|ERROR|CRITICAL|Traceback)\b")
QUIET = re.compile(r"(?!)")

_BYTES = 5_000_000
_KEPT = 3
_NAME_WIDTH = 7


class _Handler(RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name in logging
        """A full disk costs log lines: a child whose output nobody reads would hang."""


class ChildLog:
    """Where one child's lines go; remembers the last ones, for when it dies."""

    def __init__(self, name: str, folder: Path, loud: re.Pattern[str], say: Say) -> None:
        self.path = folder / f"{name}.log"
        self.last: deque[str] = deque(maxlen=5)
        self._name, self._loud, self._say = name, loud, say
        self._handler = _Handler(self.path, maxBytes=_BYTES, backupCount=_KEPT, encoding="utf-8", errors="replace", delay=True)

    def take(self, lines: Iterable[bytes]) -> None:
        """Read until the child and everything it started have closed their output."""
        for raw in lines:
            line = raw.decode("utf-8", "replace").rstrip()
            if not line:
                continue
            self.last.append(line)
            self._handler.handle(logging.LogRecord(self._name, logging.INFO, "", 0, line, None, None))
            if self._loud.search(line):
                self._say(f"{self._name:<{_NAME_WIDTH}} | {line}")

    def close(self) -> None:
        self._handler.close()
