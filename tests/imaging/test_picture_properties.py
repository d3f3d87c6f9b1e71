"""Whatever is given: plain pixels that stand upright and carry nothing, or a sentence."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from app.core.errors import InputError
from app.imaging.decode import Decoded, DecoderPool
from app.imaging.encode import read_rgb
from app.imaging.limits import Limits
from app.imaging.normalise import THUMBNAIL_SIDE, normalise
from tests.imaging.made import oriented, saved
from tests.imaging.mutants import originals

# The same examples each time, and no clock: a busy machine fails nothing.
alike = settings(derandomize=True, deadline=None, max_examples=60, database=None)

# What Pillow can write each mode of pixels as.
KINDS = {
    "1": ("PNG", "TIFF"),
    "L": ("PNG", "TIFF", "JPEG"),
    "LA": ("PNG", "TIFF"),
    "P": ("PNG", "TIFF"),
    "I;16": ("PNG", "TIFF"),
    "RGB": ("PNG", "TIFF", "JPEG", "WEBP", "AVIF"),
    "RGBA": ("PNG", "TIFF", "WEBP", "AVIF"),
    "CMYK": ("TIFF", "JPEG"),
}
HIDDEN = "a hidden place"
MAGIC = (
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    b"RIFF\x40\0\0\0WEBPVP8 ",
    b"RIFF\x40\0\0\0WEBPVP8L",
    b"RIFF\x40\0\0\0WEBPVP8X",
    b"II*\0\x08\0\0\0",
    b"MM\0*\0\0\0\x08",
    b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf",
    *(one[: len(one) // 2] for one in originals()),
)


@st.composite
def pictures(draw: st.DrawFn) -> tuple[bytes, tuple[int, int]]:
    """A file of any mode, kind, size and orientation, and the (width, height) of what is to be seen."""
    mode = draw(st.sampled_from(sorted(KINDS)))
    kind = draw(st.sampled_from(KINDS[mode]))
    width = draw(st.integers(32, 90))
    height = draw(st.integers(max(32, -(-width // 8)), 90))
    chance = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if mode == "I;16":
        image = Image.fromarray(chance.integers(0, 65536, (height, width), dtype=np.uint16))
    elif mode == "P":
        image = Image.fromarray(chance.integers(0, 256, (height, width, 3), dtype=np.uint8)).quantize(8)
    else:
        bands = len(Image.new(mode, (1, 1)).getbands())
        values = chance.integers(0, 256, (height, width, bands), dtype=np.uint8)
        image = (
            Image.merge(mode, [Image.fromarray(values[..., band]) for band in range(bands)])
            if bands > 1
            else Image.fromarray(values[..., 0]).convert(mode)
        )
    orientation = draw(st.integers(1, 8))
    exif = oriented(orientation)
    exif[0x010E] = HIDDEN
    data = saved(image, kind, exif=exif)
    return data, (width, height) if orientation < 5 else (height, width)


def chunks_of(png: bytes) -> set[bytes]:
    found, at = set(), 8
    while at < len(png):
        found.add(png[at + 4 : at + 8])
        at += 12 + int.from_bytes(png[at : at + 4], "big")
    return found


def check_stored(decoded: Decoded) -> None:
    """Check that a stored picture is plain, and that reading it again changes nothing."""
    assert chunks_of(decoded.png) == {b"IHDR", b"IDAT", b"IEND"}
    with Image.open(io.BytesIO(decoded.png)) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (decoded.width, decoded.height))
        assert set(image.info) == set()
    with Image.open(io.BytesIO(decoded.thumbnail_jpeg)) as image:
        assert (image.format, image.mode) == ("JPEG", "RGB")
        assert max(image.size) <= THUMBNAIL_SIDE
        assert not image.getexif()
        assert not set(image.info) & {"exif", "icc_profile", "comment", "xmp", "photoshop"}
    again = normalise(decoded.png, Limits())
    np.testing.assert_array_equal(read_rgb(again.png), read_rgb(decoded.png))
    assert again.alpha is None


@alike
@given(pictures())
def test_any_picture_becomes_plain_pixels_that_stand_upright(given_picture: tuple[bytes, tuple[int, int]]) -> None:
    data, size = given_picture
    assert HIDDEN.encode() in data
    decoded = normalise(data, Limits())
    assert (decoded.width, decoded.height) == size
    check_stored(decoded)
    if decoded.alpha is not None:
        assert (decoded.alpha.width, decoded.alpha.height) == size
        check_stored(decoded.alpha)
    stored = [decoded, decoded.alpha] if decoded.alpha else [decoded]
    assert not any(HIDDEN.encode() in one.png + one.thumbnail_jpeg for one in stored)


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(1, Limits(seconds=60), wait=60) as ready:
        yield ready


@settings(alike, max_examples=250)
@given(beginning=st.sampled_from(MAGIC), rest=st.binary(max_size=400))
def test_any_bytes_behind_a_magic_number_are_a_picture_or_refused_in_words(pool: DecoderPool, beginning: bytes, rest: bytes) -> None:
    try:
        decoded = pool.decode(beginning + rest, field="content")
    except InputError as error:
        assert error.field == "content"
        assert error.message.startswith("This ") and error.message.endswith(".")
        assert not any(word in error.message for word in ("Error", "Traceback", "None", "0x", "<"))
    else:
        check_stored(decoded)
