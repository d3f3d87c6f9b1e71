"""Tells open event streams that the server is about to end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def on_termination(callback: Callable[[], None]) -> Iterator[None]:
    """Call ``callback`` at SIGINT or SIGTERM, before the server's own handler.

    The server ends the lifespan only after every response is finished, which is too late
    for responses that go on until they are told to end.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(number: int, frame: FrameType | None) -> None:
        callback()
        previous = before[signal.Signals(number)]
        if callable(previous):
            previous(number, frame)

    for number, previous in before.items():
        if callable(previous):  # nobody handles it otherwise: the process just ends
            signal.signal(number, handle)
    try:
        yield
    finally:
        for number, previous in before.items():
            if signal.getsignal(number) is handle:
                signal.signal(number, previous)
