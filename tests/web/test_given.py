"""Several paintings with weights, regions and alpha: from the form to what the engine is asked for, and back into the form."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from app.core.commission import Commission
from app.core.errors import TooSlow
from app.core.progress import OnProgress
from app.imaging import encode, receipt
from app.imaging.decode import DecoderPool
from app.imaging.normalise import Decoded
from tests.web.conftest import Studio, paint, picture, two_pictures
from workers.runtime.stylizing import Outcome


def half(width: int = 64, height: int = 48) -> bytes:
    """A region: its left half."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2] = 255
    return encode.png(pixels)


def file(data: bytes, name: str = "picture.png") -> tuple[str, bytes, str]:
    return name, data, "image/png"


def asked(studio: Studio, files: dict[str, Any], **fields: Any) -> tuple[str, Commission]:
    """Return the job of a form, and what its engine was asked for."""
    answer = studio.client.post("/api/jobs", files={**two_pictures(), **files}, data={"size": 64, **fields})
    assert answer.status_code == 202, answer.text
    seen: list[Commission] = []

    def look(sitting: Any, on_progress: OnProgress) -> Outcome:
        seen.append(getattr(sitting, "commission", sitting))
        return paint(sitting, on_progress)

    studio.work(look)
    return answer.json()["id"], seen[0]


def wrong(studio: Studio, files: dict[str, Any], **fields: Any) -> dict[str, str]:
    answer = studio.client.post("/api/jobs", files={**two_pictures(), **files}, data=fields)
    assert answer.status_code == 422
    return {error["field"]: error["detail"] for error in answer.json()["errors"]}


def test_paintings_regions_and_weights_reach_the_engine(studio: Studio) -> None:
    files = {
        "style3": file(picture(50, 50, (10, 20, 30)), "night.png"),
        "style-mask": file(half()),
        "protect": file(picture(60, 40, (0, 255, 0))),
    }
    job_id, commission = asked(studio, files, style_weight="30", style3_weight="10", style2_weight="99")
    assert [style.weight for style in commission.styles] == [30, 10]
    assert commission.styles[1].pixels[0, 0].tolist() == [10, 20, 30]
    region, elsewhere = (style.mask for style in commission.styles)
    assert elsewhere is None and region is not None
    np.testing.assert_array_equal(region, np.repeat([[1.0] * 32 + [0.0] * 32], 48, axis=0).astype(np.float32))
    assert commission.protect is not None
    np.testing.assert_allclose(commission.protect, 0.587, atol=1e-3)  # a green counts by its luma
    job = studio.client.get(f"/api/jobs/{job_id}").json()
    assert list(job["inputs"]) == ["content", "style", "style-mask", "style3", "protect"]
    assert (job["inputs"]["style"]["weight"], job["inputs"]["style3"]["weight"], job["inputs"]["content"]["weight"]) == (30, 10, None)
    for given in job["inputs"].values():
        assert studio.client.get(given["picture"]).status_code == studio.client.get(given["thumbnail"]).status_code == 200
    inside = receipt.read(studio.client.get(f"/api/jobs/{job_id}/result").content)
    assert inside is not None
    assert [(one.role, one.weight) for one in inside.inputs] == [("content", 1), ("style", 30), ("mask", 1), ("style", 10), ("protect", 1)]
    assert [one.sha256 for one in inside.inputs] == [given["sha256"] for given in job["inputs"].values()]


def test_the_part_of_a_painting_reaches_the_engine_and_is_kept(studio: Studio) -> None:
    night = studio.services.samples.of("style")[1]
    files = {"style-mask": file(half()), "style-part": file(half()), "style2-part": file(half(40, 90))}
    job_id, commission = asked(studio, files, style2_sample=night.name)
    first, second = commission.styles
    assert first.mask is not None and first.part is not None and second.mask is None and second.part is not None
    np.testing.assert_array_equal(first.part, np.repeat([[1.0] * 32 + [0.0] * 32], 48, axis=0).astype(np.float32))
    assert second.part.shape == (90, 40)
    given = ["content", "style", "style-mask", "style-part", "style2", "style2-part"]
    assert list(studio.client.get(f"/api/jobs/{job_id}").json()["inputs"]) == given
    inside = receipt.read(studio.client.get(f"/api/jobs/{job_id}/result").content)
    assert inside is not None and [one.role for one in inside.inputs] == ["content", "style", "mask", "part", "style", "part"]
    page = studio.client.get(f"/jobs/{job_id}").text
    assert "The part of the second painting to paint like" in page and "The part taken, 40 × 90" in page
    kept = {f"{role}_kept": job_id for role in given}
    assert f'name="style2-part_kept" value="{job_id}"' in studio.client.get(f"/?from={job_id}").text
    answer = studio.client.post("/jobs", data={**kept, "style2_without": "yes"}, follow_redirects=False)
    assert list(studio.client.get(f"/api{answer.headers['location']}").json()["inputs"]) == given[:4]


@pytest.mark.parametrize("marked", [0, 1])
def test_a_part_with_next_to_nothing_in_it_is_refused(studio: Studio, marked: int) -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[0, :marked] = 255
    said = wrong(studio, {"style-part": file(encode.png(pixels)), "protect": file(encode.png(pixels))})
    assert said == {"style-part": "Next to nothing of the painting is marked. Mark more of it in white, or remove this."}


def test_a_region_is_nowhere_where_it_is_transparent(studio: Studio) -> None:
    white_strokes = np.full((48, 64, 4), 255, np.uint8)
    white_strokes[:, 32:, 3] = 0
    white_strokes[:24, :32, 3] = 128
    buffer = io.BytesIO()
    Image.fromarray(white_strokes).save(buffer, "PNG")
    job_id, commission = asked(studio, {"protect": file(buffer.getvalue()), "style-mask": file(buffer.getvalue())})
    expected = np.zeros((48, 64), np.float32)
    expected[:24, :32], expected[24:, :32] = 128 / 255, 1
    assert commission.protect is not None and commission.styles[0].mask is not None
    for found in (commission.protect, commission.styles[0].mask):
        np.testing.assert_allclose(found, expected, atol=1e-6)
    small = studio.client.get(f"/api/jobs/{job_id}/pictures/protect-small.jpg").content
    with Image.open(io.BytesIO(small)) as image:
        assert image.convert("L").getpixel((60, 40)) < 5
    assert list(studio.client.get(f"/api/jobs/{job_id}").json()["inputs"]) == ["content", "style", "style-mask", "protect"]


def test_one_painting_is_as_before(studio: Studio) -> None:
    job_id, commission = asked(studio, {}, style_weight="20")
    [style] = commission.styles
    assert (style.weight, style.mask, commission.protect) == (1.0, None, None)
    assert list(studio.client.get(f"/api/jobs/{job_id}").json()["inputs"]) == ["content", "style"]


def test_the_page_shows_them_and_again_keeps_them(studio: Studio) -> None:
    night = studio.services.samples.of("style")[1]
    job_id, _ = asked(studio, {"protect": file(half())}, style2_sample=night.name, style2_weight="25")
    page = studio.client.get(f"/jobs/{job_id}").text
    assert f"waves.jpg</span> and {night.title}" in page or f"waves.jpg and {night.title}" in page
    assert f"/api/jobs/{job_id}/pictures/protect-small.jpg" in page and f"{night.title}, 33%" in page
    form = studio.client.get(f"/?from={job_id}").text
    assert f'src="/api/jobs/{job_id}/pictures/protect-small.jpg" data-whole="/api/jobs/{job_id}/pictures/protect.png"' in form
    kept = ("content", "style", "style2", "protect")
    for role in kept:
        assert f'name="{role}_kept" value="{job_id}"' in form
    assert 'name="style3_kept" value=""' in form and 'name="style2_weight" type="range" min="1" max="100" step="1" value="25"' in form
    answer = studio.client.post("/api/jobs", data={**{f"{role}_kept": job_id for role in kept}, "style2_weight": "25"})
    assert answer.status_code == 202
    inputs = [studio.client.get(f"/api/jobs/{one}").json()["inputs"] for one in (job_id, answer.json()["id"])]
    assert [(role, one["sha256"], one["weight"]) for role, one in inputs[0].items()] == [
        (role, one["sha256"], one["weight"]) for role, one in inputs[1].items()
    ]


def test_without_scripts_extra_paintings_and_regions_are_dropped_by_a_tick(studio: Studio) -> None:
    night = studio.services.samples.of("style")[1]
    files = {"protect": file(half()), "style2-mask": file(half()), "style3": file(picture(50, 50))}
    job_id, _ = asked(studio, files, style2_sample=night.name)
    form = studio.client.get(f"/?from={job_id}").text
    given = ("content", "style", "style2", "style2-mask", "style3", "protect")
    assert set(re.findall(r'type="checkbox" name="([a-z0-9-]+)_without"', form)) == {*given} - {"content", "style"}
    kept = {f"{role}_kept": job_id for role in given}

    def inputs(files: dict[str, Any] | None = None, *without: str) -> list[str]:
        fields = {**kept, **{f"{role}_without": "yes" for role in without}}
        answer = studio.client.post("/jobs", data=fields, files=files, follow_redirects=False)
        assert answer.status_code == 303, answer.text
        return list(studio.client.get(f"/api{answer.headers['location']}").json()["inputs"])

    assert inputs(None, "style3", "protect") == ["content", "style", "style2", "style2-mask"]
    # A painting takes its region with it; a file in its place is no giving up.
    assert inputs(None, "style2") == ["content", "style", "style3", "protect"]
    assert inputs({"style2": file(picture(40, 40))}, "style2") == list(given)
    refused = studio.client.post("/jobs", data={**kept, "style3_without": "yes", "size": "5"})
    assert refused.status_code == 422
    assert 'name="style3_kept" value=""' in refused.text and f'name="style2_kept" value="{job_id}"' in refused.text


@pytest.mark.parametrize("weight", ["0", "-1", "101", "nan", "much"])
def test_a_weight_that_is_none_is_told_at_its_field(studio: Studio, weight: str) -> None:
    said = wrong(studio, {"style2": file(picture())}, style2_weight=weight)
    assert said == {"style2_weight": f"Weight: give a number above 0, up to 100. Received: '{weight}'."}


def test_what_is_wrong_with_a_painting_or_a_region_is_told_at_its_field(studio: Studio) -> None:
    said = wrong(studio, {"style4": file(b"no picture"), "protect": file(b""), "style3-mask": file(half())}, style2_sample="none-such")
    assert set(said) == {"style4", "protect", "style3-mask", "style2_sample"}
    assert "is of a painting that is not chosen" in said["style3-mask"]
    assert "is of a painting that is not chosen" in wrong(studio, {"style2-part": file(half())})["style2-part"]
    job_id = studio.submit()
    assert set(wrong(studio, {}, style2_kept=job_id, protect_kept=job_id)) == {"style2", "protect"}


def test_a_refused_form_keeps_weights_and_opens_its_folds(studio: Studio) -> None:
    answer = studio.client.post("/jobs", files=two_pictures(), data={"style2_weight": "7", "style3_sample": "none-such"})
    assert answer.status_code == 422
    assert 'name="style2_weight" type="range" min="1" max="100" step="1" value="7"' in answer.text
    assert '<details class="fold mixing" open>' in answer.text and '<details class="fold regions">' in answer.text


def test_the_photographs_alpha_comes_back(studio: Studio) -> None:
    seen_through = Image.new("RGBA", (60, 40), (200, 120, 40, 255))
    seen_through.paste((200, 120, 40, 0), (0, 0, 30, 40))
    buffer = io.BytesIO()
    seen_through.save(buffer, "PNG")
    job_id, commission = asked(studio, {"content": file(buffer.getvalue(), "cut.png")})
    assert commission.content[5, 5].tolist() == [255, 255, 255]  # laid on white
    base = f"/api/jobs/{job_id}/finished?format="
    with Image.open(io.BytesIO(studio.client.get(f"{base}png").content)) as image:
        assert image.mode == "RGBA"
        assert (image.getpixel((3, 5))[3], image.getpixel((56, 5))[3]) == (0, 255)
    alpha = encode.read_float(studio.client.get(f"{base}png16").content)[1]
    assert alpha is not None and (alpha[5, 3], alpha[5, 56]) == (0, 1)
    assert tifffile.imread(io.BytesIO(studio.client.get(f"{base}tiff").content)).shape == (40, 60, 4)
    with Image.open(io.BytesIO(studio.client.get(f"{base}jpeg").content)) as image:
        assert image.mode == "RGB"
    again = studio.client.post("/api/jobs", data={"content_kept": job_id, "style_kept": job_id, "size": "64"}).json()["id"]
    studio.work()
    with Image.open(io.BytesIO(studio.client.get(f"/api/jobs/{again}/result").content)) as image:
        assert image.mode == "RGBA"
    assert list(studio.client.get(f"/api/jobs/{again}").json()["inputs"]) == ["content", "style"]


def test_a_form_stops_at_the_first_picture_that_takes_too_long(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for = []
    decode = DecoderPool.decode

    def slow(self: DecoderPool, data: bytes, *, field: str | None = None, **given: float | None) -> Decoded:
        asked_for.append(field)
        if field == "style":
            raise TooSlow("This picture takes longer than 20 seconds to open.", field=field)
        return decode(self, data, field=field, wait=60)

    monkeypatch.setattr(DecoderPool, "decode", slow)
    files = {"style2": file(picture()), "style3": file(picture()), "protect": file(picture()), "style-mask": file(picture())}
    errors = wrong(studio, files, style_weight="0")
    assert asked_for == ["content", "style"]
    assert "longer than 20 seconds" in errors["style"] and set(errors) == {"style", "style_weight"}
