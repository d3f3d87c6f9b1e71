"""Every line into the file, warnings to the terminal."""

from __future__ import annotations

from pathlib import Path

from app.local import logs

NOISE = "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR"


def test_all_lines_are_kept_and_warnings_are_shown(tmp_path: Path) -> None:
    said: list[str] = []
    log = logs.ChildLog("web", tmp_path, logs.LOUD, said.append)
    log.take([b"INFO up\n", b"\n", b"12:00 WARNING disk \xff low\n", b"ERRORS is no level\n", NOISE.encode()])
    assert said == ["web     | 12:00 WARNING disk \ufffd low"]
    assert (tmp_path / "web.log").read_text() == "INFO up\n12:00 WARNING disk \ufffd low\nERRORS is no level\n" + NOISE + "\n"
    assert list(log.last) == ["INFO up", "12:00 WARNING disk \ufffd low", "ERRORS is no level", NOISE]


def test_a_file_is_rotated_and_three_old_ones_are_kept(tmp_path: Path) -> None:
    log = logs.ChildLog("web", tmp_path, logs.QUIET, lambda line: None)
    log.take(b"x" * 999_999 + b"\n" for _ in range(25))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["web.log", "web.log.1", "web.log.2", "web.log.3"]
    assert all(path.stat().st_size <= 5_000_000 for path in tmp_path.iterdir())


def test_a_log_that_cannot_be_written_does_not_stop_the_reader(tmp_path: Path) -> None:
    (tmp_path / "web.log").symlink_to("/dev/full")
    said: list[str] = []
    log = logs.ChildLog("web", tmp_path, logs.LOUD, said.append)
    log.take([b"WARNING one\n", b"WARNING two\n"])
    assert len(said) == 2
