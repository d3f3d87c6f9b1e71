"""An engine's state as a file: arrays as safetensors, the rest as JSON in its head, a digest before both."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from app.core.checkpoint import Checkpoint
from app.core.steering import STEERABLE
from app.core.version import VERSION
from app.jobs.models import Job

# Raised when the arrays or their meaning change.
_FORMAT = 2
_MEMORY = "memory."
_HEAD = ("scale", "done", "iteration", "elapsed", "losses", "settings")
_DIGEST_BYTES = 32


class NotOurs(ValueError):
    """A file that is damaged, or a state of something else."""


def fingerprint(job: Job) -> str:
    """Return what a state belongs to: inputs, parameters that cannot change on the way, and this version."""
    params = {key: value for key, value in job.params.items() if key not in STEERABLE}
    inputs = {role: {key: value for key, value in facts.items() if key != "weight"} for role, facts in job.inputs.items()}
    said = json.dumps([_FORMAT, VERSION, params, inputs, job.continues], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def encode(checkpoint: Checkpoint, belongs_to: str) -> bytes:
    """Return the file; ``belongs_to`` is the job's ``fingerprint``."""
    arrays: dict[str, np.ndarray[Any, Any]] = {"canvas": checkpoint.canvas}
    if checkpoint.best is not checkpoint.canvas:
        arrays["best"] = checkpoint.best
    arrays |= {f"{_MEMORY}{name}": np.asarray(array) for name, array in checkpoint.memory.items()}
    head = {name: getattr(checkpoint, name) for name in _HEAD} | {"belongs_to": belongs_to}
    head["settings"] = dict(checkpoint.settings)
    # safetensors corrupts arrays that are not contiguous.
    body = save({name: np.ascontiguousarray(array).reshape(array.shape) for name, array in arrays.items()})
    text = json.dumps(head).encode()
    parts = (len(text).to_bytes(4, "big"), text, body)
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    # Of a large picture this is a gigabyte: it is put together once.
    return b"".join((digest.digest(), *parts))


def decode(data: bytes, belongs_to: str) -> Checkpoint:
    """Return the state.

    Raises:
        NotOurs: damaged, or not of ``belongs_to``.
    """
    digest, whole = data[:_DIGEST_BYTES], memoryview(data)[_DIGEST_BYTES:]
    if hashlib.sha256(whole).digest() != digest:
        raise NotOurs(f"its digest is wrong; it has {len(data)} bytes")
    end = 4 + int.from_bytes(whole[:4], "big")
    try:
        head = json.loads(bytes(whole[4:end]))
        if head["belongs_to"] != belongs_to:
            raise NotOurs("it is of other parameters, pictures or another version")
        arrays = load(bytes(whole[end:]))
        canvas = arrays["canvas"]
        memory = {name.removeprefix(_MEMORY): array for name, array in arrays.items() if name.startswith(_MEMORY)}
        head["losses"] = tuple(head["losses"])
        return Checkpoint(canvas=canvas, best=arrays.get("best", canvas), memory=memory, **{name: head[name] for name in _HEAD})
    except (KeyError, TypeError, ValueError, SafetensorError) as error:
        raise error if isinstance(error, NotOurs) else NotOurs(f"it cannot be read: {error}") from error
