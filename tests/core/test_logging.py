"""One record a line, whatever is in the message."""

from __future__ import annotations

import json
import logging
import sys
from contextvars import copy_context
from threading import Thread

from app.core.logging import FORMAT, Json, OneLine, about


def line(message: str, exc_info: object = None) -> str:
    record = logging.LogRecord("web", logging.WARNING, "file.py", 1, message, None, exc_info)  # type: ignore[arg-type]
    return OneLine(FORMAT).format(record)


def test_a_visitors_line_breaks_do_not_make_lines() -> None:
    text = line("file name a\r\nCRITICAL forged")
    assert text.endswith("WARNING web file name a\\r\\nCRITICAL forged")
    assert "\n" not in text


def test_a_traceback_keeps_its_lines_indented() -> None:
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        lines = line("failed", sys.exc_info()).splitlines()
    assert lines[0].endswith("WARNING web failed")
    assert lines[1] == "    Traceback (most recent call last):"
    assert all(each.startswith("    ") for each in lines[1:])


def test_what_a_block_is_about_is_said_once_also_in_its_threads() -> None:
    told: list[str] = []
    with about(job="f00", attempt=2):
        told += [line("working"), line("claimed: job=f00 kind=stylize attempt=2")]
        thread = Thread(target=copy_context().run, args=(lambda: told.append(line("beat")),))
        thread.start()
        thread.join()
        with about(attempt=3):
            told.append(line("again"))
    told.append(line("idle"))
    assert [one.partition(" web ")[2] for one in told] == [
        "working job=f00 attempt=2",
        "claimed: job=f00 kind=stylize attempt=2",
        "beat job=f00 attempt=2",
        "again job=f00 attempt=3",
        "idle",
    ]


def test_as_json_a_record_is_an_object_on_one_line() -> None:
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        record = logging.LogRecord("web", logging.ERROR, "file.py", 1, "failed: %s", ("a\nb",), sys.exc_info())
    with about(job="f00", attempt=2):
        text = Json().format(record)
    assert "\n" not in text
    told = json.loads(text)
    assert (told["level"], told["logger"], told["message"], told["job"], told["attempt"]) == ("ERROR", "web", "failed: a\nb", "f00", 2)
    assert told["traceback"].endswith("ValueError: first\nsecond")
    assert told["time"].endswith("+00:00")
