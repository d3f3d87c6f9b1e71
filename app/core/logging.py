"""One form of log line for every process: time, level, logger, message; one record a line."""

from __future__ import annotations

import logging

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


class OneLine(logging.Formatter):
    """Escapes line breaks in messages, which may hold what a visitor typed; a traceback keeps its lines, indented."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        if record.exc_info is None and record.stack_info is None:
            return text.replace("\r", "\\r").replace("\n", "\\n")
        return text.replace("\n", "\n    ")


def set_up(level: int | str = logging.INFO) -> None:
    """Send every log record to standard error, in place of whatever was set up before."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine(FORMAT))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # Six lines about its own plug-ins at every start.
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
