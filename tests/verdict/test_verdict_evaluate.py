from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.core.errors import InputError
from app.core.experiments import SPLITS, EvaluationStep, ExperimentSpec, OnTrainStep, TrainParams, TrainStep
from app.core.progress import StopRequested
from app.core.report import METRICS, Report
from tests.verdict.tables import grid
from workers.verdict import classifier
from workers.verdict.baselines import TITLES
from workers.verdict.evaluate import evaluate
from workers.verdict.learner import Embed
from workers.verdict.table import Table

SPEC = ExperimentSpec(seeds=2, resamples=100, permutations=30)


def ignore(step: EvaluationStep) -> None:
    pass


def step(epoch: int, epochs: int = 4) -> TrainStep:
    return TrainStep(epoch, epochs, 1 / epoch, 0.5, -2.0, 8.0, 0.9, 1.5 / epoch, 0.6, False, float(epoch), 0.7)


class Doubler:
    """Learns nothing: doubles, after telling of four epochs, and remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[tuple[Table, Table, int]] = []

    def __call__(self, train: Table, watched: Table, seed: int, on_step: OnTrainStep) -> Embed:
        self.given.append((train, watched, seed))
        try:
            for epoch in range(1, 5):
                on_step(step(epoch))
        except StopRequested:
            pass
        return lambda features: 2 * features


@pytest.fixture(scope="module")
def table() -> Table:
    rng = np.random.default_rng(0)
    made = grid(contents=10, styles=6)
    return replace(
        made,
        histogram=rng.random((len(made), 16)).astype(np.float32),
        file=np.full((len(made), 3), 299.0) + made.label[:, None] * 0,
        fingerprint=rng.integers(0, 2**63, len(made), dtype=np.uint64),
    )


@pytest.fixture(scope="module")
def report(table: Table) -> Report:
    return evaluate(table, SPEC, None, ignore)


def test_a_report_survives_json(report: Report) -> None:
    assert Report.model_validate_json(report.model_dump_json()) == report


def test_every_split_is_measured_with_every_metric(report: Report) -> None:
    assert [one.name for one in report.splits] == list(SPLITS)
    assert report.headline == "content_style"
    for one in report.splits:
        assert set(one.test) == set(one.train) == set(METRICS)
        # Two seeds; two generators held out in turn; and training on everything is the same for each seed.
        assert len(one.runs) == {"generator": 4, "train_is_test": 1}.get(one.name, 2)
        for run in one.runs:
            assert sum(run.test.confusion) == run.test.pictures == len(run.test_pictures) == len(run.probabilities)
            called = [probability >= run.threshold for probability in run.probabilities]
            right = np.mean([call == bool(report.pictures[row].label) for call, row in zip(called, run.test_pictures, strict=True)])
            assert run.test.figures["accuracy"].value == pytest.approx(right, abs=1e-6)
        mean = np.mean([run.test.figures["auroc"].value for run in one.runs])
        assert one.test["auroc"].value == pytest.approx(mean, abs=1e-5)


def test_intervals_hold_their_figure_and_all_right_is_counted_in_clusters(report: Report) -> None:
    for one in report.splits:
        for name, figure in one.test.items():
            assert figure.value is not None
            assert figure.interval is not None
            assert figure.interval.low - 0.02 <= figure.value <= figure.interval.high + 0.02, name
    everything = report.split("train_is_test").test["auroc"]
    assert everything.value == 1
    assert everything.interval is not None
    assert everything.interval.method == "clopper_pearson"
    # Six styles, ten contents: 0.025 to the power of a sixth.
    assert everything.interval.low == pytest.approx(0.025 ** (1 / 6), abs=1e-6)


def test_a_real_difference_is_found_and_the_worst_style_named(report: Report) -> None:
    headline = report.split("content_style")
    assert headline.test["auroc"].value is not None
    assert headline.test["auroc"].value > 0.8
    assert headline.permutation is not None
    assert headline.permutation.p <= 0.1
    recalls = {group.name: group.recall for group in headline.styles}
    assert headline.worst_style is not None
    assert recalls[headline.worst_style] == min(recalls.values())
    assert {group.name for group in report.split("generator").generators} == {"adain", "optimiser"}
    assert report.map is not None
    assert len(report.map.points) == headline.runs[0].test.pictures
    assert set(headline.replicates) == {"auroc", "balanced_accuracy", "recall_original", "recall_stylised", "brier", "ece"}
    assert {len(values) for values in headline.replicates.values()} == {100}


def test_baselines_and_findings_stand_beside_it(report: Report) -> None:
    found = {one.name: one.figures for one in report.baselines}
    # No pooled features: the table is 40 long and has none beside it.
    assert set(found) == set(TITLES) - {"pooled", "file_only"}
    assert found["majority"]["auroc"].value == 0.5
    assert found["majority"]["recall_stylised"].value == 1
    missed = found["majority"]["recall_original"]
    assert missed.value == 0
    assert missed.interval is not None
    assert (missed.interval.low, missed.interval.method) == (0, "clopper_pearson")
    assert missed.interval.high < 1
    findings = {one.name: one for one in report.findings}
    assert findings["file_only"].value == 0.5
    assert findings["file_only"].sound
    assert findings["twins"].sound
    assert not findings["shared_random"].sound
    assert findings["shared_content_style"].sound
    # Two of six styles are held out.
    assert (findings["few_styles"].value, findings["few_styles"].sound) == (2, False)


@pytest.mark.parametrize("shuffle", [False, True])
def test_one_painting_sent_as_two_styles_is_never_in_both_parts(table: Table, shuffle: bool) -> None:
    rng = np.random.default_rng(0)
    own = {"": np.uint64(0), **{f"s{number}": rng.integers(1, 2**63, dtype=np.uint64) for number in range(5)}}
    own["s5"] = own["s0"] ^ np.uint64(6)
    twice = replace(table, style_fingerprint=np.array([own[str(name)] for name in table.style]))
    spec = SPEC.model_copy(update={"splits": ("content_style",), "seeds": 6, "permutations": 0, "shuffle_labels": shuffle})
    found = evaluate(twice, spec, None, ignore)
    for run in found.splits[0].runs:
        tested = {found.pictures[row].style for row in run.test_pictures}
        assert ("s0" in tested) == ("s5" in tested)
    assert "s5" in {one.style for one in found.pictures}, "pictures keep the names they came with"
    assert not next(one for one in found.findings if one.name == "style_twins").sound
    assert found.fingerprint == table.fingerprint_of_rows


def test_files_that_differ_by_class_are_found_out(table: Table) -> None:
    telling = replace(table, file=np.stack([299.0 + table.label, np.full(len(table), 299.0)], axis=1))
    findings = evaluate(telling, SPEC.model_copy(update={"splits": ("content",), "seeds": 1}), None, ignore).findings
    assert not findings[0].sound
    assert findings[0].value == 1
    assert findings[0].sentence.startswith("Width and height reach")


def test_shuffled_labels_fall_to_chance_but_not_on_the_training_pictures(table: Table) -> None:
    rng = np.random.default_rng(1)
    long = replace(table, features=np.concatenate([table.features, rng.standard_normal((len(table), 100)).astype(np.float32)], axis=1))
    spec = SPEC.model_copy(update={"shuffle_labels": True, "splits": ("train_is_test", "content")})
    found = evaluate(long, spec, None, ignore)
    held_out = found.split("content").test["auroc"]
    assert held_out.interval is not None
    assert held_out.interval.low < 0.5
    assert found.split("train_is_test").test["auroc"].value == 1
    assert found.split("train_is_test").permutation is not None
    assert found.split("train_is_test").permutation.p > 0.5
    assert next(one for one in found.findings if one.name == "shuffled").sound
    # About the same pictures as without shuffling, so the two can be compared.
    assert found.fingerprint == table.fingerprint_of_rows


def test_the_learner_sees_the_training_part_and_its_embedding_is_classified(table: Table) -> None:
    learner = Doubler()
    spec = SPEC.model_copy(update={"splits": ("content",), "classify": "both", "training": TrainParams(hidden=16, output=8)})
    steps: list[EvaluationStep] = []
    found = evaluate(table, spec, learner, steps.append)
    for (train, watched, seed), run in zip(learner.given, found.splits[0].runs, strict=True):
        assert watched.name.tolist() == [found.pictures[row].name for row in run.test_pictures]
        assert not set(train.content) & set(watched.content)
        assert seed == run.seed
    assert [one.epoch for one in found.training] == [1, 2, 3, 4]
    assert found.map is not None
    assert found.map.shown == "embeddings of the contrastive stage"
    fractions = [one.fraction for one in steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert fractions[-2] == pytest.approx(1)
    assert [one.train.epoch for one in steps if one.train] == [1, 2, 3, 4, 1, 2, 3, 4]


class Rote:
    """Knows the label of each picture it was shown, and nothing of others."""

    def __init__(self) -> None:
        self.contents: list[set[str]] = []

    def __call__(self, train: Table, watched: Table, seed: int, on_step: OnTrainStep) -> Embed:
        known = {row.tobytes(): float(label) for row, label in zip(train.features, train.label, strict=True)}
        self.contents.append(set(train.content))

        def embed(features: np.ndarray) -> np.ndarray:
            rng = np.random.default_rng(0)
            return np.array([[known.get(row.tobytes(), rng.uniform()), rng.standard_normal()] for row in features])

        return embed


def test_a_head_that_knows_its_training_pictures_by_rote_is_not_believed(table: Table) -> None:
    rote = Rote()
    spec = SPEC.model_copy(update={"splits": ("content",), "classify": "embedding", "seeds": 3, "permutations": 0})
    found = evaluate(table, spec, rote, ignore)
    for run, shown in zip(found.splits[0].runs, rote.contents, strict=True):
        tested = {found.pictures[row].content for row in run.test_pictures}
        assert len(shown) == 6, "of seven training contents one, a fifth, is kept back"
        assert not shown & tested
    # It says next to nothing of new pictures, and the probabilities must admit it. Constant ones half would score 0.25.
    assert found.splits[0].test["brier"].value is not None
    assert found.splits[0].test["brier"].value < 0.3


def test_the_paper_s_own_test_keeps_nothing_back(table: Table) -> None:
    rote = Rote()
    spec = SPEC.model_copy(update={"splits": ("train_is_test",), "classify": "embedding", "seeds": 1, "permutations": 0})
    assert evaluate(table, spec, rote, ignore).splits[0].test["accuracy"].value == 1
    assert rote.contents == [set(table.content)]


def test_stopping_reports_the_runs_that_are_finished(table: Table) -> None:
    def stop(at: EvaluationStep) -> None:
        if at.train and at.seed == 1 and at.split == "content":
            raise StopRequested

    learner = Doubler()
    spec = SPEC.model_copy(update={"splits": ("random", "content", "style")})
    found = evaluate(table, spec, learner, stop)
    assert found.stopped
    assert {one.name: len(one.runs) for one in found.splits} == {"random": 2, "content": 1, "style": 1}, "the run cut short is left out"
    assert found.baselines == ()
    assert "stopped before" in next(one.sentence for one in found.findings if one.name == "file_only")


def test_progress_is_told_at_each_solution_and_refit(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow classifier must not look like one that hangs: between two steps there is one solution at most."""
    solved = [0]

    def counted(*given: object) -> object:
        for one in path(*given):
            solved[0] += 1
            yield one

    path = classifier._path
    monkeypatch.setattr(classifier, "_path", counted)
    at: list[int] = []
    fractions: list[float] = []

    def follow(step: EvaluationStep) -> None:
        at.append(solved[0])
        fractions.append(step.fraction)

    spec = SPEC.model_copy(update={"splits": ("train_is_test", "content"), "seeds": 1})
    evaluate(table, spec, None, follow)
    # The refit to the true labels is not told of by itself.
    assert max(np.diff(at)) <= 2
    assert fractions == sorted(fractions)


def test_a_stop_between_refits_leaves_the_test_out(table: Table) -> None:
    def stop(at: EvaluationStep) -> None:
        if at.stage == "permute":
            raise StopRequested

    found = evaluate(table, SPEC.model_copy(update={"splits": ("train_is_test", "content"), "seeds": 1}), None, stop)
    assert found.stopped
    assert found.split("train_is_test").permutation is None


def test_stopping_at_once_still_gives_one_run(table: Table) -> None:
    def stop(at: EvaluationStep) -> None:
        raise StopRequested

    found = evaluate(table, SPEC, Doubler(), stop)
    assert [(one.name, len(one.runs)) for one in found.splits] == [("train_is_test", 1)]
    assert found.stopped
    assert [one.epoch for one in found.training] == [1]


def test_a_split_that_cannot_be_is_left_out_and_the_report_says_why(table: Table) -> None:
    one_style = table.take(np.flatnonzero((table.style == "") | (table.style == "s1")))
    found = evaluate(one_style, SPEC.model_copy(update={"splits": ("content", "style", "content_style", "generator")}), None, ignore)
    assert [one.name for one in found.splits] == ["content"]
    assert found.headline == "content"
    assert {one.split: one.why for one in found.left_out}["style"].endswith("Received 1.")
    assert {one.split for one in found.left_out} == {"style", "content_style", "generator"}


def test_an_experiment_that_cannot_be_is_refused(table: Table) -> None:
    one_style = table.take(np.flatnonzero((table.style == "") | (table.style == "s1")))
    with pytest.raises(InputError, match="styles out"):
        evaluate(one_style, SPEC.model_copy(update={"splits": ("style",)}), None, ignore)
    with pytest.raises(InputError, match=r"no embedding to classify\. Received 'embedding'"):
        evaluate(table, SPEC.model_copy(update={"classify": "embedding"}), None, ignore)
    with pytest.raises(InputError, match="Received 10 original, 0 stylised"):
        evaluate(table.take(np.flatnonzero(table.label == 0)), SPEC, None, ignore)


def test_a_split_too_small_to_learn_from_is_left_out_and_the_others_are_reported(table: Table) -> None:
    def learn(train: Table, watched: Table, seed: int, on_step: OnTrainStep) -> Embed:
        if len(train) < len(table):
            raise InputError("These pairs need more contents. Received: 1.")
        on_step(step(4))
        return lambda features: features

    spec = SPEC.model_copy(update={"splits": ("train_is_test", "content"), "permutations": 0})
    found = evaluate(table, spec, learn, ignore)
    assert [one.name for one in found.splits] == ["train_is_test"]
    assert [one.split for one in found.left_out] == ["content"] and "too small" in found.left_out[0].why
    with pytest.raises(InputError, match="more contents"):
        evaluate(table, spec.model_copy(update={"splits": ("content",)}), learn, ignore)
