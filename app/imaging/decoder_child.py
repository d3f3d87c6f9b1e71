"""The decoder process: ``python -m app.imaging.decoder_child '<limits as JSON>'``.

Reads requests from its input and writes answers to its output until the input ends:
    request   length (8 bytes, big-endian), whether it is a region (1 byte), file
    answer    five lengths (4 bytes each), JSON head, PNG, thumbnail JPEG; of its alpha PNG and thumbnail, or nothing
It bounds itself before it reads a byte; the parent holds the clock.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import resource
import struct
import sys
from typing import BinaryIO

from PIL import Image

from app.core.errors import InputError
from app.imaging.limits import Limits
from app.imaging.normalise import normalise

REQUEST = struct.Struct(">Q?")
ANSWER = struct.Struct(">IIIII")
OUT_OF_MEMORY = 75  # exit status
_OPEN_FILES = 64


def encode_limits(limits: Limits) -> str:
    return json.dumps(dataclasses.asdict(limits))


def confine(limits: Limits) -> None:
    """Cap memory, and forbid writing files and dumping core, for the rest of this process."""
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))


def allow_time(limits: Limits) -> None:
    """Allow ``limits.seconds`` more of processor time; the kernel ends the process after that."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    ceiling = math.ceil(used.ru_utime + used.ru_stime + limits.seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (ceiling, resource.RLIM_INFINITY))


def answer(data: bytes, limits: Limits, region: bool) -> tuple[bytes, ...]:
    """Return the five parts of an answer; the head of a failure holds its kind and its sentence."""
    try:
        done = normalise(data, limits, region)
    except InputError as error:
        return _failure(error), b"", b"", b"", b""
    head = json.dumps({"width": done.width, "height": done.height})
    alpha = (done.alpha.png, done.alpha.thumbnail_jpeg) if done.alpha else (b"", b"")
    return head.encode(), done.png, done.thumbnail_jpeg, *alpha


def _failure(error: InputError) -> bytes:
    return json.dumps({"error": error.code, "message": error.message}).encode()


def serve(source: BinaryIO, sink: BinaryIO, limits: Limits) -> None:
    while len(header := source.read(REQUEST.size)) == REQUEST.size:
        length, region = REQUEST.unpack(header)
        allow_time(limits)
        if length > limits.max_bytes:
            raise ValueError(f"a request of {length} bytes is over the limit of {limits.max_bytes}")
        parts = answer(source.read(length), limits, region)
        sink.write(ANSWER.pack(*map(len, parts)))
        for part in parts:
            sink.write(part)
        sink.flush()


def main() -> None:
    limits = Limits(**json.loads(sys.argv[1]))
    # Keep the answers to ourselves: whatever a library prints goes nowhere.
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    Image.init()
    confine(limits)
    try:
        serve(sys.stdin.buffer, sink, limits)
    except MemoryError:
        # What is left of the heap is not to be trusted with the next picture.
        os._exit(OUT_OF_MEMORY)


if __name__ == "__main__":
    main()
