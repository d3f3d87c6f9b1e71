from __future__ import annotations

from pathlib import Path

from app.local.training_bank import elsewhere
from app.local.training_plan import Sources
from bench.strangers import manifest, orders


def test_every_second_picture_has_a_built_in_style() -> None:
    own = Sources(tuple(Path(f"p{n}.jpg") for n in range(9)), tuple(Path(f"a{n}.jpg") for n in range(9)), (Path("s.jpg"),))
    found = list(orders(own, 60, seed=7))
    assert found == list(orders(own, 60, seed=7)) != list(orders(own, 60, seed=8))
    assert [style for _, _, style in found[1::2]] == [*range(26), 0, 1, 2, 3]
    assert {path.name[0] for _, _, path in found[::2] if isinstance(path, Path)} == {"s", "a"}
    assert len({name for name, _, _ in found}) == 60
    assert {content for _, content, _ in found} <= set(own.photographs)


def test_the_manifest_tells_which_pictures_share_a_content_or_a_style(tmp_path: Path) -> None:
    one, other, painting = Path("birds/1.jpg"), Path("boats/1.jpg"), Path("art/1.jpg")
    (tmp_path / "manifest.jsonl").write_text(
        manifest([("000-arbitrary", one, painting), ("001-builtin", other, 3), ("002-arbitrary", one, other)])
    )
    for name in ("000-arbitrary", "001-builtin", "002-arbitrary", "stray"):
        (tmp_path / f"{name}.png").touch()
    found = elsewhere(tmp_path)
    assert [(item.content, item.style) for item in found] == [
        ("birds/1.jpg", "art/1.jpg"),
        ("boats/1.jpg", "built-in 3"),
        ("birds/1.jpg", "boats/1.jpg"),
        ("stray", "stray"),
    ]
