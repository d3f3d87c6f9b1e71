"""The sliders of a picture that is being painted, without a script: what is moved counts, on whichever page."""

from __future__ import annotations

import re
from typing import Any

import pytest

from app.core.specs import STYLE_LAYERS, StyleParams
from app.core.steering import STEERABLE
from app.web import balance
from tests.web.conftest import Studio, picture, two_pictures


def drawn(studio: Studio, job_id: str) -> dict[str, str]:
    """Return the sliders as the page has them: what its form sends where nothing is moved."""
    form = studio.client.get(f"/jobs/{job_id}").text.partition('<form id="balance"')[2].partition("</form>")[0]
    return dict(re.findall(r'name="([a-z0-9_]+)" type="(?:range|hidden)"[^>]* value="([^"]*)"', form))


def changed(studio: Studio, job_id: str, fields: dict[str, str]) -> dict[str, Any]:
    """Return the job after its sliders were sent."""
    assert studio.client.post(f"/jobs/{job_id}/change", data=fields).status_code == 303
    job: dict[str, Any] = studio.client.get(f"/api/jobs/{job_id}").json()
    return job


def test_sliders_without_a_script_change_what_was_moved(studio: Studio) -> None:
    job_id = studio.submit(content_weight=0.3)
    page = drawn(studio, job_id)
    # The content weight's slider cannot stand exactly at 0.3: left alone it changes nothing.
    assert (page["strength"], page["content_weight"], page["content_weight_was"]) == ("0", "-1.75", "-1.75")
    params = changed(studio, job_id, {**page, "strength": "1.5"})["params"]
    assert (params["strength"], params["content_weight"]) == (pytest.approx(2**1.5, abs=1e-3), 0.3)
    for wrong in ({"strength": "9"}, {"strength": "-4.25"}, {"strength": "much"}, {"strength": "1", "strength_was": "much"}):
        assert studio.client.post(f"/jobs/{job_id}/change", data=wrong).status_code == 422


def test_a_stale_page_changes_only_what_is_moved_on_it(studio: Studio) -> None:
    job_id = studio.submit()
    stale = drawn(studio, job_id)
    changed(studio, job_id, {**stale, "strength": "1"})
    params = changed(studio, job_id, {**stale, "content_weight": "2"})["params"]
    assert (params["strength"], params["content_weight"]) == (2.0, 4.0)
    for what in ("pause", "resume"):
        assert studio.client.post(f"/jobs/{job_id}/{what}").status_code == 303
    page = drawn(studio, job_id)
    assert (page["strength"], page["strength_was"], page["content_weight"], page["content_weight_was"]) == ("1", "1", "2", "2")


def test_a_slider_for_each_of_several_paintings_and_for_each_layer(studio: Studio) -> None:
    alone = drawn(studio, studio.submit())
    assert [name for name in alone if not name.endswith("_was")] == [*STEERABLE[:1], "content_weight", *STEERABLE[2:]]
    night = ("night.png", picture(colour=(10, 20, 200)), "image/png")
    files = {**two_pictures(), "style3": night}
    job_id = studio.client.post("/api/jobs", files=files, data={"style_weight": "30", "style3_weight": "10"}).json()["id"]
    text = studio.client.get(f"/jobs/{job_id}").text
    assert all(said in text for said in ("75 %</output>", "25 %</output>", f"/api/jobs/{job_id}/pictures/style3-small.jpg", "night.png"))
    page = drawn(studio, job_id)
    assert (page["style_weight"], page["style3_weight"]) == ("30", "10")
    job = changed(studio, job_id, {**page, "style3_weight": "60", "style_relu4_1": "-1", "tv": "3"})
    assert [job["inputs"][role]["weight"] for role in ("style", "style3")] == [30.0, 60.0]
    assert (job["params"]["style_relu4_1"], job["params"]["tv"], job["params"]["strength"]) == (0.5, 8.0, 1.0)
    # Of an older page the other painting stays as it is.
    job = changed(studio, job_id, {**page, "style_weight": "45"})
    assert [job["inputs"][role]["weight"] for role in ("style", "style3")] == [45.0, 60.0]
    assert studio.client.post(f"/jobs/{job_id}/change", data={"style_weight": "0"}).status_code == 422


def test_what_may_be_nothing_is_so_at_the_left_end(studio: Studio) -> None:
    job_id = studio.submit(content_weight=0)
    page = drawn(studio, job_id)
    left = page["content_weight"]
    assert (left, page["tv"]) == ("-4.25", "-4.25")
    assert studio.client.get(f"/jobs/{job_id}").text.count("Far left: off.") == len(STEERABLE) - 1, "all but the strength"
    assert changed(studio, job_id, {**page, "content_weight": "0"})["params"]["content_weight"] == 1.0
    job = changed(studio, job_id, {**drawn(studio, job_id), "content_weight": left, "style_relu1_1": left})
    assert (job["params"]["content_weight"], job["params"]["style_relu1_1"]) == (0.0, 0.0)
    rest = {f"style_{layer}": left for layer in STYLE_LAYERS}
    refused = studio.client.post(f"/jobs/{job_id}/change", data={**drawn(studio, job_id), **rest})
    assert (refused.status_code, "nothing is left to paint" in refused.text) == (422, True)


def test_positions_are_powers_of_two_in_quarter_steps_within_what_a_parameter_takes() -> None:
    def at(**values: float) -> list[float]:
        return [one.position for name in values for one in balance.parameters(StyleParams(**values), [name])]

    assert [at(content_weight=value) for value in (1, 2, 0.5, 0.3, 100, 0.001, 0)] == [[0], [1], [-1], [-1.75], [6.5], [-4], [-4.25]]
    assert at(strength=20, style_relu1_1=10, tv=100) == [4.25, 3.25, 6.5]
    assert at(strength=0.05) == [-4]
    for slider in balance.parameters(StyleParams(), STEERABLE):
        StyleParams.model_validate({slider.name: 2.0**slider.most})
