"""Datasets without a browser or a network: services on a real database, and a painter that is played."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image

from app.core.commission import Commission
from app.core.errors import NotFound
from app.core.progress import Progress
from app.imaging.decode import DecoderPool, Limits
from app.infra.blobs import Blobs
from app.infra.clients import Clients
from app.lab.arrivals import Order, Sent
from app.lab.datasets import DatasetService
from app.lab.generators import generators
from app.lab.unpacking import Unpacker
from workers.runtime.life import Runtime
from workers.runtime.stylizing import Outcome, Stylizing

OWNER = "a" * 32


def png(seed: int, width: int = 48, height: int = 40) -> bytes:
    """A picture of soft blobs, unlike those of other seeds."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(buffer, "PNG")
    return buffer.getvalue()


def zip_of(files: dict[str, bytes]) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer


def order(contents: int = 2, styles: int = 2, presets: tuple[str, ...] = ("instant",)) -> Order:
    """Contents and styles as single files."""
    files = [Sent("content", f"content {number}.png", io.BytesIO(png(number))) for number in range(contents)]
    files += [Sent("style", f"style {number}.png", io.BytesIO(png(100 + number))) for number in range(styles)]
    return Order("stylised", "A set", generators(presets, (), {"size": 64}), files)


def there(blobs: Blobs, key: str) -> bool:
    try:
        blobs.get(key)
    except NotFound:
        return False
    return True


@pytest.fixture(scope="session")
def decoders() -> Iterator[DecoderPool]:
    with DecoderPool(2, Limits()) as pool:
        yield pool


@pytest.fixture
def datasets(clients: Clients) -> DatasetService:
    return DatasetService(clients)


@pytest.fixture
def unpacker(clients: Clients, decoders: DecoderPool) -> Unpacker:
    return Unpacker(clients, decoders, 2, lambda: False)


@pytest.fixture
def paint_all(clients: Clients) -> Callable[[int], int]:
    """Paint up to so many waiting pictures, each the mean of its two; return how many there were."""

    def paint(commission: Commission, on_progress: Callable[[Progress], None]) -> Outcome:
        assert commission.params.size == 64
        mean = np.concatenate([commission.content, commission.styles[0].pixels], axis=1)
        on_progress(Progress("finish", 64, 1, 1, 1.0, None, 0.1, 0.0, mean))
        return Outcome(mean, {"iterations": 1, "planned": 1, "elapsed": 0.1})

    def work(most: int = 1000) -> int:
        runtime = Runtime(clients)
        return next(
            (done for done in range(most) if not runtime.run_one(Stylizing, lambda sitting, told: paint(sitting.commission, told))), most
        )

    return work
