from __future__ import annotations

import json
from dataclasses import replace
from itertools import count, islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from app.core.errors import EngineError, PictureError
from app.core.recipes import Recipe
from app.core.specs import StyleParams
from app.local.making import MANIFEST, make, read, read_manifest
from app.local.training_plan import Row


@pytest.fixture
def rows(tmp_path: Path) -> list[Row]:
    content, style = tmp_path / "content.png", tmp_path / "style.png"
    Image.fromarray(data.coffee()).save(content)
    Image.fromarray(data.astronaut()).save(style)
    recipe = Recipe(generator="adain", params=StyleParams(size=256, iterations=()))
    return [Row(f"{n:05d}-adain", "train", content, style, "style", n, recipe) for n in range(5)]


def blend(content: np.ndarray, style: np.ndarray, _: Recipe) -> np.ndarray:
    return np.full((20, 30, 3), (int(content.mean()), int(style.mean()), 7), np.uint8)


def test_stopping_and_coming_back_makes_each_picture_once(rows: list[Row], tmp_path: Path) -> None:
    folder, calls = tmp_path / "made", []

    def paint(content: np.ndarray, style: np.ndarray, recipe: Recipe) -> np.ndarray:
        calls.append(recipe)
        return blend(content, style, recipe)

    clock = count(0.0, 2.0)
    first = list(islice(make(rows, folder, paint, clock=lambda: next(clock)), 2))
    assert [(made.done, made.total) for made in first] == [(1, 5), (2, 5)]
    assert first[1].remaining == pytest.approx(first[1].elapsed / 2 * 3)
    # A crash in the middle of a line.
    with (folder / MANIFEST).open("a") as file:
        file.write('{"name": "00002-ada')
    assert [made.done for made in make(rows, folder, paint)] == [3, 4, 5]
    assert len(calls) == 5
    lines = read_manifest(folder)
    assert [line["name"] for line in lines] == [row.name for row in rows]
    assert list(make(rows, folder, paint)) == []
    assert (lines[0]["width"], lines[0]["height"], lines[0]["generator"]) == (30, 20, "adain")
    assert Recipe.model_validate(lines[0]["recipe"]) == rows[0].recipe
    np.testing.assert_array_equal(read(folder / "00004-adain.png"), blend(data.coffee(), data.astronaut(), rows[0].recipe))


def test_a_picture_that_cannot_be_made_is_told_and_passed_over(rows: list[Row], tmp_path: Path) -> None:
    def paint(content: np.ndarray, style: np.ndarray, recipe: Recipe) -> np.ndarray:
        raise EngineError("Numbers that are not finite.")

    rows[1] = replace(rows[1], content=tmp_path / "missing.png")
    errors = [made.error for made in make(rows[:2], tmp_path / "made", paint)]
    assert errors[0] == "Numbers that are not finite." and "missing.png" in str(errors[1])
    assert read_manifest(tmp_path / "made") == []


def test_content_is_cropped_to_the_recipe_and_a_texture_is_a_close_crop(rows: list[Row], tmp_path: Path) -> None:
    shapes: list[tuple[tuple[int, ...], tuple[int, ...]]] = []

    def paint(content: np.ndarray, style: np.ndarray, recipe: Recipe) -> np.ndarray:
        shapes.append((content.shape, style.shape))
        return content

    recipe = rows[0].recipe.model_copy(update={"ratio": (3, 4)})
    list(make([replace(rows[0], recipe=recipe, style_kind="texture")], tmp_path / "made", paint))
    ((height, width, _), (side, other, _)) = shapes[0]
    assert (height, width) == (400, 300)
    assert side == other and 0.2 * 512 - 1 <= side <= 0.45 * 512 + 1


def test_files_that_are_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"no picture")
    with pytest.raises(PictureError, match=r"x\.jpg"):
        read(tmp_path / "x.jpg")


def test_large_pictures_are_reduced_and_turned(tmp_path: Path) -> None:
    image = Image.fromarray(np.zeros((1500, 3000, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.jpg", exif=exif)
    assert read(tmp_path / "turned.jpg").shape == (1024, 512, 3)


def test_the_manifest_is_plain_json_lines(rows: list[Row], tmp_path: Path) -> None:
    list(make(rows[:1], tmp_path / "made", blend))
    (line,) = (tmp_path / "made" / MANIFEST).read_text().splitlines()
    assert set(json.loads(line)) == {"name", "part", "content", "style", "style_kind", "generator", "recipe", "width", "height"}
