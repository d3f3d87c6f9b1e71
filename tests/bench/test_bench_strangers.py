from __future__ import annotations

from pathlib import Path

from app.local.training_plan import Sources
from bench.strangers import orders


def test_every_second_picture_has_a_built_in_style() -> None:
    own = Sources(tuple(Path(f"p{n}.jpg") for n in range(9)), tuple(Path(f"a{n}.jpg") for n in range(9)), (Path("s.jpg"),))
    found = list(orders(own, 60, seed=7))
    assert found == list(orders(own, 60, seed=7)) != list(orders(own, 60, seed=8))
    assert [style for _, _, style in found[1::2]] == [*range(26), 0, 1, 2, 3]
    assert {path.name[0] for _, _, path in found[::2] if isinstance(path, Path)} == {"s", "a"}
    assert len({name for name, _, _ in found}) == 60
    assert {content for _, content, _ in found} <= set(own.photographs)
