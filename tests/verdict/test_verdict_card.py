from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from app.core.verdicts import Band
from workers.verdict.card import as_dict, auroc, left_out, lines, markdown
from workers.verdict.training import Bank

BAND = Band(low=0.3, threshold=0.5, high=0.8)


@pytest.fixture
def scored() -> tuple[np.ndarray, Bank]:
    rng = np.random.default_rng(0)
    group = np.array((["photograph"] * 40 + ["painting"] * 20 + ["adain"] * 30 + ["strangers"] * 10) * 2)
    view = np.array(["clean"] * 100 + ["halved"] * 100)
    logits = rng.normal(0, 1.5, 200) + np.where(np.isin(group, ["adain", "strangers"]), 1.5, -1.5)
    content = np.array([f"c{n % 25}" for n in range(200)])
    style = np.where(np.isin(group, ["adain", "strangers"]), np.array([f"s{n % 7}" for n in range(200)]), "")
    return logits, Bank(rng.random((200, 4), np.float32), group, view, content, content, style)


def test_figures_against_scikit_learn_and_by_counting(scored: tuple[np.ndarray, Bank]) -> None:
    logits, bank = scored
    found = {(line.group, line.view, line.figure): line for line in lines(logits, bank, BAND, resamples=200)}
    clean = bank.view == "clean"
    mine = clean & ((bank.group == "adain") | ~bank.stylised)
    line = found["adain", "clean", "AUROC"]
    assert line.value == pytest.approx(roc_auc_score(bank.stylised[mine], logits[mine]))
    assert line.interval is not None and line.interval.low < line.value < line.interval.high
    assert (line.count, line.target, line.met) == (30, "at least 0.99", False)
    photographs = logits[clean & (bank.group == "photograph")]
    assert found["photograph", "clean", "called stylised"].value == pytest.approx((photographs > 0).mean())
    unsure = (photographs >= np.log(0.3 / 0.7)) & (photographs <= np.log(4))
    assert found["photograph", "clean", "uncertain"].value == pytest.approx(unsure.mean())
    assert found["strangers", "halved", "AUROC"].target == "at least 0.95"
    assert found["strangers", "clean", "called stylised"].met is None
    assert 0 < found["all", "clean", "calibration error"].value < 0.5


def test_what_is_all_right_has_an_exact_interval(scored: tuple[np.ndarray, Bank]) -> None:
    _, bank = scored
    perfect = np.where(bank.stylised, 9.0, -9.0)
    found = {(line.group, line.view, line.figure): line for line in lines(perfect, bank, BAND, resamples=100)}
    line = found["adain", "clean", "AUROC"]
    assert line.value == 1.0 and line.met
    # Seven styles are all that is independent: (0.025)^(1/7).
    assert line.interval is not None and line.interval.low == pytest.approx(0.025 ** (1 / 7), abs=1e-6)
    share = found["photograph", "clean", "called stylised"]
    assert share.value == 0.0 and share.interval is not None and share.interval.high == pytest.approx(1 - 0.025 ** (1 / 25), abs=1e-6)


def test_a_generator_left_out_is_not_learnt() -> None:
    """Two generators in two directions: without the second, its pictures look like originals."""
    rng = np.random.default_rng(1)
    group = np.array(["photograph"] * 200 + ["adain"] * 100 + ["optimiser"] * 100)
    features = rng.standard_normal((400, 10)).astype(np.float32)
    features[200:300, 0] += 6
    features[300:, 1] += 6
    names = np.array([str(n) for n in range(400)])
    bank = Bank(features, group, np.array(["clean"] * 400), names, names, np.where(group == "photograph", "", names))
    found = {line.group: line for line in left_out(bank, bank)}
    assert found["optimiser"].view == "clean, trained without optimiser"
    assert found["optimiser"].value < 0.9
    whole = auroc("optimiser", features[:, 0].astype(float) + features[:, 1], bank)
    assert whole.value > 0.99


def test_lines_as_markdown_and_json(scored: tuple[np.ndarray, Bank]) -> None:
    logits, bank = scored
    found = list(lines(logits, bank, BAND, resamples=50))
    rows = markdown(found).splitlines()
    assert len(rows) == len(found) + 2 and "**no**" in rows[2]
    assert len({row.count("|") for row in rows}) == 1
    assert as_dict(found[0])["interval"].keys() == {"low", "high", "method"}
