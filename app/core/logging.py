"""One form of log line for every process: time, level, logger, message and what it is about; one record a line."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
_Facts = Mapping[str, str | int]
_about: ContextVar[_Facts] = ContextVar("about", default={})  # noqa: B039 - never changed in place


@contextmanager
def about(**facts: str | int) -> Iterator[None]:
    """Let every record of the block say what it is about, such as job and attempt; a thread has to be given the context."""
    token = _about.set({**_about.get(), **facts})
    try:
        yield
    finally:
        _about.reset(token)


class OneLine(logging.Formatter):
    """Escapes line breaks in messages, which may hold what a visitor typed; a traceback keeps its lines, indented."""

    def format(self, record: logging.LogRecord) -> str:
        first, *traceback = super().format(record).split("\n") if _has_traceback(record) else [super().format(record)]
        first = first.replace("\r", "\\r").replace("\n", "\\n")
        missing = [f"{name}={value}" for name, value in _about.get().items() if f"{name}=" not in first]
        return "\n    ".join([" ".join([first, *missing]), *traceback])


class Json(logging.Formatter):
    """A record as one JSON object, for whoever collects logs."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_about.get(),
        }
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


def set_up(level: int | str = logging.INFO, form: str = "text") -> None:
    """Send every log record to standard error, as text or JSON, in place of whatever was set up before."""
    handler = logging.StreamHandler()
    handler.setFormatter(Json() if form == "json" else OneLine(FORMAT))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # Six lines about its own plug-ins at every start.
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)


def _has_traceback(record: logging.LogRecord) -> bool:
    return record.exc_info is not None or record.stack_info is not None
