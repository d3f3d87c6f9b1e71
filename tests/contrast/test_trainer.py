from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from app.core.errors import EngineError, InputError
from app.core.experiments import ObjectiveName, PairsName, TrainParams, TrainStep
from app.core.progress import StopRequested
from tests.contrast.conftest import SmallSet
from workers.contrast import bootstrap, momentum, network, siamese, trainer
from workers.contrast.bootstrap import Bootstrap
from workers.contrast.monitor import alignment, spread
from workers.contrast.table import Table
from workers.contrast.trainer import Trained, train

SMALL = TrainParams(hidden=64, output=16, epochs=40, batch_size=16, learning_rate=0.003, momentum=0.9, queue=64)
OBJECTIVES: tuple[ObjectiveName, ...] = ("pairwise", "nt_xent", "moco", "byol", "supcon")


def params(objective: ObjectiveName = "nt_xent", pairs: PairsName = "content_stylised", **changes: object) -> TrainParams:
    return TrainParams.model_validate({**SMALL.model_dump(), "objective": objective, "pairs": pairs, **changes})


def held_out_alignment(trained: Trained, small_set: SmallSet) -> float:
    """Return the mean squared distance of held-out originals and their stylised versions, from the embeddings themselves."""
    features, table = small_set.held_out
    z = trained.embed(features)
    original = {content: row for content, row, label in zip(table.content, z, table.label, strict=True) if not label}
    stylised = table.label == 1
    return alignment(z[stylised], np.stack([original[content] for content in table.content[stylised]]))


def set_of(count: int, length: int, seed: int = 0) -> tuple[np.ndarray, Table]:
    """Return made-up contents, each with a stylised version: a shift that all share, and noise."""
    rng = np.random.default_rng(seed)
    originals = rng.standard_normal((count, length))
    stylised = originals + rng.standard_normal(length) + 0.5 * rng.standard_normal((count, length))
    content, label = np.tile(np.arange(count).astype(str), 2), np.repeat([0, 1], count)
    return np.concatenate([originals, stylised]).astype(np.float32), Table(content, np.where(label, "s", ""), label)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_brings_held_out_pairs_together(small_set: SmallSet, objective: ObjectiveName) -> None:
    features, table, held_out = small_set
    untrained = train(features, table, params("none"), 1)
    trained = train(features, table, params(objective), 1, held_out=held_out)
    first, last = trained.history[0], trained.history[-1]
    assert held_out_alignment(trained, small_set) < 0.95 * held_out_alignment(untrained, small_set)
    assert last.held_out_alignment == pytest.approx(held_out_alignment(trained, small_set), rel=0.01)
    assert last.alignment < 0.5 * first.alignment
    assert not last.collapsed


def test_labels_make_a_detector_of_it(small_set: SmallSet) -> None:
    features, table, held_out = small_set
    detector = train(features, table, params("supcon", "labels", epochs=100), 1, held_out=held_out)
    invariant = train(features, table, params(), 1, held_out=held_out)
    found, lost = detector.history[-1].detection, invariant.history[-1].detection
    assert found is not None
    assert lost is not None
    assert found > 0.95 > lost
    # An original is farther from its stylised version than two pictures are on average; the opposite of invariance.
    far, near = (held_out_alignment(trained, small_set) / spread(trained.embed(held_out[0])) for trained in (detector, invariant))
    assert far > 1 > near


SOUND: list[tuple[ObjectiveName, PairsName]] = [*((objective, "content_stylised") for objective in OBJECTIVES), ("supcon", "labels")]
LONG = {"epochs": 60, "batch_size": 64, "learning_rate": 0.01}


def test_the_papers_pairs_collapse_and_it_is_seen() -> None:
    history = train(*set_of(120, 8), params("pairwise", "paper_pairs", **LONG), 1).history
    assert not history[0].collapsed
    assert history[-1].collapsed
    # The negatives cost their constant ½·m² for half of the pairs, whatever the head.
    assert history[-1].loss == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("predictor", [True, False])
def test_byol_without_its_stop_collapses_and_it_is_seen(predictor: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(trainer.LEARNERS, "byol", partial(Bootstrap, predictor=predictor, stop_gradient=False))
    history = train(*set_of(120, 8), params("byol", **LONG), 1).history
    assert not history[0].collapsed
    assert history[-1].collapsed


@pytest.mark.parametrize(("objective", "pairs"), SOUND)
def test_sound_objectives_do_not_collapse(objective: ObjectiveName, pairs: PairsName) -> None:
    history = train(*set_of(120, 8), params(objective, pairs, **LONG), 1).history
    assert not any(step.collapsed for step in history)


def test_views_of_one_picture_are_pairs() -> None:
    features, table = set_of(12, 20)
    views = features[:, None] + 0.3 * np.random.default_rng(1).standard_normal((24, 3, 20))
    trained = train(views, table, params(pairs="augmented", epochs=20), 1, held_out=(views[:6], table.rows(range(6))))
    assert trained.history[-1].alignment < trained.history[0].alignment
    assert trained.history[-1].held_out_alignment is not None
    assert trained.embed(features).shape == (24, 16)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_seed_decides_every_weight(objective: ObjectiveName) -> None:
    features, table = set_of(20, 30)
    first, again, other = (train(features, table, params(objective, epochs=3), seed).head.arrays() for seed in (1, 1, 2))
    for name, array in first.items():
        np.testing.assert_array_equal(array, again[name])
    assert (first["output_kernel"] != other["output_kernel"]).any()


def test_many_trainings_build_no_more_graphs() -> None:
    graphs = siamese._step, siamese._loss, momentum._step, momentum._loss, bootstrap._step, bootstrap._loss, network.embeddings

    def count(sizes: list[tuple[int, int]]) -> int:
        for contents, length in sizes:
            features, table = set_of(contents, length)
            for objective in OBJECTIVES:
                train(features, table, params(objective, epochs=2), 1, held_out=(features, table))
        return sum(graph.experimental_get_tracing_count() for graph in graphs)

    few = count([(20, 30), (21, 31), (25, 33)])
    assert count([(20, 30), (23, 35), (30, 40), (17, 50), (40, 20)]) == few


def test_an_untrained_head_is_where_training_begins() -> None:
    features, table = set_of(20, 30)
    untrained = train(features, table, params("none"), 4)
    barely = train(features, table, params(epochs=1, learning_rate=1e-9), 4)
    assert untrained.history == []
    np.testing.assert_allclose(untrained.embed(features), barely.embed(features), atol=1e-4)


def test_means_and_deviations_are_the_training_parts() -> None:
    features, table = set_of(20, 30)
    alone = train(features, table, params(epochs=2), 1)
    watched = train(features, table, params(epochs=2), 1, held_out=(features[:6] * 9 + 100, table.rows(range(6))))
    np.testing.assert_allclose(alone.head.mean, features.mean(axis=0), atol=1e-5)
    np.testing.assert_array_equal(alone.head.hidden_kernel, watched.head.hidden_kernel)


def test_a_stop_keeps_what_there_is() -> None:
    features, table = set_of(20, 30)
    told: list[TrainStep] = []

    def stop_at_three(step: TrainStep) -> None:
        told.append(step)
        if step.epoch == 3:
            raise StopRequested

    trained = train(features, table, params(), 1, on_step=stop_at_three)
    assert [step.epoch for step in told] == [1, 2, 3]
    assert trained.history == told
    assert (told[-1].epochs, told[-1].retrieval, told[-1].held_out_loss, told[-1].detection) == (40, None, None, None)
    assert np.isfinite(trained.embed(features)).all()


def test_what_cannot_be_paired_is_still_retrieved() -> None:
    features, table = set_of(20, 30)
    held_out = features[[0, 1, 20]], table.rows([0, 1, 20])
    last = train(features, table, params(epochs=1), 1, held_out=held_out).history[-1]
    assert last.held_out_loss is None
    assert last.retrieval is not None


def test_features_that_cannot_be_are_refused() -> None:
    features, table = set_of(5, 6)
    broken = features.copy()
    broken[3, 2] = np.nan
    with pytest.raises(InputError, match=r"finite numbers\. Received: nan in row 3"):
        train(broken, table, params(), 1)
    with pytest.raises(InputError, match=r"finite numbers\. Received: nan in row 3"):
        train(features, table, params(), 1, held_out=(broken, table))
    with pytest.raises(InputError, match=r"table's 10 pictures\. Received: an array of shape \(9, 6\)"):
        train(features[1:], table, params(), 1)
    with pytest.raises(InputError, match="need 6 features each"):
        train(features, table, params(), 1, held_out=(features[:, :4], table))


def test_numbers_that_are_not_finite_end_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(siamese.Siamese, "step", lambda *_: float("nan"))
    with pytest.raises(EngineError, match=r"not finite.*Received: a loss of nan in epoch 1"):
        train(*set_of(20, 30), params(), 1)
