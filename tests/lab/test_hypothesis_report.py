"""The hypothesis's words, page and files, on a report made by hand."""

from __future__ import annotations

import csv
import io
from html.parser import HTMLParser

import pytest

from app.core.hypothesis import (
    AUGMENTATIONS,
    CONTRASTS,
    Budget,
    Cell,
    Effect,
    HypothesisReport,
    HypothesisSpec,
    Outcome,
    Result,
    Trial,
)
from app.core.report import Figure, Interval
from app.lab import hypothesis_files
from app.lab.hypothesis_page import html
from app.lab.hypothesis_view import signed, view
from workers.study.conclusion import conclude
from workers.study.differences import outcome

TRIALS = (
    Trial(name="clean", kind="clean", title="Clean pictures of photo", pictures=60, styles=0),
    Trial(name="stylised", kind="stylised", title="The same in unseen styles", pictures=60, styles=9),
)
# What style transfer with a contrastive stage does, by trial: difference, lowest, highest.
Gains = dict[str, tuple[float, float, float]]
HELPS: Gains = {"clean": (0.001, -0.02, 0.022), "stylised": (0.08, 0.05, 0.11)}
NOTHING: Gains = {"clean": (0.001, -0.02, 0.022), "stylised": (-0.01, -0.05, 0.03)}
HARMS: Gains = {"clean": (-0.03, -0.05, -0.01), "stylised": (-0.01, -0.05, 0.03)}


def figure(value: float, low: float, high: float) -> Figure:
    return Figure(value=value, interval=Interval(low=low, high=high))


def result(trial: str, gained: Figure) -> Result:
    value = 0.7 + (gained.value or 0)
    own = figure(value, value - 0.05, value + 0.05)
    return Result(
        trial=trial,
        accuracy=own,
        balanced=own,
        difference=gained,
        balanced_difference=gained,
        outcome=outcome(gained, 10),
        runs=(value, value),
    )


def report(gains: Gains) -> HypothesisReport:
    """A report in which only style transfer with a contrastive stage differs from nothing."""
    cells, effects = [], []
    for row in AUGMENTATIONS:
        for column in CONTRASTS:
            together = row == "style" and column != "none"
            results = tuple(result(one.name, figure(*gains[one.name]) if together else figure(0, 0, 0)) for one in TRIALS)
            rank = None if column == "none" else 40.0
            cells.append(Cell(augmentation=row, contrast=column, results=results, training=1, effective_rank=rank, collapsed=0))
    for trial in TRIALS:
        gained = figure(*gains[trial.name])
        told = {"trial": trial.name, "difference": gained, "balanced_difference": gained, "outcome": outcome(gained, 10)}
        effects.append(Effect(side="augmentation", changed="style", against="none", **told))
        effects.append(Effect(side="contrast_with_style", changed="supcon", against="none", **told))
    return HypothesisReport(
        spec=HypothesisSpec(),
        train_domain="photo",
        classes=("cat", "=dog"),
        seen=("a", "b"),
        unseen=("c",),
        budget=Budget(fitted=40, validated=12, tested=20, steps=400, vectors=8000, batch=20),
        trials=TRIALS,
        cells=tuple(cells),
        effects=tuple(effects),
        notes=("A note with <b>marks</b>.",),
        conclusion=conclude(cells, effects, TRIALS),
        seeds=(0, 1),
        stopped=False,
        seconds=90,
    )


@pytest.mark.parametrize(
    ("gains", "words"),
    [
        (HELPS, "improves classification in some respects, and harms in none that can be told, on these pictures."),
        (NOTHING, "cannot be told from no effect on these pictures."),
        (HARMS, "a gain can be told nowhere, and in some respects it harms."),
        (HELPS | {"clean": HARMS["clean"]}, "helps in some respects and harms in others on these pictures."),
        ({"clean": HELPS["stylised"], "stylised": HELPS["stylised"]}, "improves classification wherever it was tested on these pictures."),
    ],
)
def test_the_answer_is_what_the_intervals_allow(gains: Gains, words: str) -> None:
    assert report(gains).conclusion[0].endswith(words)


def test_the_conclusion_is_short_and_names_figures_with_their_intervals() -> None:
    assert report(HELPS).conclusion[1:] == (
        "Beside training with neither, the largest gain is +8.0 points (+5.0 to +11.0) with NT-Xent on unseen styles.",
        "By themselves, on average over the grid: style transfer is better on unseen styles.",
    )
    assert report(HELPS | {"clean": HARMS["clean"]}).conclusion[1] == (
        "Beside training with neither, the largest gain is +8.0 points (+5.0 to +11.0) with NT-Xent on unseen styles, "
        "and the largest loss is −3.0 points (−5.0 to −1.0) with NT-Xent on clean pictures."
    )
    assert report(NOTHING).conclusion[1:] == (
        "None of its 4 differences to training with neither can be told from chance.",
        "By themselves, on average over the grid: style transfer cannot be told from no effect.",
    )


def test_older_reports_are_shown_short() -> None:
    made = report(HELPS).model_copy(update={"conclusion": tuple(f"Sentence {n}." for n in range(9))})
    shown = view(made)
    assert (shown.answer, shown.conclusion) == ("Sentence 0.", ("Sentence 1.", "Sentence 2."))


def _few(cell: Cell) -> Cell:
    return cell.model_copy(update={"results": tuple(one.model_copy(update={"differing": 5, "outcome": "unclear"}) for one in cell.results)})


def test_no_interval_where_too_few_pictures_differ() -> None:
    made = report(HELPS)

    def differing(count: int | None) -> tuple[tuple[str, str], list[str], str]:
        cells = [
            one.model_copy(update={"results": tuple(each.model_copy(update={"differing": count}) for each in one.results)})
            for one in made.cells
        ]
        shown = made.model_copy(
            update={"cells": tuple(cells), "effects": tuple(one.model_copy(update={"differing": count}) for one in made.effects)}
        )
        cell = view(shown).trials[1].rows[2].cells[1]
        effect = view(shown).trials[1].effects[0]
        rows = csv.DictReader(io.StringIO(hypothesis_files.grid_csv(shown).decode()))
        return (
            (cell.difference, cell.words),
            [effect.difference, effect.words],
            next(one["differing"] for one in rows if one["part"] == "effect"),
        )

    assert differing(6) == (("+8.0 (+5.0 to +11.0)", "better"), ["+8.0 (+5.0 to +11.0)", "better"], "6")
    assert differing(5) == (("+8.0", "too few pictures differ (5)"), ["+8.0", "too few pictures differ (5)"], "5")
    few = made.model_copy(update={"cells": tuple(_few(one) for one in made.cells)})
    assert html(few, title="Cats").count("too few pictures differ (5)") == 16, "each cell but the one that the others are compared with"
    assert differing(0)[0] == ("+8.0", "no picture differs")
    # Older reports do not know.
    assert differing(None) == (("+8.0 (+5.0 to +11.0)", "better"), ["+8.0 (+5.0 to +11.0)", "better"], "")


def test_the_grid_comes_before_how_it_was_done_and_the_rule_stands_beside_the_intervals() -> None:
    page = html(report(HELPS), title="Cats")
    assert page.index('class="report-grid"') < page.index("Trained on") < page.index("How it was done") + 200
    for trial in page.split('class="report-section"')[1:3]:
        assert trial.index("at least 6 pictures are answered differently") < trial.index("<table")
    # Eight cells beside the first, on two trials.
    assert "has 16 differences" in page and "about 1 of them" in page


@pytest.mark.parametrize(("share", "words"), [(0.0004, "0.0"), (-0.0004, "0.0"), (0.0126, "+1.3"), (-0.2, "−20.0")])
def test_points_have_a_sign_unless_they_are_none(share: float, words: str) -> None:
    assert signed(share) == words


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())


def test_the_page_stands_alone_and_shows_every_cell() -> None:
    page = Reader()
    page.feed(html(report(HELPS), title="Cats & dogs"))
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe"}
    assert not [one for _, one in page.tags if {"src", "href", "style"} & one.keys()]
    assert [tag for tag, _ in page.tags].count("table") == 4
    assert "Cats & dogs" in page.words and "A note with <b>marks</b>." in page.words
    cells = [one["class"] for tag, one in page.tags if tag == "td" and (one.get("class") or "").startswith("shade-")]
    assert len(cells) == 18
    # The darkest are the two that gain on unseen styles; on clean pictures nothing differs by more than noise.
    assert cells[:9] == ["shade-0"] * 9
    assert [place for place, one in enumerate(cells[9:]) if one == "shade-4"] == [7, 8]
    # Two cells, and two effects below them.
    assert page.words.count("better") == 4


def test_the_view_says_what_the_others_are_compared_with() -> None:
    seen = view(report(HELPS))
    assert seen.trials[0].rows[0].cells[0].difference == "what the others are compared with"
    assert seen.trials[1].rows[2].cells[1].difference == "+8.0 (+5.0 to +11.0)"
    assert seen.trials[1].effects[1].title == "SupCon against no contrastive stage, with style transfer"
    assert "400 optimiser steps that see 8,000 feature vectors" in seen.budget


def test_files_give_everything_back() -> None:
    made = report(HARMS)
    assert hypothesis_files.from_json(hypothesis_files.to_json(made)) == made
    rows = list(csv.DictReader(io.StringIO(hypothesis_files.grid_csv(made).decode())))
    assert len(rows) == 9 * 2 * 4 + 4 * 2
    [row] = [
        one
        for one in rows
        if (one["part"], one["trial"], one["augmentation"], one["contrast"], one["metric"])
        == ("difference", "clean", "style", "supcon", "accuracy")
    ]
    assert (row["value"], row["low"], row["high"], row["outcome"]) == ("-0.03", "-0.05", "-0.01", "worse")
    assert {(one["augmentation"], one["contrast"]) for one in rows if one["part"] == "effect"} == {("style", ""), ("style", "supcon")}


def test_a_missing_result_is_no_result() -> None:
    made = report(NOTHING)
    expected: Outcome = "unclear"
    assert made.result("style", "supcon", "stylised").outcome == expected
    with pytest.raises(KeyError):
        made.result("style", "supcon", "domain:art")
