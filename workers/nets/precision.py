"""Which number format the convolutions use on this machine, and whether XLA compiles what is run at each iteration: one table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tensorflow as tf

from app.core.errors import EngineError

Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class Choice:
    """What a kind of device is fastest with, where the settings do not say otherwise."""

    precision: Precision
    xla: bool


# On processors XLA was measured to be slower than TensorFlow's own operations, in either precision: docs/engine.md.
CHOICES: dict[str, Choice] = {
    "processor": Choice("float32", xla=False),
    "processor with bfloat16": Choice("bfloat16", xla=False),
    "GPU": Choice("float32", xla=True),
    "GPU with bfloat16": Choice("bfloat16", xla=True),
}
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
    if setting == "bfloat16":
        return "bfloat16"
    if setting == "auto":
        return CHOICES[kind()].precision
    raise EngineError(f"Precision is auto, float32 or bfloat16. Received: {setting!r}.")


def compiles(setting: str) -> bool:
    """Tell whether XLA compiles: the setting, or for ``auto`` what suits the device.

    Raises:
        EngineError: a setting other than ``auto``, ``on`` and ``off``.
    """
    if setting == "auto":
        return CHOICES[kind()].xla
    if setting in ("on", "off"):
        return setting == "on"
    raise EngineError(f"XLA is auto, on or off. Received: {setting!r}.")


def kind() -> str:
    """Return which row of the table this machine is."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        capability = tuple(tf.config.experimental.get_device_details(gpus[0]).get("compute_capability", (0, 0)))
        return "GPU with bfloat16" if capability >= _GPU_CAPABILITY else "GPU"
    return "processor" if _CPU_FLAGS.isdisjoint(_cpuinfo("flags").split()) else "processor with bfloat16"


def on_gpu() -> bool:
    """Tell whether the networks run on a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))


def device() -> str:
    """Return the name of the GPU that would be used, else of the processor."""
    for gpu in tf.config.list_physical_devices("GPU"):
        return str(tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name))
    return _cpuinfo("model name") or "CPU"


def _cpuinfo(key: str, path: Path = Path("/proc/cpuinfo")) -> str:
    if not path.is_file():
        return ""
    for line in path.read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return ""
