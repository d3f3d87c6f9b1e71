"""Outlives a supervisor that was killed, and takes its process groups along: no orphan is left.

It reads ``+1234`` (a group was started) and ``-1234`` (a group has ended) from its standard
input. The end of the input means that the supervisor is gone. Standard library only.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable

_PATIENCE_SECONDS = 5.0


def groups_left(lines: Iterable[str]) -> set[int]:
    """Return the groups that were started and not ended, once ``lines`` are over."""
    groups: set[int] = set()
    for line in lines:
        sign, number = line[:1], int(line[1:])
        (groups.add if sign == "+" else groups.discard)(number)
    return groups


def is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def bury(groups: set[int]) -> None:
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            continue
    # The lock on the data folder is inherited: it is held until nothing writes there any more.
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while any(is_alive(group) for group in groups) and time.monotonic() < deadline:
        time.sleep(0.02)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    bury(groups_left(sys.stdin))
