from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.core.report import Figure, Interval
from tests.verdict.tables import grid
from workers.verdict.leakage import few_styles, file_only, merged_contents, merged_styles, shared, shuffled
from workers.verdict.splits import Fold, split

TABLE = grid(contents=6, styles=4)


def prints(*, alike: tuple[int, int] | None = None) -> np.ndarray:
    found = np.random.default_rng(0).integers(0, 2**63, len(TABLE), dtype=np.uint64)
    if alike:
        found[alike[1]] = found[alike[0]] ^ np.uint64(0b1011)
    return found


def test_originals_that_are_nearly_the_same_count_as_one_content() -> None:
    table = replace(TABLE, fingerprint=prints(alike=(0, 10)))
    contents, finding = merged_contents(table)
    assert set(contents) == {"c0", "c1", "c3", "c4", "c5"}
    assert (contents[TABLE.content == "c2"] == "c0").all()
    assert finding is not None
    assert not finding.sound
    assert "c0.png and c2.png" in finding.sentence
    for seed in range(5):
        (fold,) = split(replace(table, content=contents), "content", 0.3, seed)
        assert (0 in fold.test) == (10 in fold.test)


def test_without_copies_nothing_is_merged() -> None:
    contents, finding = merged_contents(replace(TABLE, fingerprint=prints()))
    assert np.array_equal(contents, TABLE.content)
    assert finding is not None
    assert finding.sound
    assert merged_contents(TABLE)[1] is None


def style_prints() -> np.ndarray:
    """The first and the last style are nearly the same picture."""
    own = np.random.default_rng(1).integers(2**40, 2**63, 4, dtype=np.uint64)
    own[3] = own[0] ^ np.uint64(0b101)
    return np.array([own[int(name[1:])] if name else 0 for name in TABLE.style], np.uint64)


def test_one_painting_sent_as_two_styles_counts_as_one() -> None:
    table = replace(TABLE, style_fingerprint=style_prints())
    styles, finding = merged_styles(table)
    assert set(styles) == {"", "s0", "s1", "s2"}
    assert (styles[TABLE.style == "s3"] == "s0").all()
    assert (styles[TABLE.style == ""] == "").all()
    assert finding is not None
    assert (finding.sound, finding.value) == (False, 1.0)
    assert "s0 and s3. They count as one style" in finding.sentence


def test_styles_of_unknown_pictures_are_left_apart() -> None:
    assert merged_styles(TABLE)[1] is None
    styles, finding = merged_styles(replace(TABLE, style_fingerprint=np.zeros(len(TABLE), np.uint64)))
    assert np.array_equal(styles, TABLE.style)
    assert finding is None


def test_twins_in_both_parts_are_counted() -> None:
    fold = Fold(np.arange(0, 15), np.arange(14, 30), 0)
    (found,) = shared(TABLE, {"random": [fold]})
    # Row 14 belongs to the third content, whose pictures are in training.
    assert found.value == 1 / 16
    assert not found.sound
    apart = Fold(np.arange(0, 15), np.arange(15, 30), 0)
    (found,) = shared(TABLE, {"content": [apart]})
    assert (found.value, found.sound) == (0.0, True)
    (found,) = shared(replace(TABLE, fingerprint=prints(alike=(3, 20))), {"content": [apart]})
    assert found.value == round(1 / 15, 6)
    assert "7% are nearly the same" in found.sentence


def test_files_that_tell_the_classes_apart_are_told_of() -> None:
    telling = file_only(Figure(value=0.8, interval=Interval(low=0.7, high=0.9)), 4)
    assert not telling.sound
    assert telling.sentence.startswith("Width, height, bytes and format reach AUROC 0.800, which is better than chance")
    assert file_only(Figure(value=0.56, interval=Interval(low=0.45, high=0.66)), 4).sound
    assert file_only(Figure(value=0.3, interval=Interval(low=0.2, high=0.4)), 4).sound
    few = file_only(Figure(value=1.0, interval=Interval(low=0.29, high=1.0, method="clopper_pearson")), 4)
    assert not few.sound


def test_a_check_of_files_names_what_it_saw_and_why_it_was_not_made() -> None:
    some = file_only(Figure(value=0.5), 2).sentence
    assert some.startswith("Width and height reach AUROC 0.500")
    assert "Not compared: bytes and format" in some
    assert "are not known" in file_only(None, 0).sentence
    stopped = file_only(None, 4, stopped=True).sentence
    assert stopped.startswith("The experiment was stopped before")
    assert "not known" not in stopped


def test_few_styles_in_a_test_part_are_told_of() -> None:
    many = grid(contents=4, styles=6)
    everything = Fold(np.arange(len(many)), np.arange(len(many)), 0)
    four = Fold(np.arange(len(many)), np.flatnonzero(~np.isin(many.style, ["s0", "s1"])), 0)
    enough, few = few_styles(many, [everything]), few_styles(many, [everything, four])
    assert enough is not None
    assert (enough.sound, enough.value) == (True, 6.0)
    assert few is not None
    assert (few.sound, few.value) == (False, 4.0)
    assert "little of the variation between styles" in few.sentence
    assert few_styles(replace(many, style=np.full(len(many), "")), [everything]) is None


def test_shuffled_labels_must_fall_to_chance() -> None:
    assert shuffled(Figure(value=0.55, interval=Interval(low=0.4, high=0.7))).sound
    assert not shuffled(Figure(value=0.7, interval=Interval(low=0.6, high=0.8))).sound
