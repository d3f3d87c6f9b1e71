"""The web server with crash points: ``python -m tests.faults.web_app FD``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from app.core.config import get_settings
from app.local.commands import run_web
from tests.faults import broken, crash_points, no_room

if __name__ == "__main__":
    broken.install()
    no_room.install()
    crash_points.install_in_web(crash_points.Points(Path(os.environ["FAULTS_DIR"]), "web"))
    run_web(get_settings(), int(sys.argv[1]))
