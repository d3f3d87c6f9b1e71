"""Each control of the page once in a real browser, with the real networks: what is asked for is what the painter does."""

from __future__ import annotations

import io
import re
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import numpy as np
import pytest
import tifffile
from PIL import Image
from playwright.sync_api import Locator, Page, TimeoutError, expect

from tests.whole.test_browser_path import choose, start

# Far more steps than the test takes: it ends them itself.
MANY = "5000"
_WAIT_MS = 120_000
CHOSEN = {
    "strength": "2",
    "style_relu5_1": "0.25",
    "content_weight": "0.5",
    "tv": "0.125",
    "style_scale": "0.5",
    "seed": "7",
}


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """A region: the left half."""
    mask = np.zeros((60, 90), np.uint8)
    mask[:, :45] = 255
    Image.fromarray(mask).save(tmp_path / "left.png")
    return tmp_path / "left.png"


@pytest.fixture
def right(tmp_path: Path) -> Path:
    """A region: the right half, opaque on a transparent layer."""
    layer = np.zeros((60, 90, 4), np.uint8)
    layer[:, 45:] = 255
    Image.fromarray(layer).save(tmp_path / "right.png")
    return tmp_path / "right.png"


def address(page: Page) -> str:
    """Where the API has the job that is shown."""
    return urljoin(page.url, f"/api/jobs/{page.locator('[data-job]').get_attribute('data-job')}")


def asked(page: Page) -> dict[str, Any]:
    """What the API says of the job that is shown."""
    job: dict[str, Any] = page.request.get(address(page)).json()
    return job


def pixels(page: Page, **finish: str) -> np.ndarray:
    """The finished picture as float, 0 to 255."""
    data = page.request.get(f"{address(page)}/finished", params=finish).body()
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), float)


def chroma(picture: np.ndarray) -> np.ndarray:
    """The two colour differences red − green and blue − green, which luminance alone does not change."""
    red, green, blue = np.moveaxis(picture, 2, 0)
    return np.stack((red - green, blue - green))


def slider(page: Page, name: str) -> Locator:
    return page.locator("#balance").get_by_role("slider", name=name)


def test_each_control_reaches_the_painter(page: Page, stack: str, files: tuple[Path, Path], left: Path, right: Path) -> None:
    page.goto(stack)
    choose(page, files, size=128, iterations=MANY)
    for name, value in CHOSEN.items():
        page.locator(f"#{name}").fill(value)
    page.locator("#colours").select_option("matched")
    page.locator(".mixing > summary").click()
    page.get_by_role("button", name="Add a painting").click()
    page.locator("#style2").set_input_files("static/samples/style/woodblock.jpg")
    page.locator("#style2_weight").fill("100")
    page.locator(".regions > summary").click()
    page.locator('[data-region="style-mask"] .region-file').set_input_files(left)
    page.locator('[data-region="style2-mask"] .region-file').set_input_files(right)
    page.locator('[data-region="style2-part"] .region-file').set_input_files(left)
    page.locator('[data-region="protect"]').get_by_role("button", name="Paint it on the photograph").click()
    page.get_by_label("Soft edge").fill("0")
    canvas = page.locator(".brush-canvas")
    box = canvas.bounding_box()
    assert box is not None
    # A stroke along the upper edge, as wide as the brush is.
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 5, box["y"] + 5, steps=8)
    page.mouse.up()
    page.get_by_role("button", name="Use this region").click()
    start(page)

    page.locator("#curves polyline").first.wait_for()
    for name, key in (("Strength", "End"), ("Second painting", "ArrowLeft")):
        slider(page, name).press(key)
        expect(page.locator("#balance-said")).to_contain_text(re.compile(f"Changed so far.*{name}", re.IGNORECASE), timeout=_WAIT_MS)
    page.locator("#balance summary").click()
    slider(page, "Style at relu1_1").press("Home")
    expect(page.locator("#balance-said")).to_contain_text("Style at relu1_1 1 → 0 from iteration", timeout=_WAIT_MS)
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#figures")).to_contain_text("Went on from iteration", timeout=_WAIT_MS)
    page.get_by_role("button", name="Stop and keep").click()
    expect(page.locator(".compare")).to_be_visible(timeout=_WAIT_MS)

    job = asked(page)
    expected = {name: float(value) for name, value in CHOSEN.items()} | {"colours": "matched", "size": 128}
    expected |= {"strength": round(2**4.25, 3), "style_relu1_1": 0.0}
    assert {name: job["params"][name] for name in expected} == expected
    assert set(job["inputs"]) == {"content", "style", "style2", "style-mask", "style2-mask", "style2-part", "protect"}
    assert job["inputs"]["style2"]["weight"] == 99
    expect(page.locator(".verdict-line")).to_contain_text("Weight of the second painting 100 → 99")

    # What is protected is the photograph; elsewhere it is painted over, on both sides.
    photograph, painted = pixels(page, strength="0"), pixels(page)
    apart = np.abs(painted - photograph).mean(axis=2)
    assert apart[:3].mean() < 3 < 10 < min(apart[40:, :60].mean(), apart[40:, 68:].mean())
    # Finishing is shown, and taken along by the files.
    shown = page.locator(".compare-after img")
    before = shown.get_attribute("src")
    page.locator("#finish-strength").fill("0.5")
    expect(shown).not_to_have_attribute("src", str(before), timeout=_WAIT_MS)
    page.locator("#finish-colours").select_option("photograph")
    expect(shown).to_have_attribute("src", re.compile("colours=photograph"), timeout=_WAIT_MS)
    with page.expect_download() as download:
        page.get_by_role("link", name="16-bit TIFF").click()
    file = tifffile.imread(download.value.path())
    assert (file.dtype, file.shape) == (np.uint16, painted.shape)
    assert np.abs(file / 257 - pixels(page, strength="0.5", colours="photograph")).max() <= 1

    page.get_by_role("button", name="Larger: 256 px").click()
    page.locator("#curves polyline").first.wait_for()
    page.get_by_role("button", name="Stop and keep").click()
    expect(page.locator(".compare")).to_be_visible(timeout=_WAIT_MS)
    assert pixels(page).shape == (171, 256, 3)
    assert set(asked(page)["inputs"]) == set(job["inputs"])
    larger = page.url
    page.get_by_role("button", name="200 more").click()
    expect(page).not_to_have_url(larger)
    page.locator("#curves polyline").first.wait_for()
    # Where it is fast, all of them may be done before this is found.
    with suppress(TimeoutError):
        page.get_by_role("button", name="Stop and keep").click(timeout=5000)
    expect(page.locator(".compare")).to_be_visible(timeout=_WAIT_MS)
    more = asked(page)
    assert 0 < more["iteration"] <= more["iterations"] == 200


@pytest.mark.parametrize("colours", ["only", "photograph"])
def test_colours_alone_and_the_photographs(page: Page, stack: str, files: tuple[Path, Path], colours: str) -> None:
    page.goto(stack)
    choose(page, files, size=128, iterations="6")
    page.locator("#colours").select_option(colours)
    start(page)
    expect(page.locator(".compare")).to_be_visible(timeout=_WAIT_MS)
    found = pixels(page)
    photograph, night = (np.asarray(Image.open(file).convert("RGB").resize((128, 85)), float) for file in files)
    if colours == "only":
        apart, wide = (np.abs(one.mean(axis=(0, 1)) - night.mean(axis=(0, 1))).mean() for one in (found, photograph))
    else:
        apart, wide = (np.abs(chroma(one) - chroma(photograph)).mean() for one in (found, night))
    assert apart < 12 < wide
