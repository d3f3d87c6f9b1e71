from __future__ import annotations

import numpy as np
import pytest

from app.core.errors import InputError
from app.core.experiments import PairsName
from workers.contrast.pairs import PAIRS, Batch, augmented, content_stylised, labels, paper_pairs
from workers.contrast.table import Table

# Seven contents: an original and two or three stylised versions each; one original has none, one version no original.
CONTENT = [str(number) for number in range(7) for _ in range(3)] + ["6", "alone", "lost"]
STYLE = ["", "night", "poppies"] * 7 + ["charcoal", "", "night"]
TABLE = Table(np.array(CONTENT), np.array(STYLE), np.array([int(style != "") for style in STYLE]))


def epoch(name: PairsName, size: int, table: Table = TABLE, views: int = 1, seed: int = 0) -> list[Batch]:
    return list(PAIRS[name](table, views).epoch(np.random.default_rng(seed), size))


@pytest.mark.parametrize("size", [4, 6, 100])
def test_an_epoch_takes_each_stylised_picture_once_with_its_original(size: int) -> None:
    taken: list[int] = []
    for batch in epoch("content_stylised", size):
        assert len(batch.rows) <= 2 * size
        for first, second in zip(*np.split(batch.rows, 2), strict=True):
            assert TABLE.content[first] == TABLE.content[second]
            assert {int(TABLE.label[first]), int(TABLE.label[second])} == {0, 1}
            taken.append(int(first if TABLE.label[first] else second))
    assert sorted(taken) == [row for row in range(22) if TABLE.label[row]]


@pytest.mark.parametrize("size", [4, 6, 100])
def test_no_negative_shows_the_same_content(size: int) -> None:
    negatives = 0
    for batch in epoch("content_stylised", size):
        contents = TABLE.content[batch.rows]
        assert len(set(zip(batch.groups, contents, strict=True))) == len(set(contents)) == len(set(batch.groups))
        for left, right, positive in zip(batch.left, batch.right, batch.positive, strict=True):
            assert (contents[left] == contents[right]) == positive
            negatives += not positive
    assert negatives >= 8


def test_either_side_may_be_the_original_and_several_originals_take_turns() -> None:
    two = Table(np.array(["a", "a", "a", "b", "b"]), np.array(["", "", "s", "", "s"]), np.array([0, 0, 1, 0, 1]))
    seen = {
        tuple(pair) for seed in range(40) for batch in epoch("content_stylised", 9, two, seed=seed) for pair in batch.rows.reshape(2, -1).T
    }
    assert seen == {(0, 2), (2, 0), (1, 2), (2, 1), (3, 4), (4, 3)}


def test_the_papers_negatives_are_a_picture_and_itself() -> None:
    (batch,) = epoch("paper_pairs", 100)
    negative = ~batch.positive
    np.testing.assert_array_equal(batch.left[negative], batch.right[negative])
    assert negative.sum() == batch.positive.sum() == 15
    assert {*TABLE.content[batch.rows[batch.left[~negative]]]} == {str(number) for number in range(7)}


def test_augmented_views_are_two_different_ones_of_one_picture() -> None:
    seen = set()
    for batch in epoch("augmented", 5, views=3):
        first, second = np.split(batch.rows, 2)
        np.testing.assert_array_equal(first // 3, second // 3)
        assert (first != second).all()
        np.testing.assert_array_equal(batch.groups, batch.rows // 3)
        assert (np.equal(*(batch.rows[side] // 3 for side in (batch.left, batch.right))) == batch.positive).all()
        seen |= set((first // 3).tolist())
    assert seen == set(range(len(TABLE)))


def test_a_view_is_drawn_for_content_pairs_too() -> None:
    rows = np.concatenate([batch.rows for seed in range(9) for batch in epoch("content_stylised", 9, views=4, seed=seed)])
    assert set(rows % 4) == {0, 1, 2, 3}


def test_labels_are_classes_where_known_and_else_original_or_stylised() -> None:
    (batch,) = epoch("labels", 100)
    np.testing.assert_array_equal(batch.groups, TABLE.label[batch.rows])
    assert len(set(batch.rows.tolist())) == len(batch.rows) == 24
    np.testing.assert_array_equal(batch.positive, np.equal(*np.split(batch.groups, 2)))
    klass = np.array(["cat", "dog", "cow"] * 8)
    (batch,) = epoch("labels", 100, Table(TABLE.content, TABLE.style, TABLE.label, klass))
    assert {(int(group), str(klass[row])) for group, row in zip(batch.groups, batch.rows, strict=True)} == {
        (0, "cat"),
        (1, "cow"),
        (2, "dog"),
    }


@pytest.mark.parametrize("name", list(PAIRS))
def test_positives_are_of_one_group_and_never_one_row_twice(name: PairsName) -> None:
    pairs = PAIRS[name](TABLE, 2)
    first, second = pairs.positives(np.random.default_rng(0), 10)
    assert 2 <= len(first) <= 10
    assert (first != second).all()
    np.testing.assert_array_equal(pairs.groups[first // 2], pairs.groups[second // 2])


def test_the_seed_decides() -> None:
    same, again, other = (np.concatenate([batch.rows for batch in epoch("content_stylised", 4, seed=seed)]) for seed in (1, 1, 2))
    np.testing.assert_array_equal(same, again)
    assert (same != other).any()


def test_tables_without_the_pairs_asked_for_are_refused_in_words() -> None:
    originals = TABLE.rows(TABLE.label == 0)
    with pytest.raises(InputError, match=r"no stylised picture has its original here\. Received: 8 originals and 0 stylised"):
        content_stylised(originals, 1)
    with pytest.raises(InputError, match="at least two contents"):
        paper_pairs(TABLE.rows(TABLE.content == "0"), 1)
    with pytest.raises(InputError, match=r"two views of each picture\. Received: 1"):
        augmented(TABLE, 1)
    with pytest.raises(InputError, match="at least two pictures"):
        augmented(TABLE.rows([0]), 2)
    with pytest.raises(InputError, match="two classes"):
        labels(originals, 1)
    with pytest.raises(InputError, match="at least two pictures"):
        labels(TABLE.rows([0, 1]), 1)


def test_a_table_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="one entry a picture"):
        Table(np.array(["a"]), np.array(["", "s"]), np.array([0, 1]))
    with pytest.raises(InputError, match="Received: 2"):
        Table(np.array(["a", "b"]), np.array(["", "s"]), np.array([0, 2]))
