"""A picture whose parameters ask for the photograph's colours: as a verdict and a dataset's readers see it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from app.core.specs import resolve
from app.imaging import encode
from app.infra.blobs import Blobs
from app.infra.clients import Clients
from app.infra.database import Database
from app.jobs import finishing, pictures
from app.jobs.models import Job
from workers.runtime.life import Runtime
from workers.runtime.stylizing import Outcome, Sitting, Stylizing

GREY = np.full((40, 60, 3), 0.5, np.float32)


def painted(database: Database, clients: Clients, add_job: Callable[..., Job], **columns: object) -> Job:
    params = resolve(changes={"colours": "photograph"}).model_dump(mode="json")
    job = add_job(params=params, **columns)

    def engine(sitting: Sitting, on_progress: object) -> Outcome:
        return Outcome(GREY, {})

    assert Runtime(clients).run_one(Stylizing, engine)
    with database.read() as session:
        return session.get_one(Job, job.id)


def luma(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float64) @ (0.299, 0.587, 0.114)


@pytest.mark.parametrize("parent", [None, "b" * 32])
def test_it_is_stored_as_painted_but_finished_for_a_dataset(
    database: Database, clients: Clients, blobs: Blobs, add_job: Callable[..., Job], parent: str | None
) -> None:
    job = painted(database, clients, add_job, parent=parent)
    stored = encode.read_rgb(blobs.get(pictures.key(job.id, str(job.result))))
    assert (np.ptp(stored, axis=2).max() > 20) == (parent is not None)
    seen = finishing.look_at(blobs, job)
    # The luminance that was painted, in the photograph's colours: a random picture, so no pixel stays grey for long.
    np.testing.assert_allclose(luma(seen), 127.5, atol=1.5)
    photograph = encode.read_rgb(blobs.get(pictures.key(job.id, "content.png"))).astype(np.float64)
    chroma = photograph - luma(photograph)[..., None]
    found = seen - luma(seen)[..., None]
    length = np.linalg.norm(chroma, axis=2) * np.linalg.norm(found, axis=2)
    clear = length > 400
    assert clear.mean() > 0.8
    assert (((chroma * found).sum(axis=2) / np.maximum(length, 1))[clear] > 0.97).all()
