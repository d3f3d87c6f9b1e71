"""Where uploads lie while they come in: on the disk whose room is looked after, not in a `/tmp` that may be small, or memory."""

from __future__ import annotations

import logging
import os
import tempfile

from app.core.config import Settings

log = logging.getLogger(__name__)

FOLDER = "incoming"


def spool_in(settings: Settings) -> None:
    """Make temporary files of this process in the data folder, unless TMPDIR names another place.

    They have no name there and go with whoever has them open, so that a crash leaves nothing.
    """
    if os.environ.get("TMPDIR"):
        return
    folder = settings.data / FOLDER
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        # With database and pictures elsewhere nothing else need be written there.
        log.warning("uploads lie in %s while they come in: %s", tempfile.gettempdir(), error)
        return
    tempfile.tempdir = str(folder)
