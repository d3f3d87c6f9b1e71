from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.core.errors import EngineError
from app.core.memory import HALO, SIZES, Canvas, free_bytes, need, plan, window_pixels
from app.core.specs import base_side, resolve
from workers.style import pyramid
from workers.style.tiles import halo, is_cut, windows

GIB = 2**30


def test_a_small_picture_has_the_whole_history_and_needs_little() -> None:
    found = plan(Canvas(512, 520, 520), half=True, free=8 * GIB)
    assert found.history == 15 and found.tile == 1024
    # By hand: 400 MiB, 520² pixels at 1200 bytes for the network, 600 for the canvas and 15 · 24 for the history.
    assert found.needed == 400 * 2**20 + 520 * 520 * (1200 + 600 + 360)


def test_2048_fits_in_six_gigabytes_and_4096_takes_what_there_is() -> None:
    assert plan(Canvas(2048, 2080, 2080), half=True, free=6 * GIB).needed < 6 * GIB
    rich, poor = (plan(Canvas(4096, 4160, 4160), half=True, free=free * GIB) for free in (24, 12))
    assert rich.history == 15 > poor.history
    assert poor.needed <= 12 * GIB < need(Canvas(4096, 4160, 4160), 512, 15, half=True)


def test_more_memory_never_gives_less() -> None:
    histories = [plan(Canvas(2048, 2080, 1600), half=False, free=free * GIB // 2).history for free in range(8, 40)]
    assert histories == sorted(histories)


def test_where_memory_is_ample_less_is_cut() -> None:
    canvas = photographs(2048)
    assert (canvas.height, canvas.width) == (1408, 2080)
    needed = need(canvas, 2048, 15, half=True)
    ample, scarce = (plan(canvas, half=True, free=free, roomy=True) for free in (2 * needed, 2 * needed - 1))
    assert (ample.tile, ample.history, ample.needed) == (2048, 15, needed)
    assert window_pixels(1408, 2080, ample.tile) == 1408 * 2080, "in one piece"
    assert scarce == plan(canvas, half=True, free=2 * needed) and scarce.tile == 1024


@pytest.mark.parametrize(
    ("size", "half", "tile"),
    # A window of more than 3.6 GB is none.
    [(1448, True, 2048), (1448, False, 2048), (2048, True, 2048), (2048, False, 1024), (4096, True, 2048), (4096, False, 1024)],
)
def test_windows_grow_to_their_bound(size: int, half: bool, tile: int) -> None:
    canvas = photographs(size)
    usual, found = (plan(canvas, half=half, free=100 * GIB, roomy=roomy) for roomy in (False, True))
    assert (usual.tile, found.tile, found.history) == (1024, tile, 15)
    assert window_pixels(canvas.height, canvas.width, found.tile) * (1200 if half else 2400) <= 3.6e9


def photographs(size: int) -> Canvas:
    """The canvas of a photograph of 3 : 2."""
    frame = pyramid.frame(400, 600, resolve("default", {"size": size}))
    return Canvas(size, frame.canvas_height, frame.canvas_width)


def test_what_does_not_fit_is_refused_with_a_size_that_does() -> None:
    smaller = [Canvas(size, size * 3 // 4, size) for size in SIZES]
    with pytest.raises(EngineError, match=r"at most (\d+) pixels.*Received: 4096 pixels") as caught:
        plan(Canvas(4096, 3120, 4160), smaller, half=False, free=2 * GIB)
    [said] = [one for one in smaller if one.size == advised(caught.value)]
    assert plan(said, half=False, free=2 * GIB).needed <= 2 * GIB


@pytest.mark.parametrize("free", range(600, 4000, 100))
def test_between_the_sizes_that_are_advised_nothing_takes_more_either(free: int) -> None:
    def square(size: int) -> Canvas:
        return Canvas(size, size + 32, size + 32, (size, size), base_side(size) ** 2)

    with pytest.raises(EngineError) as caught:
        plan(square(4096), [square(size) for size in SIZES], half=False, free=free * 10**6)
    for size in range(64, advised(caught.value) + 1 if "at most" in caught.value.message else 64):
        assert plan(square(size), half=False, free=free * 10**6).needed <= free * 10**6


def advised(error: EngineError) -> int:
    return int(error.message.split("at most ")[1].split()[0])


def test_no_size_at_all_is_said_too() -> None:
    with pytest.raises(EngineError, match="more memory"):
        plan(Canvas(512, 520, 520), half=True, free=GIB // 10)


def test_whoever_is_told_a_size_may_choose_any_smaller_one() -> None:
    # A canvas 8 times as high as wide: its half is not cut, and its windows are larger than those of the whole.
    smaller = [Canvas(size, size, size // 8) for size in SIZES]
    with pytest.raises(EngineError, match="at most") as caught:
        plan(Canvas(4096, 4096, 512), smaller, half=False, free=620_000_000)
    for one in (one for one in smaller if one.size <= advised(caught.value)):
        assert plan(one, half=False, free=620_000_000).needed <= 620_000_000


def test_a_painting_larger_than_the_picture_counts() -> None:
    without, small, large = (
        need(Canvas(4096, 4160, 576, painting, uncut), 1024, 15, half=False)
        for painting, uncut in (((0, 0), 0), ((700, 512), 700 * 512), ((8192, 8192), 1448**2))
    )
    assert without < small
    # By hand: its pixels at 26 bytes, and half of a window of 1024 and a halo of 96 on both sides, or of all that AdaIN sees.
    window = max((1024 + 2 * 96) ** 2, 1448**2) // 2
    # Of the canvas, whose windows have 1024 × 576, its half in one piece.
    canvas_window = 2080 * 288
    assert large - without == 8192**2 * 26 + (window - canvas_window) * 2400


LARGE = [(520, 520), (1048, 712), (1184, 1184), (2080, 1400), (2368, 2368), (4160, 2784), (4096, 512)]


@pytest.mark.parametrize("tile", [1024, 512, 128])
@pytest.mark.parametrize("side", LARGE)
def test_the_plans_window_is_that_of_the_tiles_of_every_level(side: tuple[int, int], tile: int) -> None:
    assert window_pixels(*side, tile) == largest_window(*side, tile, HALO)


@pytest.mark.parametrize("tile", [1024, 768, 256])
def test_no_window_is_larger_than_the_plans_whatever_the_shape_and_the_layers(tile: int) -> None:
    sides = np.random.default_rng(tile).integers(64, 4200, (200, 2))
    for height, width in sides.tolist():
        for margin in (16, 80, 96):
            assert largest_window(height, width, tile, margin) <= window_pixels(height, width, tile)


def largest_window(height: int, width: int, tile: int, margin: int) -> int:
    found = []
    for level in range(4):
        sides = height >> level, width >> level
        found += [one.area for one in windows(*sides, tile, margin)] if is_cut(*sides, tile, margin) else [sides[0] * sides[1]]
    return max(found)


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


@pytest.mark.parametrize(
    ("told", "folder", "most", "used"),
    [
        ("0::/system.slice/pentimento.service", "sys/fs/cgroup", "memory.max", "memory.current"),
        ("4:cpu,memory:/system.slice/pentimento.service\n0::/", "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ],
)
def test_the_tightest_of_the_groups_around_the_own_one_counts(tmp_path: Path, told: str, folder: str, most: str, used: str) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemAvailable: 9000000 kB\n")
    (tmp_path / "proc/self/cgroup").write_text(f"1:name=systemd:/\n{told}\n")
    own = tmp_path / folder / "system.slice/pentimento.service"
    own.mkdir(parents=True)
    (own / most).write_text("4000000000\n")
    (own / used).write_text("1000000000\n")
    assert free_bytes(tmp_path) == 3_000_000_000
    (own.parent / most).write_text("6000000000\n")
    (own.parent / used).write_text("5000000000\n")
    assert free_bytes(tmp_path) == 1_000_000_000
    (own.parent / "memory.stat").write_text("inactive_file 1\ntotal_inactive_file 500000000\n")
    assert free_bytes(tmp_path) == 1_500_000_000


def test_a_group_of_the_host_that_a_container_does_not_see_is_the_mounted_one(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/../../docker/abc\n")
    mounted = tmp_path / "sys/fs/cgroup"
    mounted.mkdir(parents=True)
    (mounted / "memory.max").write_text("4000000000\n")
    (mounted / "memory.current").write_text("1000000000\n")
    assert free_bytes(tmp_path) == 3_000_000_000
