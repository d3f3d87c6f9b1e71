"""The paper's experiment: all right on its own terms, and beside it what held-out contents and styles give."""

from dataclasses import replace

import numpy as np

from app.core.experiments import EXPERIMENT_PRESETS
from tests.verdict.tables import grid
from workers.study.learner import learner
from workers.verdict.evaluate import evaluate


def test_the_preset_is_all_right_where_it_trains_and_not_where_it_does_not() -> None:
    spec = EXPERIMENT_PRESETS["paper"].spec
    small = spec.model_copy(
        update={
            "training": spec.training.model_copy(update={"epochs": 30}),
            "splits": ("train_is_test", "content_style"),
            "seeds": 1,
            "resamples": 100,
            "permutations": 0,
        }
    )
    # No trace of the stylising at all: what is learnt can only be learnt by heart.
    table = grid(contents=10, styles=8, length=400, signal=0.0)
    without_trace = replace(table, features=np.random.default_rng(5).standard_normal(table.features.shape).astype(np.float32))
    report = evaluate(without_trace, small, learner(small.training), lambda _: None)
    assert report.split("train_is_test").test["accuracy"].value == 1.0
    headline = report.split("content_style").test["auroc"].value
    assert headline is not None and headline < 0.8
