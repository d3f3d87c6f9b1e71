from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from bench.pictures import KINDS, PAIRS, painting, photograph
from bench.plan import Plan
from bench.records import Measures, Painted, Records
from bench.sheet import card, laid_out, save

PAINTED = Painted(20.0, 38.0, None, 0.3, 70, 0.25, 1_500_000_000, {"float32": 1.5e11}, 0.2, "bfloat16")
MEASURES = Measures(0.4, 0.6, 0.5, 0.7, None)
PAIR = ("chelsea", "night")


def test_what_is_painted_and_judged_is_found_again(tmp_path: Path) -> None:
    records, pixels = Records(tmp_path), np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    assert not records.is_painted("fast", PAIR)
    records.keep("fast", PAIR, pixels, PAINTED)
    assert records.is_painted("fast", PAIR)
    assert not records.is_judged("fast", PAIR)
    assert list(records.all(["fast"], [PAIR])) == []
    records.judge("fast", PAIR, MEASURES)
    [found] = Records(tmp_path).all(["instant", "fast"], [PAIR, ("coffee", "night")])
    assert (found.system, found.pair, found.size, found.painted, found.measures) == ("fast", PAIR, (30, 20), PAINTED, MEASURES)
    np.testing.assert_array_equal(records.picture("fast", PAIR), pixels)


def test_a_picture_without_its_figures_is_painted_again(tmp_path: Path) -> None:
    records = Records(tmp_path)
    path = records.picture_path("fast", PAIR)
    path.parent.mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(path)
    assert not records.is_painted("fast", PAIR)


def test_other_sources_sizes_and_machines_begin_anew_more_pairs_go_on(tmp_path: Path) -> None:
    (tmp_path / "bench").mkdir()
    source = tmp_path / "bench" / "judge.py"
    source.write_text("1")
    names = [Plan(size=256).fingerprint("A", tmp_path), Plan().fingerprint("B", tmp_path), Plan(share=0.5).fingerprint("A", tmp_path)]
    first = Plan().fingerprint("A", tmp_path)
    assert Plan(pairs=2, full=1).fingerprint("A", tmp_path) == first
    source.write_text("2")
    assert len({first, *names, Plan().fingerprint("A", tmp_path)}) == 5


def test_a_plan_is_read_back_and_tells_a_try_from_the_whole(tmp_path: Path) -> None:
    plan = Plan(pairs=2, share=0.1)
    plan.write(tmp_path)
    assert Plan.read(tmp_path) == plan
    assert not plan.whole
    assert Plan().whole
    assert [plan.iterations(count) for count in (0, 1, 50)] == [0, 1, 5]


def test_every_pair_has_its_pictures_and_every_photograph_a_kind() -> None:
    assert len(PAIRS) == len(set(PAIRS)) >= 12
    assert {content for content, _ in PAIRS} == set(KINDS)
    for content, style in PAIRS:
        assert min(photograph(content).shape[:2]) >= 256
        assert min(painting(style).shape[:2]) >= 256


def test_a_sheet_has_a_place_for_each_picture_and_stays_under_its_size(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (96, 192, 3), np.uint8)
    rows = [[("one", noise), ("two", None)], [("three", noise), ("four", noise)]]
    sheet = laid_out([[card(pixels, label, (192, 192)) for label, pixels in row] for row in rows])
    assert np.asarray(sheet)[60:140, 20:180].std() > 50
    assert np.asarray(sheet)[10:190, 210:390].min() == 255
    assert laid_out([]).width > 0, "where no system could be run"
    large = Image.fromarray(np.random.default_rng(0).integers(0, 256, (1600, 1600, 3), np.uint8))
    save(large, tmp_path / "sheet.jpg", 1_000_000)
    assert (tmp_path / "sheet.jpg").stat().st_size < 1_000_000
