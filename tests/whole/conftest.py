"""The whole stack as `make run` starts it: embedded broker, Celery worker, real weights, web server."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import skimage.data
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page

from app.core.config import Settings
from tests.browser import watched
from tests.whole_stack import Stack, started


@pytest.fixture(scope="session")
def running(weights_cache: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running installation with a data folder of its own, quick to notice a dead worker."""
    quick = {
        "PENTIMENTO_PREVIEW_SECONDS": "0.1",
        "PENTIMENTO_LEASE_SECONDS": "6",
        "PENTIMENTO_HEARTBEAT_SECONDS": "1",
        "PENTIMENTO_SWEEP_SECONDS": "1",
        "PENTIMENTO_CHECKPOINT_SECONDS": "0.5",
    }
    with started(tmp_path_factory.mktemp("whole stack") / "data", quick) as stack:
        yield stack


@pytest.fixture(scope="session")
def stack(running: Stack) -> str:
    """The address of the running installation."""
    return running.address


def _jpeg(pixels: object, size: tuple[int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def photograph() -> bytes:
    """A cat, 300 × 200."""
    return _jpeg(skimage.data.chelsea(), (300, 200))


@pytest.fixture(scope="session")
def painting() -> bytes:
    return Path("static/samples/style/night.jpg").read_bytes()


@pytest.fixture(scope="session")
def files(photograph: bytes, painting: bytes, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same pictures as files, to choose in a browser."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "cat.jpg").write_bytes(photograph)
    (folder / "night.jpg").write_bytes(painting)
    return folder / "cat.jpg", folder / "night.jpg"


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    context.set_default_timeout(120_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page whose complaints fail the test."""
    page = context.new_page()
    with watched(page):
        yield page
