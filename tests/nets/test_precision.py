from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from app.core.errors import EngineError
from workers.nets import precision


def cpuinfo(monkeypatch: pytest.MonkeyPatch, folder: Path, flags: str) -> None:
    path = folder / "cpuinfo"
    path.write_text(f"processor\t: 0\nmodel name\t: Some Processor\nflags\t\t: {flags}\n")
    read = precision._cpuinfo
    monkeypatch.setattr(precision, "_cpuinfo", lambda key: read(key, path))
    monkeypatch.setattr(precision.tf.config, "list_physical_devices", lambda _: [])


def gpu(monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int]) -> None:
    monkeypatch.setattr(precision.tf.config, "list_physical_devices", lambda _: [SimpleNamespace(name="gpu")])
    monkeypatch.setattr(
        precision.tf.config.experimental, "get_device_details", lambda _: {"compute_capability": capability, "device_name": "Some GPU"}
    )


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("fpu avx2 avx512f", "float32"), ("fpu avx512_bf16", "bfloat16"), ("amx_bf16 amx_tile", "bfloat16"), ("avx512_bf16x", "float32")],
)
def test_auto_follows_the_processors_flags(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flags: str, expected: str) -> None:
    cpuinfo(monkeypatch, tmp_path, flags)
    assert precision.choose("auto") == expected
    assert precision.device() == "Some Processor"


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), "float32"), ((8, 0), "bfloat16"), ((9, 0), "bfloat16")])
def test_auto_follows_the_gpus_generation(monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], expected: str) -> None:
    gpu(monkeypatch, capability)
    assert precision.choose("auto") == expected
    assert precision.device() == "Some GPU"


@pytest.mark.parametrize("setting", ["float32", "bfloat16"])
def test_a_setting_overrules_the_device(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: str) -> None:
    cpuinfo(monkeypatch, tmp_path, "fpu")
    assert precision.choose(setting) == setting


def test_xla_is_for_gpus_unless_a_setting_says_otherwise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cpuinfo(monkeypatch, tmp_path, "avx512_bf16")
    assert (precision.compiles("auto"), precision.compiles("on"), precision.compiles("off")) == (False, True, False)
    gpu(monkeypatch, (8, 0))
    assert (precision.compiles("auto"), precision.compiles("off")) == (True, False)


def test_another_setting_is_an_error() -> None:
    with pytest.raises(EngineError, match="float16"):
        precision.choose("float16")
    with pytest.raises(EngineError, match="yes"):
        precision.compiles("yes")
