from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.core.errors import InputError
from app.core.experiments import SPLITS, SplitName
from tests.verdict.tables import grid
from workers.verdict.splits import NOTES, split

TABLE = grid(contents=10, styles=10)


def stylised(rows: np.ndarray) -> np.ndarray:
    return rows[TABLE.label[rows] == 1]


@pytest.mark.parametrize("name", list(SPLITS))
def test_parts_have_both_classes_do_not_overlap_and_follow_the_seed(name: SplitName) -> None:
    once, again, other = (split(TABLE, name, 0.3, seed) for seed in (4, 4, 5))
    for fold, same in zip(once, again, strict=True):
        assert np.array_equal(fold.train, same.train)
        assert np.array_equal(fold.test, same.test)
        for rows in (fold.train, fold.test):
            assert set(TABLE.label[rows]) == {0, 1}
            assert (np.diff(rows) > 0).all()
        if name != "train_is_test":
            assert not set(fold.train) & set(fold.test)
            assert fold.dropped == len(TABLE) - len(fold.train) - len(fold.test)
    if name != "train_is_test":
        assert not np.array_equal(once[0].test, other[0].test)
    assert NOTES[name]


def test_train_is_test_is_everything_twice() -> None:
    (fold,) = split(TABLE, "train_is_test", 0.3, 0)
    assert fold.train.tolist() == fold.test.tolist() == list(range(110))


def test_random_takes_the_share_of_each_class() -> None:
    (fold,) = split(TABLE, "random", 0.3, 0)
    assert np.bincount(TABLE.label[fold.test]).tolist() == [3, 30]
    assert np.bincount(TABLE.label[fold.train]).tolist() == [7, 70]


def test_contents_held_out() -> None:
    (fold,) = split(TABLE, "content", 0.3, 0)
    assert not set(TABLE.content[fold.train]) & set(TABLE.content[fold.test])
    assert len(set(TABLE.content[fold.test])) == 3
    assert fold.dropped == 0


def test_styles_held_out() -> None:
    (fold,) = split(TABLE, "style", 0.3, 0)
    assert not set(TABLE.style[stylised(fold.train)]) & set(TABLE.style[stylised(fold.test)])
    assert len(stylised(fold.test)) == 30
    assert np.bincount(TABLE.label[fold.test]).tolist() == [3, 30]
    assert fold.dropped == 0


def test_contents_and_styles_held_out_drop_the_mixed_cells() -> None:
    (fold,) = split(TABLE, "content_style", 0.3, 0)
    assert not set(TABLE.content[fold.train]) & set(TABLE.content[fold.test])
    assert not set(TABLE.style[stylised(fold.train)]) & set(TABLE.style[stylised(fold.test)])
    # 3 of 10 contents and 3 of 10 styles: 3 originals and 3 × 3 in the test, 7 and 7 × 7 in training, 3 × 7 twice in neither.
    assert (len(fold.test), len(fold.train), fold.dropped) == (12, 56, 42)


def test_each_generator_is_held_out_once() -> None:
    folds = split(TABLE, "generator", 0.3, 0)
    assert [fold.held_out for fold in folds] == ["adain", "optimiser"]
    for fold in folds:
        assert set(TABLE.generator[stylised(fold.test)]) == {fold.held_out}
        assert fold.held_out not in set(TABLE.generator[fold.train])
        assert not set(TABLE.content[fold.train]) & set(TABLE.content[fold.test])


def test_contents_without_stylised_pictures_are_in_both_parts() -> None:
    plain = np.isin(TABLE.content, ["c0", "c1", "c2", "c3"]) & (TABLE.label == 1)
    table = TABLE.take(np.flatnonzero(~plain))
    for seed in range(5):
        (fold,) = split(table, "content_style", 0.3, seed)
        assert len({"c0", "c1", "c2", "c3"} & set(table.content[fold.test])) == 1


def test_a_stylised_picture_of_unknown_style_is_in_neither_part() -> None:
    table = replace(TABLE, style=np.where(np.arange(len(TABLE)) == 5, "", TABLE.style))
    for name in ("style", "content_style"):
        (fold,) = split(table, name, 0.3, 0)
        assert 5 not in fold.train
        assert 5 not in fold.test


@pytest.mark.parametrize(
    ("name", "column", "words"),
    [
        ("content", "content", "contents out, at least two are needed. Received 1"),
        ("style", "style", "styles out, at least two are needed. Received 1"),
        ("content_style", "style", "styles out, at least two are needed. Received 1"),
        ("generator", "generator", "generator out, at least two are needed. Received 1"),
    ],
)
def test_too_little_to_divide_is_told(name: SplitName, column: str, words: str) -> None:
    values = getattr(TABLE, column)
    table = replace(TABLE, **{column: np.where(values == "", "", "only")})
    with pytest.raises(InputError, match=words):
        split(table, name, 0.3, 0)


def test_a_table_in_which_every_style_has_its_own_content_cannot_hold_out_both_at_will() -> None:
    # Two contents, each with one style of its own: a test content with its style leaves training with the other pair.
    table = grid(contents=2, styles=2).take(np.array([0, 1, 3, 5]))
    (fold,) = split(table, "content_style", 0.5, 0)
    assert (len(fold.train), len(fold.test)) == (2, 2)
    # Both styles on one content: the other content has nothing stylised to be tested on or learnt from.
    with pytest.raises(InputError, match="Received 4 pictures"):
        split(grid(contents=2, styles=2).take(np.array([0, 1, 2, 3])), "content_style", 0.5, 0)
