"""The worker with the stand-in painter and a judge without networks; otherwise the one that is shipped.

``celery -A tests.faults.worker_app:app worker …`` with ``PENTIMENTO_WARM_UP=false``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from app.jobs.models import STYLIZE, VERDICT
from tests.faults import broken, crash_points, no_room
from tests.faults.engine import stand_in
from tests.verdict_double import Brightness
from workers.celery_app import RUNS, app
from workers.child import Child
from workers.runtime.stylizing import Stylizing
from workers.tasks import verdict

__all__ = ["app"]


def _paint(child: Child) -> bool:
    if "tensorflow" in sys.modules:
        raise RuntimeError("The stand-in has loaded TensorFlow.")
    return child.runtime.run_one(Stylizing, stand_in)


_points = crash_points.Points(Path(os.environ["FAULTS_DIR"]), os.environ["FAULTS_ROLE"])
broken.install()
no_room.install()
crash_points.install_in_worker(_points)
RUNS[STYLIZE] = crash_points.before_ack(_points, _paint)
RUNS[VERDICT] = crash_points.before_ack(_points, lambda child: verdict.run(child.runtime, Brightness))  # type: ignore[arg-type, return-value]
