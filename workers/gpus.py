"""One GPU for each process of a worker, said in the environment before TensorFlow is imported and opens them all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

# NVIDIA's driver has a folder for each GPU here.
_DRIVER = Path("/proc/driver/nvidia/gpus")


def environment(index: int, given: Mapping[str, str], driver: Path = _DRIVER) -> dict[str, str]:
    """Return the variables for a child of a worker.

    Args:
        index: of its GPU among those that are shared out, from 0; beyond the last it begins again.
        given: the environment so far. ``CUDA_VISIBLE_DEVICES`` says which GPUs are shared out; without it all are.
    """
    found = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    every = ",".join(str(number) for number, _ in enumerate(driver.glob("*")))
    gpus = [part for part in given.get("CUDA_VISIBLE_DEVICES", every).split(",") if part]
    if len(gpus) > 1:
        found["CUDA_VISIBLE_DEVICES"] = gpus[index % len(gpus)]
    return {name: value for name, value in found.items() if name not in given or name == "CUDA_VISIBLE_DEVICES"}
