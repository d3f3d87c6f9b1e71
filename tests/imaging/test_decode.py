"""The pool of decoder processes: what is refused, what is killed, what is replaced."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from app.core.config import Settings
from app.core.errors import InputError, PictureError, TooLarge, Unavailable
from app.imaging import decode
from app.imaging.decode import Decoded, DecoderPool, Limits
from app.imaging.encode import read_rgb
from tests.imaging.made import noisy
from tests.imaging.mutants import mutants

ROOT = Path(__file__).resolve().parents[2]


def scripted(body: str) -> tuple[str, ...]:
    """Command of a decoder that runs ``body`` with the real one at hand as ``child``."""
    return (sys.executable, "-c", f"import os, sys, time\nimport app.imaging.decoder_child as child\n{body}")


def children() -> set[int]:
    return {process.pid for process in psutil.Process().children()}


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(2, Limits(seconds=20), wait=60) as ready:
        yield ready


def test_pixels_arrive_unchanged(pool: DecoderPool) -> None:
    data = noisy(90, 70)
    decoded = pool.decode(data)
    assert (decoded.width, decoded.height) == (90, 70)
    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_array_equal(read_rgb(decoded.png), np.asarray(image))
    assert read_rgb(decoded.thumbnail_jpeg).shape == (70, 90, 3)


def test_limits_follow_the_settings() -> None:
    limits = Limits.of(Settings(max_upload_mb=2, max_megapixels=3, decode_seconds=4))
    assert (limits.max_bytes, limits.max_pixels, limits.seconds) == (2_000_000, 3_000_000, 4)
    assert Limits.of(Settings()) == Limits()


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (b"", PictureError, "empty"),
        (b"<svg/>", PictureError, "SVG"),
        (noisy()[:60], PictureError, "cut off|damaged"),
        (noisy(20, 20), PictureError, "too small: 20 × 20"),
        (b"x" * 25_000_001, TooLarge, "larger than 25 MB"),
    ],
    ids=["empty", "svg", "cut off", "small", "heavy"],
)
def test_errors_name_their_field(pool: DecoderPool, data: bytes, kind: type[InputError], words: str) -> None:
    with pytest.raises(kind, match=words) as caught:
        pool.decode(data, field="style")
    assert caught.value.field == "style"


def test_mutated_pictures_are_read_or_refused(pool: DecoderPool) -> None:
    outcomes = {"read": 0, "refused": 0}
    with ThreadPoolExecutor(2) as threads:
        for future in [threads.submit(pool.decode, data, field="content") for data in mutants(400)]:
            try:
                decoded = future.result()
                assert read_rgb(decoded.png).shape == (decoded.height, decoded.width, 3)
                outcomes["read"] += 1
            except InputError as error:
                assert error.field == "content"
                assert error.message.endswith(".")
                outcomes["refused"] += 1
    assert outcomes["read"] > 20
    assert outcomes["refused"] > 100


def test_a_hanging_decoder_is_killed_and_replaced() -> None:
    body = "original = child.normalise\nchild.normalise = lambda data, *given: time.sleep(600) if data == b'hang' else original(data, *given)\nchild.main()"
    before = children()
    with DecoderPool(1, Limits(seconds=2), command=scripted(body)) as pool:
        pool.decode(noisy())
        (hung,) = children() - before
        started = time.monotonic()
        with pytest.raises(PictureError, match="longer than 2 seconds") as caught:
            pool.decode(b"hang", field="content")
        assert caught.value.field == "content"
        assert time.monotonic() - started < 30
        assert not psutil.pid_exists(hung)
        assert isinstance(pool.decode(noisy()), Decoded)


def test_processor_time_is_bounded_by_the_kernel() -> None:
    body = "from app.imaging.limits import Limits\nlimits = Limits(seconds=0.1)\nchild.confine(limits)\nchild.allow_time(limits)\nwhile True: pass"
    ended = subprocess.run(scripted(body), timeout=60, env={"PYTHONPATH": str(ROOT)})
    assert ended.returncode == -signal.SIGXCPU


def test_memory_is_bounded_by_the_kernel() -> None:
    """The decoder really asks for four gigabytes, and is really refused."""
    body = "original = child.normalise\nchild.normalise = lambda data, *given: bytearray(4 << 30) if data == b'greedy' else original(data, *given)\nchild.main()"
    with DecoderPool(1, Limits(seconds=20), command=scripted(body)) as pool:
        with pytest.raises(TooLarge, match="more memory"):
            pool.decode(b"greedy")
        assert isinstance(pool.decode(noisy()), Decoded)


def test_a_decoder_cannot_write_files(tmp_path_factory: pytest.TempPathFactory) -> None:
    target = tmp_path_factory.mktemp("written") / "file"
    body = (
        "import signal\nfrom app.imaging.limits import Limits\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"child.confine(Limits())\nopen({str(target)!r}, 'wb', buffering=0).write(b'x')"
    )
    ended = subprocess.run(scripted(body), timeout=60, env={"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE)
    assert ended.returncode == 1
    assert b"File too large" in ended.stderr
    assert target.stat().st_size == 0


@pytest.mark.parametrize(
    "body",
    [
        "os.abort()",
        "os._exit(0)",
        "sys.stdout.buffer.write(bytes([255]) * 4096)",
        "sys.stdout.buffer.write(bytes([0, 0, 0, 2] + [0] * 8) + b'[]')",
    ],
    ids=["abort", "exit", "babble", "wrong answer"],
)
def test_a_decoder_that_breaks_is_a_picture_error(body: str) -> None:
    with DecoderPool(1, Limits(seconds=20), command=scripted(f"sys.stdin.buffer.read(8)\n{body}")) as pool:
        for _ in range(2):
            with pytest.raises(PictureError, match="damaged in a way"):
                pool.decode(noisy())


def test_a_decoder_killed_while_idle_costs_no_upload() -> None:
    before = children()
    with DecoderPool(1, Limits()) as pool:
        pool.decode(noisy())
        (idle,) = children() - before
        os.kill(idle, signal.SIGKILL)
        assert isinstance(pool.decode(noisy()), Decoded)


def test_decoders_are_recycled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "_USES", 3)
    before, seen = children(), []
    with DecoderPool(1, Limits()) as pool:
        for _ in range(7):
            seen.append(next(iter(children() - before)))
            pool.decode(noisy())
    assert [seen.index(pid) for pid in seen] == [0, 0, 0, 3, 3, 3, 6]
    assert children() == before


def test_threads_share_the_pool_and_get_their_own_noisy(pool: DecoderPool) -> None:
    sizes = [(40 + n, 90 - n) for n in range(24)]
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda size: pool.decode(noisy(*size), wait=90), sizes))
    assert [(result.width, result.height) for result in results] == sizes


def test_no_free_decoder_is_said_politely() -> None:
    with DecoderPool(1, Limits(seconds=3), command=scripted("time.sleep(600)"), wait=0.05) as pool, ThreadPoolExecutor(1) as threads:
        busy = threads.submit(pool.decode, noisy())
        while pool._idle.qsize():
            time.sleep(0.01)
        with pytest.raises(Unavailable, match="Try again"):
            pool.decode(noisy())
        with pytest.raises(PictureError, match="longer than"):
            busy.result()


def test_where_enough_wait_the_next_is_sent_away_at_once() -> None:
    with DecoderPool(1, Limits(seconds=3), command=scripted("time.sleep(600)"), wait=60) as pool, ThreadPoolExecutor(3) as threads:
        crowd = [threads.submit(pool.decode, noisy()) for _ in range(3)]
        while pool._places._value:
            time.sleep(0.01)
        with pytest.raises(Unavailable, match="Try again"):
            pool.decode(noisy())
        assert not any(one.done() for one in crowd), "nobody's turn has come meanwhile"
        for one in crowd:
            with pytest.raises(PictureError, match="longer than"):
                one.result()


def test_a_visitor_waits_a_moment_and_a_dataset_longer() -> None:
    """The decoder is free again after a second and a half: too late for one, in time for the other."""
    body = (
        "original = child.normalise\n"
        "child.normalise = lambda data, *given: time.sleep(1.5) or original(data, *given) if data.endswith(b'slow') else original(data, *given)\n"
        "child.main()"
    )
    with DecoderPool(1, Limits(seconds=60), command=scripted(body)) as pool, ThreadPoolExecutor(1) as threads:
        pool.decode(noisy())
        busy = threads.submit(pool.decode, noisy() + b"slow")
        while pool._idle.qsize():
            time.sleep(0.01)
        with pytest.raises(Unavailable, match="Try again") as caught:
            pool.decode(noisy(), wait=0.2)
        assert (caught.value.status, caught.value.retry_after) == (503, 3)
        assert pool.decode(noisy(), wait=60).width == 64
        assert busy.result().width == 64
    assert decode._WAIT <= 1


def test_both_attempts_share_one_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that is killed from outside is replaced, and the next one gets what is left of the time."""
    deadlines = []
    ask = decode._Decoder.ask

    def watched(self: decode._Decoder, data: bytes, region: bool, deadline: float) -> list[bytes]:
        deadlines.append(deadline)
        return ask(self, data, region, deadline)

    monkeypatch.setattr(decode._Decoder, "ask", watched)
    body = "child.normalise = lambda data, *given: os.kill(os.getpid(), 9) if data == b'kill' else time.sleep(600)\nchild.main()"
    with DecoderPool(1, Limits(seconds=2), command=scripted(body)) as pool:
        with pytest.raises(PictureError, match="damaged in a way"):
            pool.decode(b"kill")
        assert len(deadlines) == 2
        assert deadlines[0] == deadlines[1]
        with pytest.raises(PictureError, match="longer than 2 seconds"):
            pool.decode(b"hang")
        assert len(deadlines) == 3  # one that is too slow is not asked again


def test_a_decoder_that_cannot_be_started_is_said_politely(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise BlockingIOError("no process can be started")

    with DecoderPool(1, Limits()) as pool:
        pool.decode(noisy())
        idle = pool._idle.get()
        assert idle is not None
        idle.close()
        pool._idle.put(idle)
        with monkeypatch.context() as patch:
            patch.setattr(decode.subprocess, "Popen", full)
            for _ in range(2):
                with pytest.raises(Unavailable, match="Try again"):
                    pool.decode(noisy())
        assert pool.decode(noisy()).width == 64


def test_close_ends_every_decoder() -> None:
    before = children()
    pool = DecoderPool(3, Limits())
    pool.start()
    pool.start()
    assert len(children() - before) == 3
    pool.close()
    assert children() == before
    with pytest.raises(Unavailable):
        pool.decode(noisy())


def test_a_pool_started_by_its_first_noisy() -> None:
    before = children()
    pool = DecoderPool(1, Limits())
    assert children() == before
    assert pool.decode(noisy()).width == 64
    pool.close()


def test_decoders_see_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENTIMENTO_REDIS_URL", "redis://:secret@example.org")
    before = children()
    with DecoderPool(1, Limits()) as pool:
        pool.decode(noisy())
        (pid,) = children() - before
        assert set(psutil.Process(pid).environ()) <= {"PATH", "PYTHONPATH", "LC_ALL"}


def test_a_pool_of_none_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one decoder"):
        DecoderPool(0, Limits())
