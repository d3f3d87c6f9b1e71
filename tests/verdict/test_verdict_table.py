from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.core.errors import InputError
from tests.verdict.tables import grid
from workers.verdict.table import check, of_columns


def test_rows_are_taken_from_every_column() -> None:
    table = replace(grid(contents=3, styles=2), histogram=np.arange(9, dtype=np.float32)[:, None], views=np.zeros((9, 2, 40), np.float32))
    taken = table.take(np.array([8, 0]))
    assert taken.name.tolist() == ["c2-s1.png", "c0.png"]
    assert taken.histogram is not None
    assert taken.histogram.ravel().tolist() == [8, 0]
    assert taken.views is not None
    assert taken.views.shape == (2, 2, 40)
    assert taken.klass is None


def test_the_fingerprint_is_about_the_pictures_and_not_about_their_features() -> None:
    table = grid(contents=3, styles=2)
    assert replace(table, features=table.features * 2).fingerprint_of_rows == table.fingerprint_of_rows
    assert replace(table, style=np.where(table.style == "s1", "s0", table.style)).fingerprint_of_rows != table.fingerprint_of_rows


def test_a_picture_whose_features_are_not_numbers_is_named() -> None:
    table = grid(contents=3, styles=2)
    table.features[4, 7] = np.nan
    with pytest.raises(InputError, match=r"features.*Received c1-s0\.png"):
        check(table)
    views = np.zeros((9, 2, 40), np.float32)
    views[2, 1, 3] = np.inf
    with pytest.raises(InputError, match=r"views.*Received c0-s1\.png"):
        check(replace(grid(contents=3, styles=2), views=views))


@pytest.mark.parametrize(
    ("labels", "words"),
    [([0, 0, 0, 0], "Received 4 original, 0 stylised"), ([0, 1, 1, 1], "Received 1 original, 3 stylised"), ([0, 0, 1, 2], "Received 2")],
)
def test_labels_that_no_experiment_can_be_made_of_are_refused(labels: list[int], words: str) -> None:
    with pytest.raises(InputError, match=words):
        of_columns(np.zeros((4, 2), np.float32), labels, list("abcd"), [""] * 4, [""] * 4, list("abcd"))


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(InputError, match="Received 4 labels, 3 of content"):
        of_columns(np.zeros((4, 2), np.float32), [0, 0, 1, 1], list("abc"), [""] * 4, [""] * 4, list("abcd"))
    with pytest.raises(InputError, match=r"shape.*Received \(4,\)"):
        of_columns(np.zeros(4, np.float32), [0, 0, 1, 1], list("abcd"), [""] * 4, [""] * 4, list("abcd"))
