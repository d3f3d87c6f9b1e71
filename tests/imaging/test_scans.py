from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.core.errors import PictureError
from app.imaging.limits import Limits
from app.imaging.normalise import normalise
from app.imaging.scans import count_scans
from tests.imaging.made import noisy, saved


def thumbnailed() -> bytes:
    """A JPEG of one scan whose EXIF block holds another JPEG, and behind which a third one follows."""
    exif = b"Exif\0\0" + noisy(32, 32, "JPEG", progressive=True)
    return noisy(64, 48, "JPEG", exif=exif) + noisy(32, 32, "JPEG", progressive=True)


def repeated(count: int) -> bytes:
    """A grey progressive JPEG whose last scan comes ``count`` times more."""
    data = saved(Image.new("L", (64, 48), 90), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * count + data[-2:]


# The scans of libjpeg's own script for progressive pictures (jcparam.c): ten in colour, six in grey.
@pytest.mark.parametrize(
    ("data", "scans"),
    [
        (noisy(64, 48, "JPEG"), 1),
        (noisy(64, 48, "JPEG", progressive=True), 10),
        (noisy(64, 48, "JPEG", restart_marker_rows=1), 1),
        (thumbnailed(), 1),
        (repeated(0), 6),
        (repeated(7), 13),
        (b"\xff\xd8\xff", 0),
    ],
    ids=["baseline", "progressive", "restarts", "thumbnail", "grey", "repeated", "nothing"],
)
def test_scans_are_counted(data: bytes, scans: int) -> None:
    assert count_scans(data) == scans


@given(st.lists(st.sampled_from([b"\xff", b"\xda", b"\xd9", b"\0", b"\0\2", b"x"]), max_size=60).map(b"".join))
def test_any_bytes_have_a_number(data: bytes) -> None:
    assert 0 <= count_scans(data) <= len(data) // 2


def test_too_many_scans_are_refused_before_they_are_read() -> None:
    limits = Limits(max_scans=20)
    with Image.open(io.BytesIO(normalise(repeated(14), limits).png)) as image:
        assert image.size == (64, 48)
    with pytest.raises(PictureError, match="stored in 21 scans; at most 20"):
        normalise(repeated(15), limits)
