from __future__ import annotations

from pathlib import Path

import pytest

from app.core.errors import EngineError
from app.core.memory import HALO, free_bytes, need, plan, window_pixels
from workers.style.tiles import halo, is_cut, windows

GIB = 2**30


def test_a_small_picture_has_the_whole_history_and_needs_little() -> None:
    found = plan(520, 520, half=True, free=8 * GIB)
    assert found.history == 15 and found.tile == 1024
    # By hand: 400 MiB, 520² pixels at 1200 bytes for the network, 600 for the canvas and 15 · 24 for the history.
    assert found.needed == 400 * 2**20 + 520 * 520 * (1200 + 600 + 360)


def test_2048_fits_in_six_gigabytes_and_4096_takes_what_there_is() -> None:
    assert plan(2080, 2080, half=True, free=6 * GIB).needed < 6 * GIB
    rich, poor = (plan(4160, 4160, half=True, free=free * GIB) for free in (24, 12))
    assert rich.history == 15 > poor.history
    assert poor.needed <= 12 * GIB < need(4160, 4160, 512, 15, half=True)


def test_more_memory_never_gives_less() -> None:
    histories = [plan(2080, 1600, half=False, free=free * GIB // 2).history for free in range(8, 40)]
    assert histories == sorted(histories)


def test_what_does_not_fit_is_refused_with_a_size_that_does() -> None:
    with pytest.raises(EngineError, match=r"at most (\d+) pixels.*Received: 4160 × 3120") as caught:
        plan(3120, 4160, half=False, free=2 * GIB)
    said = int(caught.value.message.split("at most ")[1].split()[0])
    assert plan(said * 3 // 4, said, half=False, free=2 * GIB).needed <= 2 * GIB


def test_no_size_at_all_is_said_too() -> None:
    with pytest.raises(EngineError, match="more memory"):
        plan(520, 520, half=True, free=GIB // 10)


@pytest.mark.parametrize("tile", [1024, 512, 128])
@pytest.mark.parametrize("side", [(520, 520), (1048, 712), (1184, 1184), (2080, 1400), (2368, 2368), (4160, 2784), (4096, 512)])
def test_the_plans_window_is_that_of_the_tiles_of_every_level(side: tuple[int, int], tile: int) -> None:
    largest = 0
    for height, width in ((side[0] >> level, side[1] >> level) for level in range(4)):
        cut = is_cut(height, width, tile, HALO)
        largest = max(largest, *(window.area for window in windows(height, width, tile, HALO))) if cut else max(largest, height * width)
    assert window_pixels(*side, tile) == largest


@pytest.mark.parametrize("layer", ["relu5_1", "relu5_2"])
def test_the_plans_halo_is_that_of_the_tiles(layer: str) -> None:
    assert halo(layer) <= HALO


def test_the_tighter_of_machine_and_control_group_counts(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 9000000 kB\nMemAvailable: 4000000 kB\n")
    assert free_bytes(tmp_path) == 4_096_000_000
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    (group / "memory.max").write_text("max\n")
    (group / "memory.current").write_text("500\n")
    assert free_bytes(tmp_path) == 4_096_000_000
    (group / "memory.max").write_text("2000000000\n")
    (group / "memory.current").write_text("1500000000\n")
    (group / "memory.stat").write_text("inactive_file 300000000\nactive_file 7\n")
    assert free_bytes(tmp_path) == 800_000_000
