from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from app.core.report import METRICS, Figure, Group, Interval
from app.lab.comparison import compare
from app.lab.report_page import _environment, html
from app.lab.report_view import number, view
from tests.lab.reports import report

PARTIALS = sorted((Path(__file__).parents[2] / "templates" / "report").glob("_*.html"))
_VOID = {"meta", "input", "br"}


class Balanced(HTMLParser):
    """Follows which elements are open, and what stands in them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(page: str) -> Balanced:
    parsed = Balanced()
    parsed.feed(page)
    assert parsed.open == []
    return parsed


def test_the_page_needs_nothing_from_elsewhere() -> None:
    parsed = read(html(report(), title="My experiment"))
    tags = {tag for tag, _ in parsed.seen}
    assert not tags & {"script", "link", "img", "iframe", "object"}
    assert not [attributes for _, attributes in parsed.seen if {"src", "href", "style", "onclick"} & attributes.keys()]
    assert "url(" not in html(report(), title="My experiment")


def test_the_partials_obey_the_content_security_policy() -> None:
    for path in PARTIALS:
        text = path.read_text()
        assert "style=" not in text, path.name
        assert "<script" not in text, path.name
        assert text.startswith("{# Context: "), path.name


def test_every_split_is_on_the_page_with_its_switch_and_its_figures() -> None:
    found = report()
    page = html(found, title="My experiment")
    parsed = read(page)
    radios = {attributes["id"]: "checked" in attributes for tag, attributes in parsed.seen if tag == "input"}
    assert radios == {f"show-{split.name}": split.name == found.headline for split in found.splits}
    sections = [attributes["id"] for tag, attributes in parsed.seen if tag == "section" and "id" in attributes]
    assert sections == [f"split-{split.name}" for split in found.splits]
    style = (Path(__file__).parents[2] / "static" / "css" / "report.css").read_text()
    for split in found.splits:
        assert f"#show-{split.name}:checked) .report-split:not(#split-{split.name})" in style
        for metric in METRICS:
            value = split.test[metric].value
            assert value is None or f"<td>{value:.3f}</td>" in page
    assert f"AUROC {number(found.split(found.headline).test['auroc'].value)}" in page


def test_every_class_that_is_used_is_styled() -> None:
    sheets = "".join((Path(__file__).parents[2] / "static" / "css" / name).read_text() for name in ("base.css", "report.css"))
    styled = set(re.findall(r"\.([a-z][\w-]*)", sheets))
    used = {name for _, attributes in read(html(report(), title="T")).seen for name in (attributes.get("class") or "").split()}
    assert used - styled == set()


def test_what_visitors_named_is_escaped() -> None:
    found = report()
    evil = tuple(
        one.model_copy(update={"name": "<script>alert(1)</script>", "generator": one.generator and "<b>x"}) for one in found.pictures
    )
    page = html(found.model_copy(update={"pictures": evil}), title="<i>me")
    assert "<script" not in page
    assert "<b>x" not in page
    assert "&lt;i&gt;me" in page


def test_a_perfect_figure_says_how_little_that_may_mean() -> None:
    found = report()
    headline = found.split(found.headline)
    perfect = {**headline.test, "auroc": Figure(value=1.0, interval=Interval(low=0.398, high=1.0, method="clopper_pearson"))}
    splits = tuple(one.model_copy(update={"test": perfect}) if one is headline else one for one in found.splits)
    shown = view(found.model_copy(update={"splits": splits}))
    assert "AUROC 1.000 (above 0.398 with 95 % confidence" in shown.lead[0]
    row = next(row for split in shown.splits if split.is_headline for row in split.rows if row.title == "AUROC")
    assert row.interval == "0.398–1.000†"


@pytest.mark.parametrize(("low", "said"), [(0.3, "cannot be told apart from chance"), (0.6, "are told apart with AUROC 0.700")])
def test_chance_is_called_chance(low: float, said: str) -> None:
    found = report()
    headline = found.split(found.headline)
    weak = {**headline.test, "auroc": Figure(value=0.7, interval=Interval(low=low, high=0.9, method="bootstrap"))}
    splits = tuple(one.model_copy(update={"test": weak}) if one is headline else one for one in found.splits)
    shuffled = found.spec.model_copy(update={"shuffle_labels": True})
    lead = view(found.model_copy(update={"splits": splits, "spec": shuffled})).lead
    assert said in lead[0]
    assert ("as it should be" if low < 0.5 else "this is not chance") in lead[1]


def test_a_collapse_and_an_early_end_are_told() -> None:
    assert "The embeddings collapsed" in html(report(), title="T")
    assert "Stopped early" not in html(report(), title="T")
    assert "Stopped early" in html(report().model_copy(update={"stopped": True}), title="T")


def test_a_report_of_a_single_run_without_training_is_shown_too() -> None:
    whole = report()
    (split,) = (one for one in whole.splits if one.name == "train_is_test")
    bare = whole.model_copy(
        update={
            "splits": (
                split.model_copy(update={"permutation": None, "styles": (), "generators": (), "worst_style": None, "reliability": ()}),
            ),
            "headline": "train_is_test",
            "baselines": (),
            "map": None,
            "training": (),
        }
    )
    page = html(bare, title="T")
    read(page)
    assert "Along the training" not in page
    assert "On the very pictures it was trained on" in page
    assert view(bare).training == ()


def test_a_comparison_says_what_is_better() -> None:
    first, second = report(signal=1.0), report(signal=3.0)
    page = _environment().get_template("report/_comparison.html").render(comparison=compare(first, second), first="Weak", second="Strong")
    read(page)
    assert "Strong is" in page
    assert '<td class="is-better">better</td>' in page
    unpaired = (
        _environment().get_template("report/_comparison.html").render(comparison=compare(first, report(contents=8)), first="A", second="B")
    )
    assert "not tested" in unpaired


@pytest.mark.parametrize(
    ("pictures", "recall", "said"),
    [
        (2, 0.0, "none of its 2 tested pictures is found."),
        (3, 1 / 3, "1 of its 3 tested pictures is found."),
        (19, 18 / 19, "18 of its 19 tested pictures are found."),
        (20, 0.5, "50% of its pictures are found."),
    ],
)
def test_few_pictures_are_counted(pictures: int, recall: float, said: str) -> None:
    found = report()
    splits = tuple(
        one.model_copy(update={"styles": (Group(name="night", pictures=pictures, recall=recall),), "worst_style": "night"})
        for one in found.splits
    )
    assert view(found.model_copy(update={"splits": splits})).lead[-1] == f"The style missed most often is night: {said}"


def test_facts_are_in_the_words_of_the_form_and_say_what_the_classifier_does_not_see() -> None:
    found = report()
    facts = dict(view(found).facts)
    assert facts["Contrastive stage"] == "NT-Xent (SimCLR); pairs: A content and its stylised version; 100 epochs"
    assert facts["Classifier"] == "Logistic regression"
    assert facts["It sees"] == "The features; the contrastive stage does not affect the classifier"
    assert "this stage does not affect it" in html(found, title="x")
    both = found.model_copy(update={"spec": found.spec.model_copy(update={"classify": "both"})})
    assert dict(view(both).facts)["It sees"] == "Both side by side"
    assert "this stage does not affect it" not in html(both, title="x")
