"""What a damaged file leads to, and how long vectors stay, without a network."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.core.config import Settings
from app.core.features import FeatureSet
from workers.child import Child
from workers.study.derived import Derived, Recipe
from workers.verdict.feature_cache import FeatureCache
from workers.verdict.remembered import KEPT_SECONDS, forget_old, place_of, recall, remember

SET = FeatureSet(name="small", title="", help="", parts=(("conv_2", "mean"),))
PICTURE = np.full((4, 6, 3), 7, np.uint8)


class Counting:
    """Describes by the mean value, and counts."""

    precision = "float32"

    def __init__(self) -> None:
        self.count = 0

    def stream(self, pictures: Iterable[NDArray[np.uint8]], feature_set: FeatureSet, **_: object) -> Iterator[NDArray[np.float32]]:
        for picture in pictures:
            self.count += 1
            yield np.full(feature_set.length, picture.mean(), np.float32)


def direct(counting: Counting, folder: Path) -> NDArray[np.float32]:
    return FeatureCache(counting, folder).describe([PICTURE], SET)[0]  # type: ignore[arg-type]


def derived(counting: Counting, folder: Path) -> NDArray[np.float32]:
    (row,) = Derived(counting, folder).stream([Recipe(("seven",), lambda: PICTURE)], SET)
    return row


Describe = Callable[[Counting, Path], NDArray[np.float32]]
BOTH = pytest.mark.parametrize("describe", [direct, derived])


def values_of(file: Path, value: float) -> bytes:
    """The file's bytes with every number of the vector replaced; a header stays."""
    data = file.read_bytes()
    return data[: len(data) - 4 * SET.length] + np.full(SET.length, value, "<f4").tobytes()


@BOTH
@pytest.mark.parametrize("damage", [0.0, float("nan"), float("inf"), None])
def test_a_file_of_the_right_length_without_a_vector_in_it_is_not_believed(
    describe: Describe, tmp_path: Path, damage: float | None
) -> None:
    counting = Counting()
    describe(counting, tmp_path)
    (file,) = (one for one in tmp_path.rglob("*") if one.is_file())
    file.write_bytes(bytes(file.stat().st_size - 1) if damage is None else values_of(file, damage))
    np.testing.assert_array_equal(describe(counting, tmp_path), np.full(SET.length, 7.0))
    assert counting.count == 2
    describe(counting, tmp_path)
    assert counting.count == 2, "and the new one is"


@BOTH
def test_what_is_used_stays_and_the_rest_is_forgotten(describe: Describe, tmp_path: Path) -> None:
    counting = Counting()
    describe(counting, tmp_path)
    leftover = tmp_path / "ab" / ".partial-x"
    leftover.parent.mkdir(exist_ok=True)
    leftover.write_bytes(b"x")
    long_ago = time.time() - KEPT_SECONDS - 60
    for file in tmp_path.rglob("*"):
        os.utime(file, (long_ago, long_ago))
    describe(counting, tmp_path)
    assert (forget_old(tmp_path), leftover.exists()) == (1, False)
    describe(counting, tmp_path)
    assert counting.count == 1, "used a moment ago"
    assert forget_old(tmp_path, -60.0) == 1
    describe(counting, tmp_path)
    assert counting.count == 2
    assert forget_old(tmp_path / "none") == 0


def test_the_worker_forgets_when_a_study_begins(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.verdict.features.Extractor", lambda given: Counting())
    monkeypatch.setattr(Child, "_name_device", lambda child: None)
    child = Child(settings, [], lambda: False)
    old = settings.data / "features" / "ab" / "old.f32"
    for _ in range(2):
        old.parent.mkdir(parents=True, exist_ok=True)
        old.write_bytes(b"x")
        os.utime(old, (0, 0))
        child.describer()
        assert not old.exists()
    child.close()


def test_vectors_are_kept_as_plain_floats_that_any_program_reads(tmp_path: Path) -> None:
    row = np.array([1.5, -2.0, 0.25], np.float32)
    remember(place := place_of(tmp_path, "ab12"), row)
    # By hand: IEEE 754 single precision, the lowest byte first.
    assert (place, place.read_bytes().hex()) == (tmp_path / "ab" / "12.f32", "0000c03f" + "000000c0" + "0000803e")
    np.testing.assert_array_equal(recall(place, 3), row)
    assert recall(place, 2) is None and recall(tmp_path / "none", 3) is None
    assert [one.name for one in place.parent.iterdir()] == ["12.f32"]


def test_a_vector_that_finds_no_room_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        remember(place_of(tmp_path, "ab" * 32), np.ones(3, np.float32))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
