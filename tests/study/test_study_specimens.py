"""From pictures to a table in one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from app.core.errors import InputError
from app.core.experiments import ExperimentSpec, TrainParams
from app.core.features import CHANNELS, FEATURES, FeatureSet
from app.core.progress import StopRequested
from app.core.studies import StudyStep
from app.imaging.fingerprint import fingerprint
from app.imaging.neutral import neutral, reduced
from workers.study.experiment import conduct
from workers.study.specimens import EVERYTHING, Specimen, columns_of, table_of
from workers.study.views import VIEWS
from workers.verdict.baselines import colour_histogram

Pixels = NDArray[np.uint8]


class Means:
    """Each feature of a picture is its mean grey value, plus its place among the features."""

    def __init__(self) -> None:
        self.seen = 0

    def stream(
        self, pictures: Iterator[Pixels], feature_set: FeatureSet, *, on_progress: Callable[[int], None] | None = None
    ) -> Iterator[NDArray[np.float32]]:
        for number, pixels in enumerate(pictures, start=1):
            self.seen += 1
            yield (pixels.mean() + np.arange(feature_set.length)).astype(np.float32)
            if on_progress:
                on_progress(number)


def picture(seed: int, width: int = 60, height: int = 40) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def specimens(contents: int = 3, styles: int = 2) -> list[Specimen]:
    originals = [Specimen(f"c{c}", 0, f"c{c}", lambda c=c: picture(c)) for c in range(contents)]
    return originals + [
        Specimen(f"c{c}s{s}", 1, f"c{c}", lambda c=c, s=s: picture(10 * c + s + 100), f"s{s}", "instant")
        for c in range(contents)
        for s in range(styles)
    ]


def test_each_picture_is_read_once_and_brings_all_columns() -> None:
    told: list[tuple[int, int]] = []
    describer = Means()
    table = table_of(specimens(), FEATURES["both"], describer, on_progress=lambda done, of: told.append((done, of)))
    assert (describer.seen, told[-1]) == (9, (9, 9))
    assert table.label.tolist() == [0, 0, 0, 1, 1, 1, 1, 1, 1]
    assert table.style.tolist() == ["", "", "", "s0", "s1", "s0", "s1", "s0", "s1"]
    np.testing.assert_allclose(table.features[:, 0], [one.read().mean() for one in specimens()], rtol=1e-6)
    assert table.histogram is not None and table.fingerprint is not None and table.file is not None
    np.testing.assert_array_equal(table.histogram[1], colour_histogram(picture(1)))
    assert table.fingerprint.tolist() == [fingerprint(one.read()) for one in specimens()]
    assert table.file.tolist() == [[60, 40]] * 9
    assert table.views is None


def test_files_are_compared_as_they_were_sent_where_all_were() -> None:
    sent = [replace(one, sent=(9000 + n, ("JPEG", "PNG")[n % 2])) for n, one in enumerate(specimens())]
    table = table_of(sent, FEATURES["pooled"], Means(), largest=30)
    assert table.file is not None
    assert table.file.tolist() == [[60, 40, 9000 + n, n % 2 == 0, n % 2 == 1] for n in range(9)]
    made = table_of([*sent[:-1], specimens()[-1]], FEATURES["pooled"], Means(), largest=30)
    assert made.file is not None
    assert made.file.tolist() == [[30, 20]] * 9


def test_the_style_picture_s_fingerprint_comes_along() -> None:
    given = [replace(one, style_print=2**63 + int(one.style[1:])) if one.style else one for one in specimens()]
    table = table_of(given, FEATURES["pooled"], Means())
    assert table.style_fingerprint is not None
    assert table.style_fingerprint.tolist() == [0, 0, 0, *([2**63, 2**63 + 1] * 3)]


@pytest.mark.parametrize("name", list(FEATURES))
def test_every_feature_set_is_a_part_of_what_is_stored(name: str) -> None:
    rows = np.arange(2 * EVERYTHING.length, dtype=np.float32).reshape(2, -1)
    found = columns_of(rows, FEATURES[name])
    assert found.shape == (2, FEATURES[name].length)
    at = 0
    for layer, statistic in FEATURES[name].parts:
        start = sum(CHANNELS[other] for other, _ in EVERYTHING.parts[: EVERYTHING.parts.index((layer, statistic))])
        np.testing.assert_array_equal(found[:, at : at + CHANNELS[layer]], rows[:, start : start + CHANNELS[layer]])
        at += CHANNELS[layer]


def test_the_pooled_baseline_has_its_features_whatever_was_asked_for() -> None:
    table = table_of(specimens(), FEATURES["midlevel"], Means())
    assert table.pooled is not None
    assert (table.features.shape[1], table.pooled.shape[1]) == (FEATURES["midlevel"].length, 2048)


def test_large_originals_are_reduced_to_what_stylised_pictures_have() -> None:
    large = picture(1, 600, 300)
    assert reduced(large, 60).shape == (30, 60, 3)
    assert reduced(large, 600) is large
    assert reduced(large, None) is large
    many = [*specimens(), Specimen("large", 0, "large", lambda: large)]
    table = table_of(many, FEATURES["pooled"], Means(), largest=60)
    assert table.file is not None
    assert table.file[-1].tolist() == [60, 30]
    assert neutral(reduced(large, 60)).shape == (299, 299, 3)


def test_views_are_described_after_the_pictures_themselves() -> None:
    told: list[tuple[int, int]] = []
    table = table_of(specimens(), FEATURES["pooled"], Means(), views=True, on_progress=lambda done, of: told.append((done, of)))
    assert table.views is not None
    assert table.views.shape == (9, VIEWS, 2048)
    np.testing.assert_array_equal(table.views[:, 0], table.features)
    assert told[-1] == (9 * VIEWS, 9 * VIEWS)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_one_class_is_refused_before_anything_is_described() -> None:
    describer = Means()
    with pytest.raises(InputError, match=r"Received 3 original, 0 stylised\.$"):
        conduct(specimens()[:3], ExperimentSpec(), describer, lambda step: None)
    assert describer.seen == 0


def test_features_that_are_no_numbers_are_refused_with_the_picture_s_name() -> None:
    class Broken(Means):
        def stream(self, pictures: Iterator[Pixels], feature_set: FeatureSet, **_: object) -> Iterator[NDArray[np.float32]]:
            for row in super().stream(pictures, feature_set):
                yield np.full_like(row, np.nan) if self.seen == 5 else row

    with pytest.raises(InputError, match=r"Received c0s1\.$"):
        conduct(specimens(), ExperimentSpec(), Broken(), lambda step: None)


SMALL = ExperimentSpec(
    features="pooled",
    training=TrainParams(objective="none"),
    splits=("train_is_test", "content"),
    seeds=2,
    resamples=100,
    permutations=0,
)


class Noise(Means):
    """Random features; those of stylised pictures are shifted."""

    def stream(
        self, pictures: Iterator[Pixels], feature_set: FeatureSet, *, on_progress: Callable[[int], None] | None = None
    ) -> Iterator[NDArray[np.float32]]:
        for number, _ in enumerate(pictures, start=1):
            row = np.random.default_rng(number).standard_normal(feature_set.length).astype(np.float32)
            yield row + np.float32(0.5 * (number > 6))
            if on_progress:
                on_progress(number)


def test_an_experiment_tells_where_it_stands_and_never_goes_back() -> None:
    steps: list[StudyStep] = []
    done = conduct(specimens(6, 2), SMALL, Noise(), steps.append)
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0, 1)
    assert steps[0].stage == "prepare"
    assert {"describe", "classify", "baselines", "permute", "finish"} <= {step.stage for step in steps}
    assert (steps[-1].described, steps[-1].pictures, steps[-1].runs) == (18, 18, 3)
    assert [split.name for split in done.report.splits] == ["train_is_test", "content"]
    assert done.detector is not None


def test_a_stop_while_pictures_are_described_passes_through_and_later_reports_what_is_finished() -> None:
    def early(step: StudyStep) -> None:
        if step.described == 3:
            raise StopRequested

    with pytest.raises(StopRequested):
        conduct(specimens(6, 2), SMALL, Noise(), early)

    def late(step: StudyStep) -> None:
        if step.runs == 1:
            raise StopRequested

    done = conduct(specimens(6, 2), SMALL, Noise(), late)
    assert done.report.stopped
    assert 1 <= sum(len(split.runs) for split in done.report.splits) < 3
    assert done.detector is None
