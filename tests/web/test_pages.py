"""The page without JavaScript: every step a plain form and a plain answer."""

from __future__ import annotations

import dataclasses
import re

import pytest

from app.core.commission import Commission
from app.core.errors import EngineError
from app.core.progress import OnProgress
from app.core.specs import PRESETS, StyleParams
from app.web.form import FormState, changes, values_of
from tests.web.conftest import Studio, picture, two_pictures
from workers.runtime.stylizing import Outcome


def field(page: str, name: str) -> str:
    found = re.search(rf'<input id="{name}"[^>]* value="([^"]*)"', page)
    assert found, name
    return found[1]


def error(page: str, name: str) -> str:
    found = re.search(rf'id="{name}-error"[^>]*>([^<]*)<', page)
    assert found, name
    return found[1].strip()


def test_from_the_form_to_the_picture_and_back(studio: Studio) -> None:
    page = studio.client.get("/")
    assert page.status_code == 200
    posted = studio.client.post("/jobs", files=two_pictures(), data={"preset": "default", "shown_preset": "default", "size": "96"})
    assert posted.status_code == 303
    job_page = studio.client.get(posted.headers["location"]).text
    assert "Waiting for its turn" in job_page
    assert re.search(r'<noscript><meta http-equiv="refresh"', job_page)
    studio.work()
    done = studio.client.get(posted.headers["location"]).text
    assert "Download PNG" in done and "compare-range" in done
    assert not re.search(r'sse-connect="/jobs/', done) and 'http-equiv="refresh"' not in done
    assert "b" * 64 in done  # the receipt names the weights
    again = studio.client.get(re.search(r'href="(/\?from=[^"#]+)', done)[1]).text  # type: ignore[index]
    assert field(again, "size") == "96"
    assert re.search(r'name="content_kept" value="[0-9a-f]{32}"', again)
    deleted = studio.client.post(f"{posted.headers['location']}/delete")
    assert deleted.status_code == 303
    history = studio.client.get(deleted.headers["location"]).text
    assert "Deleted: harbour.png" in history and "Nothing painted yet" in history
    restored = studio.client.post(f"{posted.headers['location']}/restore")
    assert studio.client.get(restored.headers["location"]).status_code == 200
    assert "harbour.png × waves.jpg" in studio.client.get("/history").text


def test_errors_stand_at_their_fields_and_the_rest_is_kept(studio: Studio) -> None:
    sample = studio.services.samples.of("style")[1].name
    answer = studio.client.post(
        "/jobs",
        files={"content": ("a.txt", b"text", "text/plain")},
        data={"preset": "paper", "shown_preset": "paper", "style_sample": sample, "size": "9", "seed": "77"},
    )
    assert answer.status_code == 422
    page = answer.text
    assert error(page, "content") and error(page, "size") and not error(page, "style") and not error(page, "seed")
    assert field(page, "size") == "9" and field(page, "seed") == "77"
    assert re.search(rf'value="{sample}"[^>]* checked', page)
    assert re.search(r'value="paper"[^>]* checked', page)
    assert re.search(r'<details class="fold options" open>', page)
    assert re.search(r'id="size"[^>]*aria-describedby="size-help size-error" aria-invalid="true"', page)


def test_a_refused_page_says_so_before_anything_else_and_leads_to_each_field(studio: Studio) -> None:
    page = studio.client.post("/jobs", files={"style": ("a.txt", b"text", "text/plain")}, data={"size": "9", "nonsense": "1"}).text
    assert "<title>Error: Pentimento</title>" in page
    summary = re.search(r'<div id="form-error".*?</div>', page, re.DOTALL)
    assert summary
    assert re.findall(r'href="#(\w+)"', summary[0]) == ["content", "style", "size"]
    for target in ("content", "style", "size"):
        assert page.count(f' id="{target}" ') == 1
    assert page.count(" autofocus") == 1
    assert re.search(r'id="content" name="content"[^>]* autofocus', page)


def test_a_page_that_was_not_refused_has_no_summary(studio: Studio) -> None:
    page = studio.client.get("/").text
    assert "<title>Pentimento</title>" in page
    assert '<div id="form-error" class="error" role="alert"></div>' in page
    assert " autofocus" not in page


def test_a_page_that_reloads_itself_leaves_its_form_to_scripts(studio: Studio) -> None:
    job_id = studio.submit(size=64)
    form = re.compile(r'<div class="only-script">\s*<div id="heading">.*?<form id="paint"', re.DOTALL)
    link = f'<noscript><a class="button" href="/?from={job_id}#paint">Paint another</a></noscript>'
    live = studio.client.get(f"/jobs/{job_id}").text
    assert form.search(live) and link in live
    studio.work()
    ended = studio.client.get(f"/jobs/{job_id}").text
    assert not form.search(ended) and link not in ended and '<form id="paint"' in ended


def test_again_opens_the_options_where_they_are_not_the_preset_s(studio: Studio) -> None:
    usual, other = studio.submit(), studio.submit(size=64)
    assert "fold options" in studio.client.get(f"/?from={usual}").text
    assert '<details class="fold options" open>' not in studio.client.get(f"/?from={usual}").text
    assert '<details class="fold options" open>' in studio.client.get(f"/?from={other}").text


def test_the_examples_quote_addresses_that_a_shell_would_expand(studio: Studio) -> None:
    page = studio.client.get("/docs").text
    example = re.search(r'aria-label="Example"><code>(.*?)</code>', page, re.DOTALL)
    assert example
    words = [word for word in example[1].split() if "?" in word]
    assert words and all(word.startswith('"') and word.endswith('"') for word in words)


def test_the_api_s_page_says_what_each_preset_is_called(studio: Studio) -> None:
    page = studio.client.get("/docs").text
    for preset in PRESETS.values():
        assert f"<code>{preset.name}</code> ({preset.title})" in page


def test_rules_over_several_fields_stand_at_a_field_too(studio: Studio) -> None:
    shown = values_of(PRESETS["fine"].params)
    weights = {name: "0" for name in shown if name.startswith("style_relu")}
    wrong = {**shown, **weights, "content_weight": "0", "size": "64", "preset": "fine", "shown_preset": "fine"}
    page = studio.client.post("/jobs", files=two_pictures(), data=wrong).text
    assert not error(page, "form")
    assert "or a size of at least 128" in error(page, "iterations")
    assert "nothing is left to paint" in error(page, "content_weight")
    assert not error(page, "size")


def test_an_error_of_another_preset_keeps_both_chosen_pictures_of_an_earlier_job(studio: Studio) -> None:
    first = studio.submit()
    page = studio.client.post("/jobs", files={"content_kept": (None, first), "style_kept": (None, first), "size": (None, "5")}).text
    assert page.count(f'value="{first}"') == 2


def test_htmx_gets_only_the_messages(studio: Studio) -> None:
    answer = studio.client.post("/jobs", files={"style": ("w.png", picture(), "image/png")}, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert "<form" not in answer.text and "<input" not in answer.text
    assert error(answer.text, "content") and not error(answer.text, "style")


def test_htmx_gets_every_message_at_its_place_and_the_others_above(studio: Studio) -> None:
    bad = ("notes.png", b"not a picture at all", "image/png")
    mask = ("mask.png", picture(), "image/png")
    answer = studio.client.post(
        "/jobs",
        files={**two_pictures(), "protect": bad, "style2": bad, "style3-mask": mask},
        data={"style2_weight": "0", "style4_sample": "none-such", "size": "9", "nonsense": "1"},
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == 422
    told = re.findall(r'<p id="([^"]+)-error"[^>]*>([^<]+)</p>', answer.text)
    assert [name for name, _ in told] == ["style2", "style4", "style2_weight", "protect", "style3-mask", "size"]
    whole = studio.client.get("/").text
    places = re.findall(r'<p id="([^"]+)-error" class="error" data-error-for="([^"]+)" hx-swap-oob="true">', answer.text)
    assert set(places) == set(re.findall(r'<p id="([^"]+)-error" class="error" data-error-for="([^"]+)">', whole))
    assert re.search(r'<div id="form-error"[^>]*><p>There is no parameter called &#39;nonsense&#39;\.</p></div>', answer.text)


def test_htmx_gets_the_picture_s_side_and_its_address(studio: Studio) -> None:
    answer = studio.client.post("/jobs", files=two_pictures(), headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert answer.headers["hx-push-url"].startswith("/jobs/")
    assert answer.headers["hx-retarget"] == "#work"
    assert f'sse-connect="{answer.headers["hx-push-url"]}/stream"' in answer.text
    assert re.search(r'<div id="heading" hx-swap-oob="true">\s*<h2', answer.text)
    assert "<html" not in answer.text


def test_another_preset_without_javascript_is_not_overruled_by_the_options_of_the_first(studio: Studio) -> None:
    shown = values_of(PRESETS["default"].params)
    posted = studio.client.post("/jobs", files=two_pictures(), data={**shown, "preset": "paper", "shown_preset": "default", "seed": "5"})
    job = studio.client.get(f"/api{posted.headers['location']}").json()
    assert job["params"] == {**PRESETS["paper"].params.model_dump(mode="json"), "seed": 5}


def test_without_javascript_what_was_changed_stays_with_another_preset(studio: Studio) -> None:
    shown = values_of(PRESETS["default"].params)
    given = {**shown, "preset": "fine", "shown_preset": "default", "size": "2048", "tv": ""}
    posted = studio.client.post("/jobs", files=two_pictures(), data=given)
    job = studio.client.get(f"/api{posted.headers['location']}").json()
    assert job["params"] == {**PRESETS["fine"].params.model_dump(mode="json"), "size": 2048}


def test_failed_says_why_and_what_next(studio: Studio) -> None:
    def fail(commission: Commission, on_progress: OnProgress) -> Outcome:
        raise EngineError("The loss became infinite. Choose a lower strength.")

    job_id = studio.submit()
    studio.work(fail)
    page = studio.client.get(f"/jobs/{job_id}").text
    assert "The loss became infinite. Choose a lower strength." in page
    assert f'href="/?from={job_id}#paint"' in page


def test_cancelled_offers_another_try(studio: Studio) -> None:
    job_id = studio.submit()
    assert studio.client.post(f"/jobs/{job_id}/cancel").headers["location"] == f"/jobs/{job_id}"
    page = studio.client.get(f"/jobs/{job_id}").text
    assert "Cancelled" in page and "Download" not in page


def test_a_second_cancel_is_a_page_that_says_so(studio: Studio) -> None:
    job_id = studio.submit()
    studio.client.post(f"/jobs/{job_id}/cancel")
    answer = studio.client.post(f"/jobs/{job_id}/cancel")
    assert answer.status_code == 409
    assert "already ended" in answer.text and "<html" in answer.text
    part = studio.client.post(f"/jobs/{job_id}/cancel", headers={"HX-Request": "true"})
    assert "already ended" in part.text and "<html" not in part.text
    assert part.headers["hx-retarget"] == "#notice"


def test_the_history_pages(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.routes.pages.HISTORY_PAGE", 2)
    for number in range(3):
        files = two_pictures()
        files["content"] = (f"picture-{number}.png", picture(), "image/png")
        studio.client.post("/jobs", files=files)
    first = studio.client.get("/history").text
    assert "picture-2.png" in first and "picture-1.png" in first and "picture-0.png" not in first
    second = studio.client.get(re.search(r'href="(/history\?before=[^"]+)"', first)[1]).text  # type: ignore[index]
    assert "picture-0.png" in second and "picture-1.png" not in second


@pytest.mark.parametrize(("days", "said"), [(0, None), (1, "Pictures are kept for 1 day."), (30, "Pictures are kept for 30 days.")])
def test_the_history_says_how_long_pictures_are_kept(studio: Studio, days: int, said: str | None) -> None:
    settings = studio.settings.model_copy(update={"keep_days": days})
    studio.app.state.services = dataclasses.replace(studio.services, settings=settings)
    history = studio.client.get("/history").text
    assert said in history if said else "are kept" not in history


def test_every_parameter_is_an_option_with_its_range() -> None:
    options = {option.name: option for _, group in FormState().groups for option in group}
    assert set(options) == set(StyleParams.model_fields)
    assert (options["size"].minimum, options["size"].maximum, options["size"].whole) == ("64", "4096", True)
    assert (options["strength"].minimum, options["strength"].maximum, options["strength"].whole) == ("0.05", "20", False)
    assert [value for value, _ in options["optimiser"].choices] == ["lbfgs", "adam"]
    assert options["iterations"].kind == "text"
    assert all(option.help and option.title for option in options.values())


def test_only_what_differs_from_the_shown_preset_is_a_change() -> None:
    shown = values_of(PRESETS["default"].params)
    assert changes(shown, "default") == {}
    assert changes({**shown, "size": "256", "tv": ""}, "default") == {"size": "256"}
    assert changes({**shown, "iterations": ""}, "default") == {"iterations": ""}


def test_no_page_and_no_problem_leaks_a_traceback(studio: Studio) -> None:
    page = studio.client.get("/nothing/here")
    assert page.status_code == 404 and "Nothing hangs here" in page.text
    assert studio.client.get("/api/nothing").json()["status"] == 404
