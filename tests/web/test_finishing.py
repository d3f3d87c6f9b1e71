"""A finished picture with another strength, other colours, another kind of file: at once, and without changing it."""

from __future__ import annotations

import asyncio
import io
import time

import httpx2
import numpy as np
import pytest
import tifffile
from PIL import Image

from app.core.finish import Finish
from app.imaging import encode, receipt
from app.jobs import finishing
from tests.serving import served
from tests.web.conftest import Studio

# What the test's worker paints, and the photograph it is given.
PAINTED, PHOTOGRAPH = np.full(3, 90.0), np.array([200.0, 120.0, 40.0])


def colour(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"), np.float64).mean(axis=(0, 1))


@pytest.mark.parametrize("strength", [0.0, 0.25, 1.0])
def test_strength_is_a_blend_with_the_photograph(studio: Studio, strength: float) -> None:
    base = f"/api/jobs/{studio.finished()}/finished?strength={strength}"
    expected = strength * PAINTED + (1 - strength) * PHOTOGRAPH
    for more, tolerance in (("&format=png", 0.51), ("&format=jpeg", 3), ("&side=1024", 3)):
        answer = studio.client.get(base + more)
        assert answer.status_code == 200
        np.testing.assert_allclose(colour(answer.content), expected, atol=tolerance)
    inside = receipt.read(studio.client.get(base).content)
    assert inside is not None and inside.finish == Finish(strength=strength)


def test_the_photographs_colours_are_what_the_parameter_asks_for(studio: Studio) -> None:
    job_id = studio.submit(size=64, colours="photograph")
    studio.work()
    # Less its luma of 134.8 the photograph is (65.2, -14.8, -94.8); of that 90/94.8 has room around 90.
    expected = 90 + 90 / 94.8 * np.array([65.2, -14.8, -94.8])
    for address in ("result", "finished", "finished?side=64"):
        np.testing.assert_allclose(colour(studio.client.get(f"/api/jobs/{job_id}/{address}").content), expected, atol=3)
    as_painted = studio.client.get(f"/api/jobs/{job_id}/finished?colours=painting").content
    np.testing.assert_allclose(colour(as_painted), PAINTED, atol=0.51)
    inside = receipt.read(studio.client.get(f"/api/jobs/{job_id}/result").content)
    assert inside is not None and inside.finish.colours == inside.parameters.colours == "photograph"


def test_sixteen_bits_come_as_png_and_tiff(studio: Studio) -> None:
    base = f"/api/jobs/{studio.finished()}/finished?strength=0.5&format="
    expected = (PAINTED + PHOTOGRAPH) / 2 / 255
    png, tiff = studio.client.get(f"{base}png16"), studio.client.get(f"{base}tiff")
    assert (png.headers["content-type"], tiff.headers["content-type"]) == ("image/png", "image/tiff")
    assert tiff.headers["content-disposition"].endswith('.tif"')
    assert encode.is_deep(png.content)
    np.testing.assert_allclose(encode.read_float(png.content)[0].mean(axis=(0, 1)), expected, atol=1e-4)
    samples = tifffile.imread(io.BytesIO(tiff.content))
    assert (samples.dtype, samples.shape) == (np.uint16, (40, 60, 3))
    np.testing.assert_allclose(samples.mean(axis=(0, 1)) / 65535, expected, atol=1e-4)
    assert all(receipt.read(one.content).finish == Finish(strength=0.5) for one in (png, tiff))


def test_a_look_is_no_larger_than_asked_for(studio: Studio) -> None:
    job_id = studio.finished()
    for side, size in ((30, (30, 20)), (2048, (60, 40))):
        with Image.open(io.BytesIO(studio.client.get(f"/api/jobs/{job_id}/finished?side={side}").content)) as image:
            assert (image.format, image.size) == ("JPEG", size)


@pytest.mark.parametrize("asked", ["strength=1.5", "strength=nan", "colours=mine", "format=gif", "side=9000"])
def test_what_is_not_offered_is_refused(studio: Studio, asked: str) -> None:
    job_id = studio.finished()
    answer = studio.client.get(f"/api/jobs/{job_id}/finished?{asked}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_only_its_owner_finishes_it_and_only_once_it_is_there(studio: Studio) -> None:
    waiting = studio.submit()
    assert studio.client.get(f"/api/jobs/{waiting}/finished").status_code == 409
    assert studio.new_client().get(f"/api/jobs/{waiting}/finished").status_code == 404


@pytest.mark.parametrize("colours", ["photograph", "painting"])
def test_while_it_is_painted_the_page_says_that_colours_come_back_at_the_end(studio: Studio, colours: str) -> None:
    job_id = studio.submit(size=64, colours=colours)
    said = "The photograph's colours are put back at the end."
    assert (said in studio.client.get(f"/jobs/{job_id}").text) == (colours == "photograph")
    studio.work()
    assert said not in studio.client.get(f"/jobs/{job_id}").text


def test_without_scripts_the_page_shows_what_was_asked_for(studio: Studio) -> None:
    job_id = studio.finished()
    page = studio.client.get(f"/jobs/{job_id}?strength=0.4&colours=photograph").text
    assert f"/api/jobs/{job_id}/finished?strength=0.4&amp;colours=photograph" in page
    assert 'value="0.4"' in page and '<option value="photograph" selected>' in page


def test_while_enough_pictures_are_being_finished_others_are_asked_to_come_back(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finishing, "_WAIT", 0.01)
    base = f"/api/jobs/{studio.finished()}/finished?strength=0.5"
    looked_at = studio.client.get(f"{base}&side=900").content
    with finishing.hand(), finishing.hand():
        for more in ("", "&side=2000"):
            answer = studio.client.get(base + more)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
            assert "Try again" in answer.json()["detail"]
        # The pair is at hand: other sizes and strengths need nobody's hand.
        assert studio.client.get(f"{base}&side=901").content == looked_at
        assert studio.client.get(f"{base}1&side=16").status_code == 200
    assert studio.client.get(base).status_code == 200


def test_those_for_whom_there_is_no_place_to_wait_are_sent_away_at_once_and_pages_stand_meanwhile(composed: Studio) -> None:
    job_id = composed.finished()
    cookies = dict(composed.client.cookies)
    spare = 45

    async def ask(address: str) -> list[tuple[int, float]]:
        limits = httpx2.Limits(max_connections=2 * spare)
        async with httpx2.AsyncClient(base_url=address, cookies=cookies, limits=limits, timeout=60) as client:

            async def get(path: str) -> tuple[int, float]:
                began = time.monotonic()
                return (await client.get(path)).status_code, time.monotonic() - began

            kinds = ("format=tiff", "format=png16", "format=jpeg")
            many = [asyncio.create_task(get(f"/api/jobs/{job_id}/result?{kinds[number % 3]}")) for number in range(spare)]
            await asyncio.sleep(0.5)
            pages = [await get(path) for path in ("/healthz", "/", "/readyz")]
            assert all(took < 4 for _, took in pages), pages
            assert [status for status, _ in pages[:2]] == [200, 200]
            return [await one for one in many]

    with served(composed.app) as (host, port), finishing.hand(), finishing.hand():
        answers = asyncio.run(ask(f"http://{host}:{port}"))
    assert {status for status, _ in answers} == {503}
    assert sum(took < 6 for _, took in answers) == spare - 4, "four may wait"


def test_the_first_look_is_made_of_what_the_page_has_shown(studio: Studio) -> None:
    base = f"/api/jobs/{studio.finished()}/finished?strength=0.5"
    studio.client.get(f"{base}&side=2048")
    with finishing.hand(), finishing.hand():
        small = studio.client.get(f"{base}&side=30")
    assert small.status_code == 200
    with Image.open(io.BytesIO(small.content)) as image:
        assert image.size == (30, 20)
    np.testing.assert_allclose(colour(small.content), (PAINTED + PHOTOGRAPH) / 2, atol=3)


def test_head_tells_what_would_come_and_makes_nothing(studio: Studio) -> None:
    base = f"/api/jobs/{studio.finished()}"
    addresses = ("result", "result?format=tiff", "finished?format=jpeg", "finished?side=64")
    whole = [studio.client.get(f"{base}/{address}").headers for address in addresses]
    with pytest.MonkeyPatch.context() as patch:
        for name in ("whole", "finished"):
            patch.setattr(finishing, name, lambda *given: pytest.fail("a picture was made"))
        for address, expected in zip(addresses, whole, strict=True):
            answer = studio.client.head(f"{base}/{address}")
            assert (answer.status_code, answer.content) == (200, b"")
            assert "content-length" not in answer.headers
            for name in ("content-type", "content-disposition", "cache-control"):
                assert answer.headers.get(name) == expected.get(name)
    assert studio.new_client().head(f"{base}/finished").status_code == 404
