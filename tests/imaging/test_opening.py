"""The pictures of one form: each has its time, and all have one together."""

from __future__ import annotations

import time

import pytest

from app.core.errors import TooSlow
from app.imaging.decode import DecoderPool, Limits
from app.imaging.opening import Opening
from tests.imaging.made import noisy
from tests.imaging.test_decode import scripted

# A picture takes as many tenths of a second as its last byte says.
BODY = (
    "original = child.normalise\n"
    "child.normalise = lambda data, *given: (time.sleep(data[-1] / 10), original(data, *given))[1]\n"
    "child.main()"
)


def taking(seconds: float) -> bytes:
    return noisy() + bytes([round(10 * seconds)])


def test_pictures_that_each_take_some_time_have_an_end_together() -> None:
    with DecoderPool(1, Limits(seconds=2), command=scripted(BODY)) as pool:
        pool.decode(taking(0), wait=60)
        opening, began, opened = Opening(pool), time.monotonic(), 0
        with pytest.raises(TooSlow, match="longer than 6 seconds to open together") as caught:
            for _ in range(30):
                opening.decode(taking(0.7), field=f"style{opened}")
                opened += 1
        assert time.monotonic() - began < 9
        assert 2 <= opened <= 8
        assert caught.value.field == f"style{opened}"
        # Whose time is over waits for nobody, and keeps no decoder from others.
        with pytest.raises(TooSlow, match="together"):
            opening.decode(taking(0))
        assert pool.decode(taking(0), wait=60).width == 64


def test_one_that_takes_too_long_is_told_from_all_together() -> None:
    with DecoderPool(1, Limits(seconds=1), command=scripted(BODY)) as pool:
        pool.decode(taking(0), wait=60)
        with pytest.raises(TooSlow, match=r"^This picture takes longer than 1 seconds"):
            Opening(pool).decode(taking(20))


def test_the_first_is_sent_away_at_once_and_those_after_it_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = []
    decode = DecoderPool.decode

    def watched(self: DecoderPool, data: bytes, **given: float | None) -> object:
        waits.append(given["wait"])
        return decode(self, data, field=None, wait=60)

    with DecoderPool(1, Limits(seconds=20)) as pool, monkeypatch.context() as patch:
        patch.setattr(DecoderPool, "decode", watched)
        opening = Opening(pool)
        for _ in range(3):
            opening.decode(noisy())
    assert waits == [None, 20.0, 20.0]
