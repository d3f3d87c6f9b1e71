from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.config import Settings
from app.local import instance
from app.local.stack import WORKERS, specs
from workers.gpus import environment


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", port=0)


@pytest.fixture
def gpus(settings: Settings) -> Iterator[dict[str, int]]:
    """Return of which GPU each worker takes the number, were there as many."""
    instance.open_data_folder(settings.data, settings.min_free_mb)
    with instance.listen(settings.host, settings.port) as listener:
        children = {spec.name: spec for spec in specs(settings, listener)}
        yield {name: int(children[name].env["PENTIMENTO_FIRST_GPU"]) for name in WORKERS}


def test_each_worker_has_a_gpu_of_its_own_where_there_are_several(gpus: dict[str, int], tmp_path: Path) -> None:
    assert [gpus["worker"], gpus["judge"], gpus["lab"]] == [0, 1, 2]
    for number in range(2):
        (tmp_path / "driver" / f"0000:{number:02x}:00.0").mkdir(parents=True)
    assert [environment(first, {}, tmp_path / "driver")["CUDA_VISIBLE_DEVICES"] for first in gpus.values()] == ["0", "1", "0"]
