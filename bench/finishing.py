"""How long a finished picture takes to be finished otherwise: `python -m bench.finishing`.

What the page does, without the web server: it shows the picture at up to 2,048 pixels, and while a slider
moves asks for looks of 1,024 with the photograph's colours and a blend.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from app.core.finish import Finish
from app.core.specs import StyleParams
from app.imaging import encode
from app.infra.blobs import Blobs
from app.jobs import pictures
from app.jobs.finishing import FILES, SmallPictures, file
from app.jobs.models import Job

SIDE, SHOWN = 1024, 2048
ROUNDS = 20


def main() -> None:
    say = sys.stdout.write
    say(
        "| picture | shown | first look | next look, median | slowest | "
        + " | ".join(FILES)
        + " |\n|---|---|---|---|---|"
        + "---|" * len(FILES)
        + "\n"
    )
    for side in (512, 1024, 2048, 4096):
        with tempfile.TemporaryDirectory() as folder:
            say(_row(Blobs(f"file://{Path(folder)}"), side))


def _row(blobs: Blobs, side: int) -> str:
    """Return a line of the table: seconds for a picture whose longer side is ``side``."""
    rng = np.random.default_rng(side)
    height = side * 3 // 4
    # Smooth with grain: as hard to compress as brush work.
    rows, columns = np.mgrid[:height, :side].astype(np.float32) / side
    smooth = np.dstack([rows, columns, 1 - columns])
    picture = np.clip(smooth + rng.normal(0, 0.03, smooth.shape), 0, 1).astype(np.float32)
    job = Job(id="b" * 32, params=StyleParams(size=side).model_dump(mode="json"), inputs={"content": {}}, result="result-1.png")
    blobs.put(pictures.key(job.id, "result-1.png"), encode.png16(picture))
    blobs.put(pictures.key(job.id, "content.png"), encode.png(encode.rgb(picture[::-1])))
    small, looks = SmallPictures(blobs), []
    begun = time.perf_counter()
    small.jpeg(job, Finish(), SHOWN)
    shown = time.perf_counter() - begun
    for round_ in range(ROUNDS + 1):
        begun = time.perf_counter()
        small.jpeg(job, Finish(strength=round_ / ROUNDS / 2 + 0.25, colours="photograph"), SIDE)
        looks.append(time.perf_counter() - begun)
    files = []
    for kind in FILES:
        begun = time.perf_counter()
        file(blobs, job, Finish(strength=0.5, colours="photograph"), kind)
        files.append(time.perf_counter() - begun)
    seconds = [shown, looks[0], statistics.median(looks[1:]), max(looks[1:]), *files]
    return f"| {side} × {height} | " + " | ".join(f"{one:.2f} s" for one in seconds) + " |\n"


if __name__ == "__main__":
    main()
