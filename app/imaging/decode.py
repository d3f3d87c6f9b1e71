"""Untrusted bytes to safe pictures, in processes of their own: a pool of decoders kept ready.

The caller's process never runs a picture decoder on what a visitor sent. A decoder
that dies, hangs or asks for too much memory takes nobody with it, and is replaced.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import app
from app.core.errors import InputError, PictureError, TooLarge, TooSlow, Unavailable
from app.imaging.decoder_child import ANSWER, OUT_OF_MEMORY, REQUEST, encode_limits
from app.imaging.limits import Limits
from app.imaging.normalise import Decoded, too_many_bytes

__all__ = ["Decoded", "DecoderPool", "Limits"]

_USES = 100  # pictures after which a decoder is replaced, so that leaks stay small
# Seconds that one picture waits for a free decoder. A visitor is told to come back before a thread of the
# web server has been held for long; whoever has nobody waiting names a longer time.
_WAIT = 0.5
# For each decoder, so many may wait.
_WAITING = 2
_RETRY_AFTER = 3
_HEAD_MAX = 64_000


class _Lost(Exception):
    """The decoder ended or broke the protocol before it answered."""


class _Decoder:
    """One child process and its pipes."""

    def __init__(self, command: Sequence[str], limits: Limits) -> None:
        self._limits = limits
        self._uses = 0
        self.timed_out = False
        # Nothing of our environment but the path to the code: no secrets, no addresses.
        environment = {"PATH": os.defpath, "PYTHONPATH": str(Path(app.__file__).resolve().parents[1]), "LC_ALL": "C.UTF-8"}
        self.process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            [*command, encode_limits(limits)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )

    @property
    def fit(self) -> bool:
        return not self.timed_out and self._uses < _USES and self.process.poll() is None

    def ask(self, data: bytes, region: bool, deadline: float) -> list[bytes]:
        """Return the parts of the answer.

        Args:
            region: see ``normalise``.
            deadline: monotonic time at which the process is killed.

        Raises:
            _Lost: no answer; ``timed_out`` and the exit status say why.
        """
        self._uses += 1
        clock = threading.Timer(max(0.0, deadline - time.monotonic()), self._expire)
        clock.start()
        try:
            return self._exchange(data, region)
        except (OSError, ValueError) as error:
            raise _Lost(str(error)) from error
        finally:
            clock.cancel()

    def _exchange(self, data: bytes, region: bool) -> list[bytes]:
        if self.process.stdin is None or self.process.stdout is None:
            raise _Lost("no pipes")
        self.process.stdin.write(REQUEST.pack(len(data), region))
        self.process.stdin.write(data)
        self.process.stdin.flush()
        lengths = ANSWER.unpack(self._read(ANSWER.size))
        # Room for every pixel uncompressed, twice: more than that is not an answer of ours.
        if lengths[0] > _HEAD_MAX or sum(lengths) > 8 * self._limits.max_side**2 + 1_000_000:
            raise _Lost("answer too long")
        return [self._read(length) for length in lengths]

    def _read(self, length: int) -> bytes:
        data = self.process.stdout.read(length) if self.process.stdout else b""
        if len(data) < length:
            raise _Lost("ended early")
        return data

    def was_killed(self) -> bool:
        """End what is left of the process; tell whether somebody else had killed it, which says nothing about the picture."""
        # The pipe breaks a moment before the process has ended and its status is known.
        return self.close(grace=1.0) == -signal.SIGKILL and not self.timed_out

    def _expire(self) -> None:
        self.timed_out = True
        self.process.kill()

    def close(self, grace: float = 0.0) -> int:
        """End the process, waiting ``grace`` seconds for it to end by itself; return its exit status."""
        if grace:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(grace)
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()
        return self.process.wait()


class DecoderPool:
    """A few decoders shared by threads. Use it as a context manager, or ``start`` and ``close`` it."""

    def __init__(self, size: int, limits: Limits, *, command: Sequence[str] | None = None, wait: float = _WAIT) -> None:
        if size < 1:
            raise ValueError(f"a pool needs at least one decoder, not {size}")
        self._size = size
        self._limits = limits
        self._command = tuple(command or (sys.executable, "-m", "app.imaging.decoder_child"))
        self._wait = wait
        # Where more than these wait already, the next one is sent away without waiting.
        self._places = threading.BoundedSemaphore(_WAITING * size)
        self._idle: queue.LifoQueue[_Decoder | None] = queue.LifoQueue()
        self._lock = threading.Lock()
        self._started = False
        self._closed = False

    @property
    def seconds(self) -> float:
        """What one picture may take."""
        return self._limits.seconds

    def start(self) -> None:
        """Start every decoder, without waiting until it is ready. A second call does nothing."""
        with self._lock:
            if self._started or self._closed:
                return
            self._started = True
            for _ in range(self._size):
                self._idle.put(_Decoder(self._command, self._limits))

    def close(self) -> None:
        """End every decoder; one that is at work ends when its answer is in."""
        with self._lock:
            self._closed = True
        with contextlib.suppress(queue.Empty):
            while True:
                decoder = self._idle.get_nowait()
                if decoder:
                    decoder.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def decode(
        self, data: bytes, *, field: str | None = None, region: bool = False, wait: float | None = None, deadline: float | None = None
    ) -> Decoded:
        """Decode one file in a child process.

        Args:
            field: where the file came from; errors about it name it.
            region: whether it says where something goes, see ``normalise``.
            wait: seconds to wait for a free decoder, where it is not what the pool was made with.
            deadline: monotonic time at which it is given up, where that comes before the time of one picture is over.

        Raises:
            PictureError: not a picture that can be read.
            TooSlow: it takes longer than it may.
            TooLarge: more bytes, pixels or memory than allowed.
            Unavailable: every decoder is busy, none can be started, or the pool is closed.
        """
        try:
            if len(data) > self._limits.max_bytes:
                raise too_many_bytes(self._limits)
            return self._decode(data, region, self._wait if wait is None else wait, math.inf if deadline is None else deadline)
        except InputError as error:
            error.field = field
            raise

    def _decode(self, data: bytes, region: bool, wait: float, latest: float) -> Decoded:
        self.start()
        left = latest - time.monotonic()
        if left <= 0:
            raise _too_slow(self._limits)
        decoder = self._take(wait, min(wait, left))
        deadline = min(latest, time.monotonic() + self._limits.seconds)
        try:
            try:
                return _result(decoder.ask(data, region, deadline))
            except _Lost:
                if not decoder.was_killed():
                    raise
            # Another one is asked, once, in what is left of the time.
            decoder = self._fresh()
            return _result(decoder.ask(data, region, deadline))
        except _Lost as error:
            raise _loss_in_words(decoder.close(grace=1.0), decoder.timed_out, self._limits) from error
        finally:
            self._give_back(decoder)

    def _take(self, asked: float, wait: float) -> _Decoder:
        try:
            if self._closed:
                raise queue.Empty
            decoder = self._next(asked, wait)
        except queue.Empty:
            raise _busy() from None
        if decoder is not None and decoder.fit:
            return decoder
        if decoder is not None:
            decoder.close()
        try:
            return self._fresh()
        except Unavailable:
            self._idle.put(None)
            raise

    def _next(self, asked: float, wait: float) -> _Decoder | None:
        """Return the next place of the pool; who asks to wait longer than usual has a reason to, and takes nobody's place.

        Raises:
            queue.Empty: none in time, or too many wait.
        """
        if asked > self._wait:
            return self._idle.get(timeout=wait)
        if not self._places.acquire(blocking=False):
            raise queue.Empty
        try:
            return self._idle.get(timeout=wait)
        finally:
            self._places.release()

    def _fresh(self) -> _Decoder:
        try:
            return _Decoder(self._command, self._limits)
        except OSError as error:
            raise _busy() from error

    def _give_back(self, decoder: _Decoder) -> None:
        """Return the decoder's place to the pool, with a fresh process in it where this one is spent."""
        place: _Decoder | None = decoder
        if not decoder.fit:
            decoder.close()
            place = None
            # Started now rather than at the next upload, so that it is ready by then.
            with contextlib.suppress(Unavailable):
                place = None if self._closed else self._fresh()
        with self._lock:
            if not self._closed:
                self._idle.put(place)
                return
        if place is not None:
            place.close()


def _result(parts: Sequence[bytes]) -> Decoded:
    try:
        head, png, thumbnail, alpha_png, alpha_thumbnail = parts
        facts = json.loads(head)
        if "error" in facts:
            kind = TooLarge if facts["error"] == TooLarge.code else PictureError
            raise kind(str(facts["message"]))
        width, height = int(facts["width"]), int(facts["height"])
        return Decoded(width, height, png, thumbnail, Decoded(width, height, alpha_png, alpha_thumbnail) if alpha_png else None)
    except (ValueError, KeyError, TypeError) as error:
        raise _Lost("unreadable answer") from error


def _busy() -> Unavailable:
    error = Unavailable("Too many pictures are being opened at the moment. Try again in a few seconds.")
    error.retry_after = _RETRY_AFTER
    return error


def _too_slow(limits: Limits) -> TooSlow:
    return TooSlow(f"This picture takes longer than {limits.seconds:g} seconds to open. Save a smaller or simpler copy.")


def _loss_in_words(status: int, timed_out: bool, limits: Limits) -> InputError:
    if timed_out or status == -signal.SIGXCPU:
        return _too_slow(limits)
    if status == OUT_OF_MEMORY:
        return TooLarge("This picture needs more memory to open than is allowed. Save a smaller copy.")
    return PictureError("This picture is damaged in a way that stops it from being opened. Save it again as PNG or JPEG.")
