"""The shipped detector on pictures that everyone has: what the program promises, not how good it is; that is in the model card."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from app.core.commission import Commission
from app.core.config import Settings
from app.core.specs import StyleParams
from workers.style.engine import Engine
from workers.style.resample import to_uint8
from workers.verdict.detector import SHIPPED, read, to_bytes
from workers.verdict.judge import Judge

SAMPLES = Path(__file__).parents[2] / "static" / "samples"


@pytest.fixture(scope="module")
def judge(weights_cache: Settings) -> Judge:
    return Judge(weights_cache)


def sample(name: str) -> np.ndarray:
    with Image.open(SAMPLES / name) as image:
        return np.array(image.convert("RGB"))


@pytest.fixture(scope="module")
def engine(weights_cache: Settings) -> Engine:
    return Engine(weights_cache)


@pytest.fixture(scope="module")
def stylised(engine: Engine) -> np.ndarray:
    return engine.instant(data.rocket(), sample("style/woodblock.jpg"), StyleParams(size=384, iterations=()))


def test_the_shipped_file_is_small_and_whole() -> None:
    detector = read()
    assert SHIPPED.stat().st_size < 2_000_000
    assert detector.neighbourhood is not None and detector.facts["pictures"]["train"]["painting"] > 100


def test_a_photograph_is_an_original_and_what_adain_made_of_it_is_stylised(judge: Judge, stylised: np.ndarray) -> None:
    original, made = judge.judge(data.rocket()), judge.judge(stylised)
    assert (original.decision, made.decision) == ("original", "stylised")
    assert original.probability < 0.2 < 0.8 < made.probability
    assert made.detector == read().digest
    assert [one.distance for one in made.neighbours] == sorted(one.distance for one in made.neighbours)


def test_a_job_s_instant_picture_without_the_decoder_s_grid_is_stylised_as_well(judge: Judge, engine: Engine) -> None:
    commission = Commission.of(data.rocket(), sample("style/woodblock.jpg"), StyleParams(size=384, iterations=()))
    made = judge.judge(to_uint8(engine.stylize(commission, lambda _: None)))
    assert made.decision == "stylised" and made.probability > 0.8


def test_cells_and_bias_are_the_logit(judge: Judge, stylised: np.ndarray) -> None:
    for picture in (stylised, data.coffee(), data.chelsea()):
        found = judge.judge(picture)
        assert found.evidence.logit == pytest.approx(found.logit, abs=1e-4)
        assert found.probability == pytest.approx(1 / (1 + np.exp(-found.logit)))


def test_scores_of_a_stream_agree_with_the_judgement(judge: Judge, stylised: np.ndarray) -> None:
    taken = []

    def pictures() -> object:
        for picture in (stylised, data.coffee(), data.chelsea()):
            taken.append(picture.shape)
            yield picture

    scores = judge.probabilities(pictures(), batch=1)  # type: ignore[arg-type]
    first = next(scores)
    assert len(taken) == 1
    for score, picture in zip([first, *scores], (stylised, data.coffee(), data.chelsea()), strict=True):
        # bfloat16 sums in another order where the batch differs.
        assert score.logit == pytest.approx(judge.judge(picture).logit, abs=0.3)


def test_a_detector_of_reduced_pictures_sees_what_it_judges_reduced(judge: Judge) -> None:
    small = judge.using(to_bytes(replace(read(), largest=96)))
    first = np.array(Image.fromarray(data.coffee()).resize((96, 64), Image.Resampling.LANCZOS, reducing_gap=3.0))
    judged = small.judge(data.coffee())
    assert data.coffee().shape == (400, 600, 3)
    assert judged.logit == judge.judge(first).logit != judge.judge(data.coffee()).logit
    (score,) = small.probabilities([data.coffee()], batch=1)
    assert score == next(judge.probabilities([first], batch=1))


def test_covering_what_speaks_for_stylised_lowers_the_logit(judge: Judge, stylised: np.ndarray) -> None:
    """Occlusion by the original's own pixels: the quarter of the cells that add most against the quarter that add least."""
    found = judge.judge(stylised)
    cells = np.array(found.evidence.cells).reshape(found.evidence.rows, found.evidence.columns)
    height, width = stylised.shape[:2]
    original = np.array(Image.fromarray(data.rocket()).resize((width, height)))
    order = np.argsort(cells.ravel())

    def with_original(places: np.ndarray) -> float:
        mask = np.zeros(cells.size, np.uint8)
        mask[places] = 255
        whole = np.array(Image.fromarray(mask.reshape(cells.shape)).resize((width, height), Image.Resampling.NEAREST)) > 0
        return judge.judge(np.where(whole[..., None], original, stylised)).logit

    quarter = cells.size // 4
    assert with_original(order[-quarter:]) < found.logit
    assert with_original(order[-quarter:]) < with_original(order[:quarter])


def test_facts_name_detector_and_network(judge: Judge) -> None:
    facts = judge.facts()
    assert facts["detector"] == read().digest and len(facts["weights"]["inception_v3"]) == 64
    assert facts["preprocessing"].startswith("299-")
