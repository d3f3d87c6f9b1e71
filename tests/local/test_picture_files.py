from __future__ import annotations

from pathlib import Path

from app.local.picture_files import picture_files


def test_pictures_are_found_by_name_in_every_folder_once_and_in_order(tmp_path: Path) -> None:
    for name in ("b/two.PNG", "a/one.jpg", "a/deep/three.webp", "b/four.jpeg", "a/notes.txt", "a/picture.gif"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    (tmp_path / "a" / "folder.jpg").mkdir()
    names = ["a/deep/three.webp", "a/one.jpg", "b/four.jpeg", "b/two.PNG"]
    assert picture_files(tmp_path / "b", tmp_path) == [tmp_path / name for name in names]
    assert picture_files(tmp_path / "b") == [tmp_path / name for name in names[2:]]
    assert picture_files(tmp_path / "none") == []
