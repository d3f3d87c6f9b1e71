"""The whole study: real pictures and networks once, and light doubles for what surrounds them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from app.core.config import Settings
from app.core.errors import InputError, PictureError
from app.core.features import FeatureSet
from app.core.hypothesis import HypothesisSpec, HypothesisStep
from app.core.progress import StopRequested
from app.imaging.neutral import neutral
from workers.study.cells import Answered, Described
from workers.study.division import Division
from workers.study.hypothesis import CELLS, run
from workers.study.labelled import Labelled, StylePicture
from workers.study.painter import Painter, adain
from workers.style.engine import Engine
from workers.verdict.features import Extractor

SPEC = HypothesisSpec(seeds=2, rounds=2, batch_size=4, copies=1, size=64, resamples=100)
Pixels = np.ndarray


class Sketches:
    """Describes a picture by its smallest version, and counts how many it was given."""

    precision = "float32"

    def __init__(self) -> None:
        self.described = 0

    def stream(self, pictures: Iterable[Pixels], feature_set: FeatureSet) -> Iterator[np.ndarray]:
        for picture in pictures:
            self.described += 1
            small = neutral(picture, 16).astype(np.float32).ravel()
            yield np.resize(small, feature_set.length)


def cut(picture: Pixels, number: int) -> Pixels:
    """Return a part of a picture of its own."""
    top, left = (number * 37) % (picture.shape[0] - 96), (number * 61) % (picture.shape[1] - 96)
    return picture[top : top + 96, left : left + 96]


def labelled(domains: tuple[str, ...] = ("photo", "sketch"), each: int = 7) -> list[Labelled]:
    sources: dict[str, Pixels] = {"cat": data.chelsea(), "cup": data.coffee()}

    def reader(klass: str, domain: str, number: int) -> Callable[[], Pixels]:
        return lambda: cut(sources[klass], number) if domain == "photo" else 255 - cut(sources[klass], number)

    return [
        Labelled(f"{domain} {klass} {number}", klass, domain, reader(klass, domain, number))
        for domain in domains
        for klass in sources
        for number in range(each)
    ]


def styles(first: int, count: int) -> list[StylePicture]:
    def reader(number: int) -> Callable[[], Pixels]:
        return lambda: np.rot90(cut(data.astronaut(), number), number % 4)

    return [StylePicture(f"style {number}", reader(number)) for number in range(first, first + count)]


def brushed(painted: list[tuple[bytes, bytes]] | None = None) -> Painter:
    """A painter that mixes two pictures, and notes which."""

    def paint(content: Pixels, style: Pixels) -> Pixels:
        if painted is not None:
            painted.append((content.tobytes(), style.tobytes()))
        return (content // 2 + np.resize(style, content.shape) // 2).astype(np.uint8)

    return Painter("brushed", paint)


def test_a_small_real_study(weights_cache: Settings, tmp_path: Path) -> None:
    spec = SPEC.model_copy(update={"seeds": 1})
    settings = weights_cache.model_copy(update={"precision": "float32"})
    steps: list[HypothesisStep] = []
    engine = Engine(settings)
    report = run(
        labelled(each=6), styles(0, 2), styles(10, 1), spec, Extractor(settings), adain(engine, spec), steps.append, folder=tmp_path
    )
    assert [(cell.augmentation, cell.contrast) for cell in report.cells] == list(CELLS)
    assert [trial.name for trial in report.trials] == ["clean", "stylised", "domain:sketch"]
    # Parts of one cat and of one cup: the features of a real network tell them apart.
    assert report.result("none", "none", "clean").accuracy.value == 1.0
    assert steps[-1].stage == "finish" and steps[-1].fraction == 1.0 and steps[-1].remaining == 0
    assert report.conclusion[0].startswith(("Style transfer together", "Whether style transfer together"))


@pytest.fixture
def guessing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells that guess in place of cells that train: what they answer is tested elsewhere."""

    def train_cell(described: Described, division: Division, spec: HypothesisSpec, row: str, column: str, seed: int) -> Answered:
        rng = np.random.default_rng([seed, *map(ord, row + column)])
        tested = len(division.test)
        away = {name: rng.random(len(one.klass)) < 0.5 for name, one in described.away.items()}
        return Answered(rng.random(tested) < 0.8, rng.random(tested) < 0.6, away, 1.0, None, False)

    monkeypatch.setattr("workers.study.hypothesis.train_cell", train_cell)


@pytest.mark.usefixtures("guessing")
def test_progress_never_goes_back_and_counts_everything() -> None:
    steps: list[HypothesisStep] = []
    run(labelled(), styles(0, 2), styles(10, 2), SPEC, Sketches(), brushed(), steps.append)
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    # 14 photographs: themselves, a jittered and a stylised copy, one in an unseen style; 14 sketches.
    assert steps[-1].described == steps[-1].pictures == 14 * 4 + 14
    assert steps[-1].runs == steps[-1].planned == 18
    assert {(step.seed, step.augmentation, step.contrast) for step in steps if step.stage == "train"} == {
        (seed, *place) for seed in (0, 1) for place in CELLS
    }


@pytest.mark.usefixtures("guessing")
def test_no_style_is_both_trained_and_tested_with_and_others_are_not_painted() -> None:
    painted: list[tuple[bytes, bytes]] = []
    given = labelled()
    run(given, styles(0, 2), styles(10, 2), SPEC, Sketches(), brushed(painted), lambda _: None)
    photographs = {one.read().tobytes() for one in given if one.domain == "photo"}
    assert {content for content, _ in painted} == photographs
    by_style = Counter(style for _, style in painted)
    assert sum(by_style.values()) == 2 * len(photographs)
    assert 2 <= len(by_style) <= 4


@pytest.mark.usefixtures("guessing")
def test_a_second_run_paints_and_describes_nothing_made_before(tmp_path: Path) -> None:
    reports, painted = [], []
    for _ in range(2):
        describer = Sketches()
        notes: list[tuple[bytes, bytes]] = []
        reports.append(run(labelled(), styles(0, 2), styles(10, 2), SPEC, describer, brushed(notes), lambda _: None, folder=tmp_path))
        painted.append((len(notes), describer.described))
    assert painted == [(28, 70), (0, 28)]
    first, second = (one.model_dump(exclude={"seconds"}) for one in reports)
    assert first == second


@pytest.mark.usefixtures("guessing")
def test_damaged_memory_is_made_anew(tmp_path: Path) -> None:
    notes: list[tuple[bytes, bytes]] = []
    for number in range(2):
        run(labelled(), styles(0, 1), styles(10, 1), SPEC, Sketches(), brushed(notes), lambda _: None, folder=tmp_path)
        if number == 0:
            next(tmp_path.glob("*/*.f32")).write_bytes(b"torn")
    assert len(notes) in (28, 29)


@pytest.mark.usefixtures("guessing")
def test_a_stop_keeps_the_seeds_that_are_finished() -> None:
    def after(runs: int) -> Callable[[HypothesisStep], None]:
        def follow(step: HypothesisStep) -> None:
            if step.runs >= runs:
                raise StopRequested

        return follow

    report = run(labelled(), styles(0, 1), styles(10, 1), SPEC, Sketches(), brushed(), after(10))
    assert report.stopped and report.seeds == (0,)
    assert "Only 1 seed: the intervals know little of how much one training differs from another." in report.notes
    with pytest.raises(StopRequested):
        run(labelled(), styles(0, 1), styles(10, 1), SPEC, Sketches(), brushed(), after(3))


@pytest.mark.usefixtures("guessing")
def test_one_domain_has_no_column_for_a_shift() -> None:
    report = run(labelled(("photo",)), styles(0, 1), styles(10, 1), SPEC, Sketches(), brushed(), lambda _: None)
    assert [trial.kind for trial in report.trials] == ["clean", "stylised"]
    assert any("no other domain" in note for note in report.notes)
    assert any("Only 1 unseen styles" in note for note in report.notes)


@pytest.mark.usefixtures("guessing")
def test_pictures_that_cannot_be_used_are_left_out_and_named() -> None:
    def broken() -> Pixels:
        raise PictureError("It is not a picture. Received: 3 bytes")

    given = [
        *labelled(),
        Labelled("torn.jpg", "cat", "photo", broken),
        Labelled("tiny.jpg", "cup", "photo", lambda: np.zeros((8, 8, 3), np.uint8)),
        Labelled("copy.jpg", "cat", "sketch", labelled()[0].read),
    ]
    report = run(given, styles(0, 1), styles(10, 1), SPEC, Sketches(), brushed(), lambda _: None)
    said = " ".join(report.notes)
    assert "Left out: torn.jpg. It is not a picture." in said and "Left out: tiny.jpg." in said
    assert "1 pictures were left out as copies" in said
    assert report.trials[2].pictures == 14


def test_an_unseen_style_that_was_seen_is_no_test() -> None:
    with pytest.raises(InputError, match="Received: 2 and 0"):
        run(labelled(), styles(0, 2), styles(1, 1), SPEC, Sketches(), brushed(), lambda _: None)
