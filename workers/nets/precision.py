"""Which number format the convolutions use on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import tensorflow as tf

from app.core.errors import EngineError

Precision = Literal["float32", "bfloat16"]

# Without one of these a bfloat16 product is emulated, and slower than float32.
_CPU_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
# NVIDIA Ampere, the first with bfloat16 matrix units.
_GPU_CAPABILITY = (8, 0)


def choose(setting: str) -> Precision:
    """Return the convolutions' precision: the setting, or for ``auto`` what the device is fast at.

    Raises:
        EngineError: a setting other than ``auto``, ``float32`` and ``bfloat16``.
    """
    if setting == "float32":
        return "float32"
    if setting == "bfloat16" or (setting == "auto" and _fast_bfloat16()):
        return "bfloat16"
    if setting == "auto":
        return "float32"
    raise EngineError(f"Precision is auto, float32 or bfloat16. Received: {setting!r}.")


def device() -> str:
    """Return the name of the GPU that would be used, else of the processor."""
    for gpu in tf.config.list_physical_devices("GPU"):
        return str(tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name))
    return _cpuinfo("model name") or "CPU"


def _fast_bfloat16() -> bool:
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return tuple(tf.config.experimental.get_device_details(gpus[0]).get("compute_capability", (0, 0))) >= _GPU_CAPABILITY
    return not _CPU_FLAGS.isdisjoint(_cpuinfo("flags").split())


def _cpuinfo(key: str, path: Path = Path("/proc/cpuinfo")) -> str:
    if not path.is_file():
        return ""
    for line in path.read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return ""
