"""What children say: all of it into a rotating file each, warnings to the terminal too."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

Say = Callable[[str], None]

# TensorFlow warns of where its notes go, and then notes nothing that matters.
LOUD = re.compile(r"^(?!WARNING: All log messages before absl).*\b(WARNING|ERROR|CRITICAL|Traceback)\b")
QUIET = re.compile(r"(?!)")

MOST_BYTES = 5_000_000
KEPT = 3
_NAME_WIDTH = 7


class RotatingFile:
    """Appends lines, and keeps the last few files of a bounded size.

    Unbuffered and without complaint, unlike the standard library's: a full disk costs lines,
    and must not stop whoever reads a child's output, or the child would hang.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, line: bytes) -> None:
        with suppress(OSError):
            if self.path.is_file() and self.path.stat().st_size + len(line) > MOST_BYTES:
                self._rotate()
            with self.path.open("ab", buffering=0) as file:
                file.write(line)

    def _rotate(self) -> None:
        names = [self.path, *(self.path.with_name(f"{self.path.name}.{number}") for number in range(1, KEPT + 1))]
        for older, newer in zip(reversed(names), list(reversed(names))[1:], strict=False):
            if newer.exists():
                newer.replace(older)


class ChildLog:
    """Where one child's lines go; remembers the last ones, for when it dies."""

    def __init__(self, name: str, folder: Path, loud: re.Pattern[str], say: Say) -> None:
        self.path = folder / f"{name}.log"
        self.last: deque[str] = deque(maxlen=5)
        self._name, self._loud, self._say = name, loud, say
        self._file = RotatingFile(self.path)

    def take(self, lines: Iterable[bytes]) -> None:
        """Read until the child and everything it started have closed their output."""
        for raw in lines:
            line = raw.decode("utf-8", "replace").rstrip()
            if not line:
                continue
            self.last.append(line)
            self._file.append(line.encode() + b"\n")
            if self._loud.search(line):
                self._say(f"{self._name:<{_NAME_WIDTH}} | {line}")
