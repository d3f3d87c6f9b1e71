"""The picture files in folders that a command is given."""

from __future__ import annotations

from pathlib import Path

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})


def picture_files(*folders: Path) -> list[Path]:
    """Return the files below ``folders`` that pictures are looked for in, told by their names, each once and sorted."""
    return sorted({path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()})
