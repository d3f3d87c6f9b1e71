"""One record a line, whatever is in the message."""

from __future__ import annotations

import logging
import sys

from app.core.logging import FORMAT, OneLine


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
