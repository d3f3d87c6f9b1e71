from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from app.core.errors import InputError
from app.local.training_plan import PARTS, Sources, part_of, plan, sources

MANY = Sources(
    tuple(Path(f"photos/{n}.jpg") for n in range(300)),
    tuple(Path(f"art/{n}.jpg") for n in range(200)),
    tuple(Path(f"styles/{n}.jpg") for n in range(60)),
)


def test_a_picture_takes_content_and_style_from_its_own_part() -> None:
    rows = plan(MANY, 150, 50, seed=3)
    assert Counter(row.recipe.generator for row in rows) == {"adain": 150, "optimiser": 50}
    for row in rows:
        assert part_of(row.content, 3) == part_of(row.style, 3) == row.part
        expected = {"style": "styles", "painting": "art"}.get(row.style_kind, "photos")
        assert (row.content.parent.name, row.style.parent.name) == ("photos", expected)
    assert {row.style_kind for row in rows} == {"style", "painting", "photograph", "texture"}


def test_the_same_seed_gives_the_same_plan_and_its_beginning_is_a_fair_sample() -> None:
    rows = plan(MANY, 90, 30, seed=1)
    assert rows == plan(MANY, 90, 30, seed=1) != plan(MANY, 90, 30, seed=2)
    assert len({row.name for row in rows}) == 120
    assert Counter(row.recipe.generator for row in rows[:40]) == {"adain": 30, "optimiser": 10}
    assert {row.part for row in rows[:40]} == set(PARTS)


def test_parts_have_their_shares_and_do_not_move() -> None:
    before = [part_of(path, 0) for path in MANY.photographs]
    counts = Counter(before)
    assert all(abs(counts[part] / 300 - share) < 0.07 for part, share in PARTS.items())
    own = [MANY.part(part, 0).photographs for part in PARTS]
    assert sorted(path for paths in own for path in paths) == sorted(MANY.photographs)


def test_the_optimiser_is_asked_in_every_way() -> None:
    recipes = [row.recipe for row in plan(MANY, 0, 300, seed=0)]
    assert {(one.padding, one.pooling) for one in recipes} == {("zero", "avg"), ("zero", "max"), ("reflect", "avg"), ("reflect", "max")}
    assert {one.params.init for one in recipes} == {"adain", "content", "noise"}
    assert {one.params.optimiser for one in recipes} == {"lbfgs", "adam"}
    assert {one.params.levels for one in recipes} == {1, 3}
    assert min(one.params.strength for one in recipes) < 0.4 and max(one.params.strength for one in recipes) > 4
    assert {one.params.size for one in recipes} == {256, 288, 320}
    assert any(one.params.tv for one in recipes) and any(one.keep_colour for one in recipes)


def test_adain_is_asked_at_several_strengths_and_sizes() -> None:
    recipes = [row.recipe for row in plan(MANY, 200, 0, seed=0)]
    assert len({one.params.size for one in recipes}) > 10 and {one.params.aspect for one in recipes} == {"keep", "square"}
    assert min(one.alpha for one in recipes) < 0.6 and sum(one.alpha == 1 for one in recipes) > 60
    assert all(256 <= one.params.size <= 512 and one.params.iterations == () for one in recipes)


def test_a_part_without_styles_is_refused() -> None:
    with pytest.raises(InputError, match="Too few pictures"):
        plan(Sources(MANY.photographs, MANY.paintings, MANY.styles[:1]), 10, 2, seed=0)


def test_folders_are_searched_and_an_empty_one_is_told(tmp_path: Path) -> None:
    for name in ("photos/b/2.JPG", "photos/1.png", "photos/notes.txt", "art/1.webp"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "none").mkdir()
    photos, art, none = ([tmp_path / name] for name in ("photos", "art", "none"))
    found = sources(photos, art, photos)
    assert [path.name for path in found.photographs] == ["1.png", "2.JPG"]
    with pytest.raises(InputError, match="There are no styles"):
        sources(photos, art, none)
