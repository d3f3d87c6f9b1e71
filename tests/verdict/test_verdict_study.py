from __future__ import annotations

import numpy as np

from app.core.features import FeatureSet
from workers.verdict.study import Choice, markdown, outcomes
from workers.verdict.training import CLEAN, Bank

SET = FeatureSet(name="two", title="", help="", parts=(("conv_2", "mean"), ("conv_4", "mean"), ("conv_2", "mean_square")))


def bank(seed: int) -> Bank:
    """AdaIN differs in the last squares of conv_2, the optimiser in conv_4, and paintings are on the way to AdaIN."""
    rng = np.random.default_rng(seed)
    group = np.array((["photograph"] * 60 + ["painting"] * 40 + ["adain"] * 60 + ["optimiser"] * 60) * 2)
    features = rng.standard_normal((len(group), 320)).astype(np.float32)
    features[group == "adain", -40:] += 2
    features[group == "painting", -40:] += 0.7
    features[group == "optimiser", 64:110] += 2
    view = np.repeat([CLEAN, "halved"], len(group) // 2)
    names = np.arange(len(group)).astype(str)
    return Bank(features, group, view, names, names, np.where(np.isin(group, ("adain", "optimiser")), names, ""))


def test_what_is_left_out_is_missed() -> None:
    choices = (
        Choice("all", penalty=0.01),
        Choice("only conv_2", layers=("conv_2",), penalty=0.01),
        Choice("no AdaIN", penalty=0.01, keep=lambda given: given.group != "adain"),
    )
    whole, shallow, without = outcomes(bank(0), bank(1), choices, SET)
    assert min(whole.auroc.values()) > 0.85
    assert shallow.auroc[CLEAN, "adain"] > 0.9 and shallow.auroc[CLEAN, "optimiser"] < 0.7
    assert without.auroc[CLEAN, "adain"] < 0.75 < 0.9 < without.auroc["halved", "optimiser"]
    assert whole.recall["adain"] > without.recall["adain"]
    assert 0 <= whole.paintings <= 0.2


def test_a_row_for_each_choice() -> None:
    rows = markdown(list(outcomes(bank(0), bank(1), (Choice("one"), Choice("two", penalty=1.0)), SET))).splitlines()
    assert [row.split("|")[1].strip() for row in rows] == ["choice", "---", "one", "two"]
    assert len({row.count("|") for row in rows}) == 1
