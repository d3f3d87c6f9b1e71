from __future__ import annotations

from pathlib import Path

import pytest

from app.core.config import Settings
from app.local import instance
from app.local.stack import specs
from workers.gpus import environment


@pytest.mark.parametrize(("there", "first", "expected"), [(2, 0, ["0", "0", "1"]), (3, 0, ["0", "2", "1"]), (4, 1, ["1", "3", "2"])])
def test_painter_judge_and_lab_share_out_the_gpus(tmp_path: Path, there: int, first: int, expected: list[str]) -> None:
    for number in range(there):
        (tmp_path / "driver" / f"0000:{number:02x}:00.0").mkdir(parents=True)
    settings = Settings(data_dir=tmp_path / "data", port=0, min_free_mb=0, first_gpu=first)
    instance.open_data_folder(settings.data, settings.min_free_mb)
    with instance.listen(settings.host, settings.port) as listener:
        children = {spec.name: spec for spec in specs(settings, listener)}
    firsts = [int(children[name].env["PENTIMENTO_FIRST_GPU"]) for name in ("worker", "judge", "lab")]
    assert [environment(index, {}, tmp_path / "driver")["CUDA_VISIBLE_DEVICES"] for index in firsts] == expected
