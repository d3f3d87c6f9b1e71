"""One function from a table of pictures to a report that can be believed."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from app.core.errors import InputError
from app.core.experiments import (
    HEADLINE,
    SPLITS,
    EvaluationStage,
    EvaluationStep,
    ExperimentSpec,
    OnEvaluationStep,
    SplitName,
    TrainStep,
)
from app.core.progress import StopRequested
from app.core.report import Baseline, Finding, LeftOut, Map, Permutation, Picture, Report
from workers.verdict import baselines, leakage, permutation
from workers.verdict.classifier import SOLVED, fit
from workers.verdict.intervals import Resampler
from workers.verdict.learner import Learner
from workers.verdict.parts import Scored, figures, measured
from workers.verdict.plane import plane
from workers.verdict.runs import Made, Plan, inputs, make, standardised
from workers.verdict.splits import split
from workers.verdict.summary import split_report
from workers.verdict.table import FILE, Table, check

# Which split the report is judged by, of those measured.
_STRICTEST: tuple[SplitName, ...] = (HEADLINE, "content", "generator", "style", "random", "train_is_test")
# Fitting again for each swap is slow, and this many show whether the figure means anything.
_REFITS = 50
# What the steps cost, in fits of the classifier, for the share of the work that is done.
_LEARN, _FIT, _BASELINES, _REFIT, _SUMMARY = 4.0, 1.0, 1.0, 2.0, 0.3


def evaluate(table: Table, spec: ExperimentSpec, learn: Learner | None, on_progress: OnEvaluationStep) -> Report:
    """Measure an experiment on all its splits and seeds.

    Args:
        table: pictures with features; its optional columns bring further checks and baselines.
        spec: what to measure.
        learn: the contrastive stage; None leaves it out.
        on_progress: told of each step; may raise StopRequested, and then what is finished is
            reported, at least one run.

    Returns:
        The report. A split that the pictures do not allow is left out, and the report says why.

    Raises:
        InputError: the table is unfit, see ``table.check``; no split is possible; or the classifier
            is to see an embedding and nothing learns one.
    """
    check(table)
    if learn is None and spec.classify != "features":
        raise InputError(f"Without a contrastive stage there is no embedding to classify. Received {spec.classify!r}.", field="classify")
    began = time.monotonic()
    given = table
    (contents, of_contents), (styles, of_styles) = leakage.merged_contents(given), leakage.merged_styles(given)
    twins = [one for one in (of_contents, of_styles) if one]
    named = _dealt(given, spec)
    table = _dealt(replace(given, content=contents, style=styles), spec)
    plans, left_out = _plans(table, spec, learned=learn is not None)
    teller = _Teller(on_progress, _cost(plans, learned=learn is not None))
    resampler = Resampler(table.content, table.style, spec.resamples)

    made: list[Made] = []
    for plan in plans:
        if any(one.split == plan.split for one in left_out):
            continue
        try:
            run = _run(table, spec, plan, learn, teller)
        except InputError as error:
            # Its training part holds too little to learn from: the other splits still have their say.
            left_out.append(
                LeftOut(split=plan.split, why=f"Its training part of {len(plan.fold.train)} pictures is too small. {error.message}")
            )
            made = [one for one in made if one.plan.split != plan.split]
            if len({one.split for one in plans}) == len(left_out):
                raise
            continue
        # What is half learnt is not reported beside whole runs.
        if teller.cut_short and made:
            break
        made.append(run)
        if teller.stopping:
            break
    left_out.sort(key=lambda one: list(SPLITS).index(one.split))
    measured_splits = {one.plan.split for one in made}
    headline = next(name for name in _STRICTEST if name in measured_splits)
    strict = [one for one in made if one.plan.split == headline]

    simple = [] if teller.stopping else _baselines(table, spec, strict, resampler, teller)
    splits = []
    for name in SPLITS:
        if runs := [one for one in made if one.plan.split == name]:
            splits.append(split_report(table, runs, resampler, _permutation(table, spec, runs, teller)))
            teller.tell("permute", runs[0].plan, cost=_SUMMARY * len(runs) + (_REFIT if name == "train_is_test" else 0))
    report = Report(
        spec=spec,
        pictures=_pictures(named),
        features=table.features.shape[1],
        fingerprint=given.fingerprint_of_rows,
        headline=headline,
        splits=tuple(splits),
        left_out=tuple(left_out),
        baselines=tuple(one for one in simple if one.name != "file_only"),
        findings=(),
        map=_map(table, strict[0]),
        training=tuple(strict[0].history),
        stopped=teller.stopping,
        seconds=round(time.monotonic() - began, 3),
    )
    teller.tell("finish", strict[0].plan, done=True)
    return report.model_copy(update={"findings": _findings(table, spec, made, report, simple, twins)})


class _Teller:
    """Counts what is done, tells the caller, and remembers a wish to stop."""

    def __init__(self, on_progress: OnEvaluationStep, total: float) -> None:
        self._on_progress, self._total, self._done = on_progress, total, 0.0
        self.stopping = False
        # The stop came while a run was still learning.
        self.cut_short = False

    def tell(
        self,
        stage: EvaluationStage,
        plan: Plan,
        *,
        cost: float = 0.0,
        part: float = 0.0,
        train: TrainStep | None = None,
        done: bool = False,
    ) -> None:
        """Report; ``cost`` is done now, ``part`` is under way."""
        self._done += cost
        fraction = 1.0 if done else min((self._done + part) / self._total, 1.0)
        try:
            self._on_progress(EvaluationStep(stage, plan.split, plan.seed, plan.fold.held_out, fraction, train))
        except StopRequested:
            self.stopping = True


def _run(table: Table, spec: ExperimentSpec, plan: Plan, learn: Learner | None, teller: _Teller) -> Made:
    def on_step(step: TrainStep) -> None:
        teller.tell("train", plan, part=_LEARN * step.epoch / step.epochs, train=step)
        if teller.stopping:
            teller.cut_short = step.epoch < step.epochs
            raise StopRequested

    solved = itertools.count(1)

    def on_solved() -> None:
        teller.tell("classify", plan, part=_FIT * min(next(solved) / SOLVED, 1))

    made = make(table, spec, plan, learn, on_step, lambda: teller.tell("classify", plan, cost=_LEARN if learn else 0), on_solved)
    teller.tell("classify", plan, cost=_FIT)
    return made


def _plans(table: Table, spec: ExperimentSpec, *, learned: bool) -> tuple[list[Plan], list[LeftOut]]:
    """Return all runs, seed by seed so that an early end has every split; and the splits that cannot be."""
    plans: list[tuple[int, Plan]] = []
    left_out = []
    errors: list[InputError] = []
    for name in dict.fromkeys(spec.splits):
        # Without a contrastive stage, training on everything is the same each time.
        seeds = 1 if name == "train_is_test" and not learned else spec.seeds
        try:
            folds = [(number, fold) for number in range(seeds) for fold in split(table, name, spec.test_share, spec.seed + number)]
        except InputError as error:
            errors.append(error)
            left_out.append(LeftOut(split=name, why=error.message))
            continue
        plans.extend((number, Plan(name, spec.seed + number, fold)) for number, fold in folds)
    if not plans:
        raise errors[0]
    return [plan for _, plan in sorted(plans, key=lambda one: one[0])], left_out


def _cost(plans: Sequence[Plan], *, learned: bool) -> float:
    splits = [plan.split for plan in plans]
    headline = next(name for name in _STRICTEST if name in splits)
    runs = len(plans) * (_FIT + _SUMMARY + (_LEARN if learned else 0))
    return runs + _BASELINES * splits.count(headline) + (_REFIT if "train_is_test" in splits else 0)


def _dealt(table: Table, spec: ExperimentSpec) -> Table:
    """Return the table as it is, or with label, style and generator given to the pictures at random."""
    if not spec.shuffle_labels:
        return table
    order = np.random.default_rng([spec.seed, 1]).permutation(len(table))
    return replace(table, label=table.label[order], style=table.style[order], generator=table.generator[order])


def _permutation(table: Table, spec: ExperimentSpec, runs: Sequence[Made], teller: _Teller) -> Permutation | None:
    if not spec.permutations:
        return None
    first = runs[0]
    if first.plan.split != "train_is_test":
        scores = [(one.test.rows, one.test.probability) for one in runs]
        return permutation.on_scores(table.label, table.content, scores, spec.permutations, spec.seed)
    if teller.stopping:
        return None
    seen = inputs(spec, first.learned)(table.features)
    swaps = min(spec.permutations, _REFITS)
    done = itertools.count(1)

    def on_refit() -> None:
        teller.tell("permute", first.plan, part=_REFIT * next(done) / swaps)
        if teller.stopping:
            raise StopRequested

    kind, regularisation = spec.classifier, first.classifier.regularisation
    try:
        return permutation.on_refits(seen, table.label, table.content, kind, regularisation, swaps, spec.seed, on_refit)
    except StopRequested:
        return None


def _baselines(table: Table, spec: ExperimentSpec, runs: Sequence[Made], resampler: Resampler, teller: _Teller) -> list[Baseline]:
    """Return the baselines on the folds of the given runs."""
    described = {"histogram": table.histogram, "pooled": baselines.pooled(table, spec), "file_only": baselines.file_features(table)}
    scored: dict[str, list[Scored]] = {name: [] for name in baselines.TITLES}
    for run in runs:
        fold, seed = run.plan.fold, run.plan.seed
        teller.tell("baselines", run.plan, cost=_BASELINES)
        if teller.stopping:
            return []
        mostly = float(table.label[fold.train].mean())
        scored["majority"].append(Scored(fold.test, np.full(len(fold.test), mostly), np.full(len(fold.test), mostly >= 0.5)))
        parts = {name: (columns[fold.train], columns[fold.test]) for name, columns in described.items() if columns is not None}
        head = baselines.untrained_head(table.features.shape[1], spec, seed)
        train, test = standardised(table, fold)
        parts["untrained"] = head(train), head(test)
        told = partial(teller.tell, "baselines", run.plan)
        for name, (fitted, tested) in parts.items():
            classifier = fit(fitted, table.label[fold.train], table.content[fold.train], "logistic", seed, on_solved=told)
            probability = classifier.probability(tested)
            scored[name].append(Scored(fold.test, probability, probability >= classifier.threshold))
    return [
        Baseline(
            name=name,
            title=title,
            help=words,
            figures=figures(table, [measured(table, one, resampler) for one in scored[name]], resampler)[0],
        )
        for name, (title, words) in baselines.TITLES.items()
        if scored[name]
    ]


def _findings(
    table: Table, spec: ExperimentSpec, made: Sequence[Made], report: Report, simple: Sequence[Baseline], twins: Sequence[Finding]
) -> tuple[Finding, ...]:
    folds = {name: [one.plan.fold for one in made if one.plan.split == name] for name in SPLITS}
    outside = next((one.figures["auroc"] for one in simple if one.name == "file_only"), None)
    columns = 0 if table.file is None else min(table.file.shape[1], len(FILE))
    found = [leakage.file_only(outside, columns, stopped=report.stopped), *twins]
    found.extend(leakage.shared(table, {name: runs for name, runs in folds.items() if runs}))
    if few := leakage.few_styles(table, folds[report.headline]):
        found.append(few)
    if spec.shuffle_labels:
        found.append(leakage.shuffled(report.split(report.headline).test["auroc"]))
    return tuple(found)


def _map(table: Table, made: Made) -> Map | None:
    shown = "embeddings of the contrastive stage" if made.learned else "standardised features"
    return plane(table, made.test.rows, made.embedding, shown, made.plan.seed)


def _pictures(table: Table) -> tuple[Picture, ...]:
    rows = zip(table.name, table.label, table.content, table.style, table.generator, strict=True)
    return tuple(
        Picture(name=str(name), label=1 if label else 0, content=str(content), style=str(style), generator=str(generator))
        for name, label, content, style, generator in rows
    )
