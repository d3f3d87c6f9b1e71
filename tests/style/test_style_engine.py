from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import skimage.data

from app.core.checkpoint import Checkpoint
from app.core.commission import Commission, Style
from app.core.config import Settings
from app.core.errors import EngineError, PictureError
from app.core.memory import Canvas, Plan, need
from app.core.progress import Losses, Progress, StopRequested
from app.core.specs import PRESETS, StyleParams, resolve
from bench.seams import worst_seam
from bench.waffle import waffle
from workers.style import pyramid
from workers.style.engine import Engine
from workers.style.objective import Objective
from workers.style.optimiser import Evaluation
from workers.style.resample import shrink, to_uint8

SMALL = StyleParams(size=96, iterations=(4, 3))


@pytest.fixture(scope="module")
def engine(weights_cache: Settings) -> Engine:
    return Engine(weights_cache)


@pytest.fixture(scope="module")
def content() -> np.ndarray:
    return skimage.data.chelsea()


@pytest.fixture(scope="module")
def style() -> np.ndarray:
    return skimage.data.coffee()


@pytest.fixture(scope="module")
def painted(engine: Engine, content: np.ndarray, style: np.ndarray) -> tuple[np.ndarray, list[Progress]]:
    told: list[Progress] = []
    return engine.stylize(Commission.of(content, style, SMALL), told.append), told


def ignore(_: Progress) -> None:
    """A caller that does not listen."""


def stop_at_once(progress: Progress) -> None:
    """A caller who is content with the start."""
    if progress.preview is not None:
        raise StopRequested


def test_longer_side_is_the_size_and_proportions_are_kept(painted: tuple[np.ndarray, list[Progress]], content: np.ndarray) -> None:
    picture, _ = painted
    assert picture.dtype == np.float32 and picture.min() >= 0 and picture.max() <= 1
    assert picture.shape == (round(96 * content.shape[0] / content.shape[1]), 96, 3)


def test_records_tell_the_whole_story(painted: tuple[np.ndarray, list[Progress]]) -> None:
    picture, told = painted
    assert [record.stage for record in told] == ["prepare", "adain", *["refine"] * 7, "finish"]
    assert [record.iteration for record in told] == [0, 0, *range(1, 8), 7]
    assert {record.iterations for record in told} == {7}
    assert [record.scale for record in told[2:-1]] == [48] * 4 + [96] * 3
    fractions = [record.fraction for record in told]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] == 1
    assert told[0].preview is None
    assert all(record.preview is not None and record.preview.shape == picture.shape for record in told[1:])
    np.testing.assert_array_equal(told[-1].preview, to_uint8(picture))


def test_losses_fall_at_each_scale_and_add_up(painted: tuple[np.ndarray, list[Progress]]) -> None:
    for scale in (48, 96):
        losses = [record.losses for record in painted[1] if record.stage == "refine" and record.scale == scale]
        assert all(loss and loss.total == pytest.approx(loss.content + loss.style + loss.tv) for loss in losses)
        assert losses[-1].total < losses[0].total


def test_the_same_arguments_give_the_same_pixels_and_no_new_graph(
    engine: Engine, content: np.ndarray, style: np.ndarray, painted: tuple[np.ndarray, list[Progress]]
) -> None:
    np.testing.assert_array_equal(engine.stylize(Commission.of(content, style, SMALL), ignore), painted[0])
    engine.stylize(Commission.of(style[:300, :451], content, resolve("default", {**SMALL.model_dump(), "strength": 2.0})), ignore)
    assert engine._objective.traces == 1


@pytest.mark.parametrize("stop_at", range(10))
def test_stopping_at_any_record_returns_the_picture_so_far_at_full_size(
    engine: Engine, content: np.ndarray, style: np.ndarray, painted: tuple[np.ndarray, list[Progress]], stop_at: int
) -> None:
    told: list[Progress] = []

    def stop(progress: Progress) -> None:
        told.append(progress)
        if len(told) == stop_at + 1:
            raise StopRequested

    picture = engine.stylize(Commission.of(content, style, SMALL), stop)
    assert len(told) == stop_at + 1
    assert picture.shape == painted[0].shape
    assert picture.std() > 0.04
    if told[-1].stage in ("adain", "finish"):
        np.testing.assert_array_equal(to_uint8(picture), told[-1].preview)


def test_other_exceptions_of_the_caller_pass_through(engine: Engine, content: np.ndarray, style: np.ndarray) -> None:
    def fail(_: Progress) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        engine.stylize(Commission.of(content, style, SMALL), fail)


def test_instant_is_one_picture_and_differs_from_both(engine: Engine, content: np.ndarray, style: np.ndarray) -> None:
    told: list[Progress] = []
    picture = engine.stylize(Commission.of(content, style, resolve("instant", {"size": 96})), told.append)
    assert [record.stage for record in told] == ["prepare", "adain", "finish"]
    assert told[0].iterations == 0
    np.testing.assert_array_equal(to_uint8(picture), told[1].preview)
    assert np.abs(picture.mean(axis=(0, 1)) - style.mean(axis=(0, 1)) / 255).mean() < 0.16


def test_the_decoder_s_grid_is_in_the_published_picture_and_not_in_a_job_s(engine: Engine) -> None:
    content, style = skimage.data.rocket(), np.stack([skimage.data.gravel()] * 3, axis=-1)
    params = resolve("instant", {"size": 256})
    published = engine.instant(content, style, params)
    ours = to_uint8(engine.stylize(Commission.of(content, style, params), ignore))
    photograph = to_uint8(shrink(content, *ours.shape[:2]))
    before, after = waffle(published, photograph), waffle(ours, photograph)
    assert before is not None and after is not None
    assert before > 4 and after < before - 3
    assert np.abs(published.astype(int) - ours).mean() < 12


def test_papers_set_up_is_square_and_begins_at_the_photograph(engine: Engine, content: np.ndarray, style: np.ndarray) -> None:
    paper = PRESETS["paper"].params
    assert (paper.size, paper.aspect, paper.content_layer, paper.init) == (512, "square", "relu5_2", "content")
    assert (paper.optimiser, paper.learning_rate, paper.iterations, paper.levels) == ("adam", 0.02, (1000,), 1)
    told: list[Progress] = []
    picture = engine.stylize(Commission.of(content, style, resolve("paper", {"size": 64, "iterations": (6,)})), told.append)
    assert picture.shape == (64, 64, 3)
    assert "adain" not in {record.stage for record in told}
    losses = [record.losses.total for record in told if record.losses]
    assert losses[-1] < losses[0]


def test_noise_depends_on_the_seed_alone(engine: Engine, content: np.ndarray, style: np.ndarray) -> None:
    def paint(seed: int) -> np.ndarray:
        return engine.stylize(Commission.of(content, style, StyleParams(size=64, iterations=(2,), init="noise", seed=seed)), ignore)

    first, again, other = paint(1), paint(1), paint(2)
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.5


@pytest.mark.parametrize("iterations", [(), (3, 2)])
def test_what_is_protected_is_the_photograph(engine: Engine, content: np.ndarray, style: np.ndarray, iterations: tuple[int, ...]) -> None:
    params = StyleParams(size=96, iterations=iterations)
    left = np.zeros((2, 96), np.float32)
    left[:, :48] = 1
    told: list[Progress] = []
    picture = engine.stylize(replace(Commission.of(content, style, params), protect=left), told.append)
    photograph = shrink(content, *picture.shape[:2])
    np.testing.assert_allclose(picture[:, :40], photograph[:, :40], atol=1e-6)
    assert np.abs(picture[:, 56:] - photograph[:, 56:]).mean() > 0.03
    assert all(np.abs(one.preview[:, :40] / 255 - photograph[:, :40]).max() < 0.01 for one in told if one.preview is not None)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_one_colour_pictures_give_a_picture(engine: Engine, style: np.ndarray, value: int) -> None:
    flat = np.full((64, 48, 3), value, np.uint8)
    for pair in ((flat, style), (style, flat), (flat, flat)):
        losses: list[Progress] = []
        picture = engine.stylize(Commission.of(*pair, StyleParams(size=64, iterations=(3,))), losses.append)
        assert max(picture.shape) == 64
        assert all(np.isfinite(record.losses.total) for record in losses if record.losses)


@pytest.mark.parametrize("shape", [(32, 256, 3), (256, 32, 3), (33, 47, 3)])
def test_extreme_shapes_give_a_picture_of_the_same_shape(engine: Engine, style: np.ndarray, shape: tuple[int, int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    picture = engine.stylize(Commission.of(noise, style, StyleParams(size=64, iterations=(1, 1))), ignore)
    height, width = (max(1, round(64 * side / max(shape))) for side in shape[:2])
    assert picture.shape == (height, width, 3)


@pytest.mark.parametrize("field", ["content", "style"])
def test_pictures_too_small_are_refused_by_name(engine: Engine, content: np.ndarray, field: str) -> None:
    small = np.zeros((31, 64, 3), np.uint8)
    pair = (small, content) if field == "content" else (content, small)
    with pytest.raises(PictureError) as caught:
        engine.stylize(Commission.of(*pair, SMALL), ignore)
    assert caught.value.field == field


def test_a_loss_that_is_not_finite_ends_with_a_clear_error(
    engine: Engine, content: np.ndarray, style: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Evaluation[Losses]:
        return Evaluation(float("inf"), np.zeros(1, np.float32), Losses(0.0, float("inf"), 0.0, float("inf")))

    monkeypatch.setattr(Objective, "evaluate", broken)
    with pytest.raises(EngineError, match="not finite"):
        engine.stylize(Commission.of(content, style, SMALL), ignore)


def test_warm_up_builds_the_shared_graphs_and_facts_name_the_networks(engine: Engine) -> None:
    engine.warm_up()
    facts = engine.facts()
    assert set(facts["weights"]) == {"vgg19", "adain_decoder"}
    assert facts["precision"] == engine.precision
    assert facts["xla"] is engine.xla is False


def test_the_settings_of_a_gpu_paint_the_same_picture(
    weights_cache: Settings, content: np.ndarray, style: np.ndarray, engine: Engine
) -> None:
    """XLA and bfloat16, as far as a processor can run them; tiles and regions under XLA: test_style_tiles.py."""
    forced = Engine(weights_cache.model_copy(update={"precision": "bfloat16", "xla": "on"}))
    plain = Engine(weights_cache.model_copy(update={"precision": "bfloat16", "xla": "off"}))
    assert forced.facts()["xla"] is True
    commission = Commission.of(content, style, StyleParams(size=64, iterations=(3, 3)))
    found, expected = (one.stylize(commission, ignore) for one in (forced, plain))
    assert float(np.abs(found - expected).mean()) < 0.02 < float(np.abs(found - plain.stylize(commission, stop_at_once)).mean())


def test_a_hard_border_between_two_regions_leaves_no_line(engine: Engine, content: np.ndarray, style: np.ndarray) -> None:
    # The same painting on both sides: whatever shows along the border is a seam.
    left = np.zeros((40, 60), np.float32)
    left[:, :30] = 1.0
    params = StyleParams(size=128, iterations=(10, 10))
    found = engine.stylize(Commission(content, (Style(style, mask=left), Style(style, mask=1 - left)), params), ignore)
    undivided = engine.stylize(Commission.of(content, style, params), ignore)
    at = found.shape[1] // 2
    border, usual = (worst_seam(to_uint8(picture), [], [at]).prominence for picture in (found, undivided))
    pasted = np.concatenate((found[:, :at], found[:, at:][::-1]), axis=1)
    assert border < usual + 0.3 < worst_seam(to_uint8(pasted), [], [at]).prominence


def test_who_is_refused_a_size_is_told_a_smaller_one_that_is_taken(
    engine: Engine, content: np.ndarray, style: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Room for the picture, but not for the margin around it.
    half = engine.precision == "bfloat16"
    free = need(Canvas(2048, 2048, 1365, (2048, 1365), 512 * 341), 128, 3, half=half)
    monkeypatch.setattr("workers.style.engine.free_bytes", lambda: free)
    with pytest.raises(EngineError, match=r"at most 1536 pixels\. Received: 2048 pixels") as caught:
        engine.plan(Commission.of(content, style, StyleParams(size=2048)))
    assert "GB" in caught.value.message
    assert engine.plan(Commission.of(content, style, StyleParams(size=1536))).needed <= free


@pytest.mark.parametrize(("gpu", "tile"), [(False, 2048), (True, 1024)])
def test_ample_memory_is_used_where_it_is_the_networks_own(
    engine: Engine, content: np.ndarray, style: np.ndarray, monkeypatch: pytest.MonkeyPatch, gpu: bool, tile: int
) -> None:
    monkeypatch.setattr("workers.style.engine.free_bytes", lambda: 2**36)
    monkeypatch.setattr("workers.style.engine.on_gpu", lambda: gpu)
    assert engine.plan(Commission.of(content, style, StyleParams(size=1448))).tile == tile


@pytest.fixture
def in_tiles(monkeypatch: pytest.MonkeyPatch) -> StyleParams:
    """Parameters of a long thin picture that is worked on in three windows, small as it is."""
    monkeypatch.setattr("workers.style.level.is_cut", lambda *_: True)
    monkeypatch.setattr("workers.style.engine.plan", lambda *_, **__: Plan(tile=96, history=15, needed=0))
    return StyleParams(size=256, iterations=(4,), levels=1)


def test_the_settings_of_a_gpu_paint_the_same_picture_in_tiles(
    weights_cache: Settings, content: np.ndarray, style: np.ndarray, in_tiles: StyleParams
) -> None:
    forced, plain = (Engine(weights_cache.model_copy(update={"precision": "bfloat16", "xla": xla})) for xla in ("on", "off"))
    commission = Commission.of(content[:70, :448], style[:200, :200], in_tiles)
    parts = list[Progress]()
    found = forced.stylize(commission, parts.append)
    assert sum(part.stage == "refine" and part.losses is None for part in parts) > 6, "worked on in windows"
    expected = plain.stylize(commission, ignore)
    assert float(np.abs(found - expected).mean()) < 0.02 < float(np.abs(found - plain.stylize(commission, stop_at_once)).mean())


def test_in_the_middle_of_an_iteration_it_stops_with_the_best_before_and_goes_on_from_there(
    engine: Engine, content: np.ndarray, style: np.ndarray, in_tiles: StyleParams
) -> None:
    commission = Commission.of(content[:70, :448], style[:200, :200], in_tiles)
    parts, saved = list[Progress](), list[Checkpoint]()
    whole, steps = list[Progress](), list[float]()

    def stop_inside(progress: Progress) -> None:
        if progress.losses is None and progress.iteration == 2:
            parts.append(progress)
            if len(parts) == 5:
                assert progress.save is not None
                saved.append(progress.save())
                raise StopRequested

    stopped = engine.stylize(commission, stop_inside)
    [left] = saved
    assert (left.done, left.iteration) == (2, 2)
    frame = pyramid.frame(70, 448, in_tiles)
    np.testing.assert_array_equal(stopped, np.clip(frame.crop(left.best), 0, 1))
    engine.stylize(commission, whole.append)
    engine.stylize(commission, lambda progress: steps.append(progress.losses.total) if progress.losses else None, resume=left)
    undisturbed = [record.losses.total for record in whole if record.losses]
    assert len(undisturbed) == 4 and len(steps) == 2
    assert steps[-1] == pytest.approx(undisturbed[-1], rel=0.02)
    fractions = [record.fraction for record in whole]
    assert fractions == sorted(fractions) and len(set(fractions)) > 20


def test_a_state_saved_while_other_settings_are_worked_with_is_of_the_old_ones(
    engine: Engine, content: np.ndarray, style: np.ndarray, in_tiles: StyleParams
) -> None:
    commission = Commission.of(content[:70, :448], style[:200, :200], in_tiles)
    stronger = replace(commission, params=in_tiles.model_copy(update={"strength": 8.0}))
    asked, saved = list[int](), list[Checkpoint]()

    def steer() -> Commission:
        asked.append(len(asked))
        return stronger if len(asked) > 2 else commission

    def follow(progress: Progress) -> None:
        if progress.losses is None and len(asked) == 3 and progress.save:
            saved.append(progress.save())
            raise StopRequested

    engine.stylize(commission, follow, steer=steer)
    [left] = saved
    assert left.settings["strength"] == 1.0 and len(left.losses) == 2
    went_on, best = list[Progress](), list[float]()
    engine.stylize(commission, went_on.append, resume=left, steer=lambda: stronger)
    best = [record.losses.total for record in went_on if record.losses]
    assert best[0] > left.losses[-1], "judged by the new settings"
    assert went_on[-2].save is not None and min(went_on[-2].save().losses) == pytest.approx(min(best))
