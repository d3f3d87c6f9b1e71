"""The hypothesis without JavaScript: pictures in, a grid out. Network and painter are played, training is real."""

from __future__ import annotations

import gc
import io
import re
import weakref
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from app.core.hypothesis import HypothesisReport, HypothesisSpec
from app.imaging.decode import DecoderPool
from app.imaging.normalise import Decoded
from app.lab.hypotheses import MOST_STYLES
from app.web.hypothesis_form import FIELDS, HypothesisForm
from app.web.uploads import Upload
from tests.lab.conftest import png, zip_of
from tests.web.conftest import Studio
from tests.web.test_api_lab_datasets import wait
from tests.web.test_api_lab_experiments import Describer
from tests.web.test_lab_pages import error, text
from workers.style.engine import Engine
from workers.tasks import experiment

SMALL = {"seeds": "1", "rounds": "4", "resamples": "100", "copies": "1", "size": "64", "batch_size": "8"}


class Traced(Decoded):
    """Can be looked for after it should be gone, which one with slots cannot."""


class Painter:
    """Stands for the engine: content and style, half and half."""

    def facts(self) -> dict[str, Any]:
        return {"weights": {"played": "0" * 64}, "precision": "float32"}

    def instant(self, content: NDArray[np.uint8], style: NDArray[np.uint8], *_: object) -> NDArray[np.uint8]:
        mean = style.reshape(-1, 3).mean(axis=0)
        return ((content.astype(np.float32) + mean) / 2).astype(np.uint8)


def labelled(studio: Studio) -> io.BytesIO:
    """Two classes of eight pictures in one domain, and of four in another."""
    files = {}
    for place, (domain, count) in enumerate((("photo", 8), ("sketch", 4))):
        for klass in ("dog", "horse"):
            for number in range(count):
                files[f"{domain}/{klass}/{number}.png"] = png(1000 * place + 100 * (klass == "dog") + number)
    return zip_of(files)


def sent(studio: Studio) -> str:
    given = {"archive": ("animals.zip", labelled(studio).getvalue(), "application/zip")}
    posted = studio.client.post("/lab/datasets", files=given, data={"kind": "labelled"})
    assert posted.status_code == 303
    dataset_id: str = posted.headers["location"].split("/")[-1]
    wait(studio, dataset_id, "ready")
    return dataset_id


def try_out(studio: Studio) -> None:
    assert experiment.run(studio.runtime, Describer, lambda: cast(Engine, Painter()))


def test_from_folders_to_a_grid(studio: Studio) -> None:
    empty = studio.client.get("/lab/hypotheses/new").text
    assert "Zip file" in empty and 'action="/lab/hypotheses"' not in empty
    dataset_id = sent(studio)
    form = studio.client.get(f"/lab/hypotheses/new?dataset={dataset_id}").text
    parts = {part: re.findall(rf'name="{part}_sample" value="([\w-]+)" checked', form) for part in ("seen", "unseen")}
    assert not set(parts["seen"]) & set(parts["unseen"])
    assert len(parts["seen"]) + len(parts["unseen"]) == len(studio.services.samples.of("style"))

    styles = {f"{part}_sample": names[:2] for part, names in parts.items()}
    files = [("unseen", ("mine.png", png(77), "image/png"))]
    posted = studio.client.post("/lab/hypotheses", data={"dataset": dataset_id, **SMALL, **styles}, files=files)
    assert posted.status_code == 303, text(posted.text)
    address = posted.headers["location"]
    waiting = studio.client.get(address).text
    assert "Waiting for its turn" in waiting and 'http-equiv="refresh"' in waiting
    try_out(studio)
    done = studio.client.get(address).text
    assert 'http-equiv="refresh"' not in done and "mine.png" in done
    report = HypothesisReport.model_validate(studio.client.get(f"/api{address}/report.json").json())
    assert (report.train_domain, report.classes, len(report.cells)) == ("photo", ("dog", "horse"), 9)
    assert (len(report.seen), len(report.unseen)) == (2, 3)
    assert done.count('class="report-section"') >= len(report.trials) == 3
    assert report.conclusion[0] in text(done) and report.conclusion[0] in text(studio.client.get("/lab").text)
    for kind in ("html", "csv"):
        assert studio.client.get(f"/api{address}/report.{kind}").headers["content-disposition"].endswith(f'.{kind}"')

    # It is no experiment of original against stylised, and says so.
    study_id = address.split("/")[-1]
    assert studio.client.get(f"/lab/experiments/{study_id}").status_code == 409
    assert studio.client.get(f"/api/lab/hypotheses/{study_id}").json()["answer"] == report.conclusion[0]
    assert study_id not in studio.client.get("/lab/compare").text
    with studio.client.stream("GET", f"{address}/stream") as answer:
        assert re.findall(r"^event: (\w+)", "".join(answer.iter_text()), re.MULTILINE) == ["study", "ended"]
    lab = studio.client.get(studio.client.post(f"{address}/delete").headers["location"]).text
    assert "Deleted: Hypothesis: animals" in lab
    assert studio.client.post(f"{address}/restore").headers["location"] == address


def test_a_refused_study_names_its_fields_and_keeps_the_rest(studio: Studio) -> None:
    dataset_id = sent(studio)
    one, other = (sample.name for sample in studio.services.samples.of("style")[:2])
    fields = {"dataset": dataset_id, **SMALL, "seen_sample": [one, other], "unseen_sample": [one]}
    shared = studio.client.post("/lab/hypotheses", data=fields)
    assert shared.status_code == 422 and "Both parts have" in error(shared.text, "unseen")
    assert re.findall(r'name="seen_sample" value="([\w-]+)" checked', shared.text) == [one, other]
    wrong = studio.client.post("/lab/hypotheses", data={**fields, "unseen_sample": [], "rounds": "5", "size": "9"})
    assert wrong.status_code == 422
    assert "multiple of 2" in error(wrong.text, "rounds") and "64" in error(wrong.text, "size")
    alone = studio.client.post("/lab/hypotheses", data={**fields, "unseen_sample": []})
    assert alone.status_code == 422 and "at least one style that is unseen" in error(alone.text, "unseen")
    assert studio.client.post("/lab/hypotheses", data={**fields, "dataset": "0" * 32, "unseen_sample": []}).status_code == 422
    gone = studio.client.post("/lab/hypotheses", data={**SMALL, "dataset": "0" * 32})
    assert gone.status_code == 404 and "no such dataset" in error(gone.text, "dataset")


def test_a_broken_archive_is_told_where_it_was_chosen(studio: Studio) -> None:
    answer = studio.client.post("/lab/datasets", files={"archive": ("a.zip", b"PK no zip", "application/zip")}, data={"kind": "labelled"})
    assert answer.status_code == 422
    assert "not a whole zip file" in error(answer.text, "archive") and "Labelled pictures" in answer.text


def refused(studio: Studio, **fields: object) -> str:
    """The page after an archive of one class."""
    archive = zip_of({f"dog/{n}.png": png(n) for n in range(8)}).getvalue()
    files = {"archive": ("dogs.zip", archive, "application/zip")}
    answer = studio.client.post("/lab/datasets", files=files, data={"kind": "labelled", **fields})
    assert answer.status_code == 422
    return answer.text


def test_an_archive_of_one_class_is_refused_once_and_nothing_chosen_is_lost(studio: Studio) -> None:
    dataset_id = sent(studio)
    names = [sample.name for sample in studio.services.samples.of("style")]
    chosen = {"seen": names[3:5], "unseen": names[:1]}
    page = refused(studio, dataset=dataset_id, rounds="8", **{f"{part}_sample": ours for part, ours in chosen.items()})
    assert "at least two classes" in error(page, "archive") and error(page, "archive").endswith("Received one class: dog.")
    assert page.count("at least two classes") == 1
    for part, ours in chosen.items():
        assert sorted(re.findall(rf'name="{part}_sample" value="([\w-]+)" checked', page)) == sorted(ours)
    assert re.search(r'id="rounds"[^>]* value="8"', page)
    # Sent without JavaScript, the other form stands as it does at first.
    plain = refused(studio)
    assert re.findall(r'name="seen_sample" value="([\w-]+)" checked', plain) == names[::2]


def test_a_dataset_that_came_to_one_class_is_refused_in_the_form(studio: Studio) -> None:
    """The other class held nothing that could be read."""
    files = {**{f"dog/{n}.png": png(n) for n in range(8)}, "horse/0.png": b"no picture"}
    archive = {"archive": ("dogs.zip", zip_of(files).getvalue(), "application/zip")}
    dataset_id = studio.client.post("/lab/datasets", files=archive, data={"kind": "labelled"}).headers["location"].split("/")[-1]
    wait(studio, dataset_id, "ready")
    answer = studio.client.post("/lab/hypotheses", data={"dataset": dataset_id, **SMALL})
    assert answer.status_code == 422
    assert "Received one class: dog." in error(answer.text, "dataset")


def test_a_study_without_styles_takes_every_second_sample(studio: Studio) -> None:
    dataset_id = sent(studio)
    answer = studio.client.post("/api/lab/hypotheses", data={"dataset": dataset_id, **SMALL})
    assert answer.status_code == 202
    owner = studio.services.signer.read(studio.client.cookies["pentimento_owner"])
    styles = studio.services.hypotheses.study(str(owner), answer.json()["id"]).inputs["styles"]
    titles = [sample.title for sample in studio.services.samples.of("style")]
    assert [[one["name"] for one in styles[part]] for part in ("seen", "unseen")] == [titles[::2], titles[1::2]]


def styles(count: int, part: str = "seen") -> list[tuple[str, tuple[str, bytes, str]]]:
    return [(part, (f"{number}.png", png(number), "image/png")) for number in range(count)]


def test_no_style_is_opened_for_a_study_that_cannot_begin(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset_id = sent(studio)
    one = studio.services.samples.of("style")[0].name
    monkeypatch.setattr(Upload, "read", lambda _: pytest.fail("a style was read"))
    monkeypatch.setattr(DecoderPool, "decode", lambda *_, **__: pytest.fail("a style was opened"))

    def refused_at(status: int, place: str, count: int = 2, **fields: Any) -> str:
        given = {"dataset": dataset_id, **SMALL, "unseen_sample": [one], **fields}
        answer = studio.client.post("/lab/hypotheses", data=given, files=styles(count))
        assert answer.status_code == status
        return error(answer.text, place)

    assert "Choose a dataset" in refused_at(422, "dataset", dataset="")
    assert "no such dataset" in refused_at(404, "dataset", dataset="0" * 32)
    assert "multiple of 2" in refused_at(422, "rounds", rounds="5")
    assert "There is no sample" in refused_at(422, "unseen", unseen_sample=["no-such-sample"])
    said = f"at most {MOST_STYLES} styles, both parts together. Received: {MOST_STYLES + 1}."
    assert said in refused_at(422, "unseen", count=MOST_STYLES)
    answer = studio.client.post("/api/lab/hypotheses", data={"dataset": dataset_id, "unseen_sample": [one]}, files=styles(MOST_STYLES))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "unseen")


def test_styles_are_opened_and_stored_one_at_a_time(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many they are, there is one in memory."""
    dataset_id = sent(studio)
    alive: list[weakref.ref[Decoded]] = []
    most = 0
    decode = DecoderPool.decode

    def watched(self: DecoderPool, data: bytes, *, field: str | None = None, **given: float | None) -> Decoded:
        nonlocal most
        gc.collect()
        most = max(most, sum(one() is not None for one in alive))
        plain = decode(self, data, field=field, wait=60)
        opened = Traced(plain.width, plain.height, plain.png, plain.thumbnail_jpeg)
        alive.append(weakref.ref(opened))
        return opened

    monkeypatch.setattr(DecoderPool, "decode", watched)
    answer = studio.client.post(
        "/api/lab/hypotheses", data={"dataset": dataset_id, **SMALL}, files=[*styles(6), ("unseen", ("u.png", png(99), "image/png"))]
    )
    assert answer.status_code == 202
    assert len(alive) == 7 and most <= 1


def test_a_style_that_cannot_be_opened_leaves_nothing_behind(studio: Studio) -> None:
    dataset_id = sent(studio)
    before = {file.name for file in studio.services.blobs.files("jobs")}
    broken = [*styles(3), ("unseen", ("u.png", b"no picture", "image/png"))]
    answer = studio.client.post("/lab/hypotheses", data={"dataset": dataset_id, **SMALL}, files=broken)
    assert answer.status_code == 422 and error(answer.text, "unseen")
    assert {file.name for file in studio.services.blobs.files("jobs")} == before


def test_every_parameter_has_a_control_and_its_usual_value() -> None:
    options = {option.name: option for _, options in HypothesisForm().groups for option in options}
    assert sorted(options) == sorted(FIELDS)
    usual = HypothesisSpec()
    assert options["rounds"].value == str(usual.rounds) and options["features"].value == usual.features
    assert all(option.title and option.help for option in options.values())
