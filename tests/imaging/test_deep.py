"""16 bits a channel, read back by tifffile and Pillow as well as by ourselves."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from app.imaging import encode, tiff
from app.imaging.chunks import chunks

RNG = np.random.default_rng(16)
EXACT = RNG.integers(0, 65536, (70, 41, 4), dtype=np.uint16)
PICTURE, ALPHA = np.split((EXACT / 65535).astype(np.float32), [3], axis=2)
ALPHA = ALPHA[..., 0]


@pytest.mark.parametrize("alpha", [None, ALPHA], ids=["opaque", "alpha"])
def test_png_keeps_sixteen_bits(alpha: np.ndarray | None) -> None:
    data = encode.png16(PICTURE, alpha)
    picture, found = encode.read_float(data)
    np.testing.assert_allclose(picture, PICTURE, atol=1e-6, rtol=0)
    assert picture.dtype == np.float32
    if alpha is None:
        assert found is None
    else:
        np.testing.assert_allclose(found, alpha, atol=1e-6, rtol=0)
    with Image.open(io.BytesIO(data)) as image:
        image.verify()
    # Pillow gives the high byte, as every reader of 8 bits does.
    np.testing.assert_array_equal(encode.read_rgb(encode.png16(PICTURE)), EXACT[..., :3] >> 8)
    assert all(right for _, _, right in chunks(data))


def test_pillow_reads_alpha_of_a_sixteen_bit_png() -> None:
    with Image.open(io.BytesIO(encode.png16(PICTURE, ALPHA))) as image:
        assert image.mode == "RGBA"
        np.testing.assert_array_equal(np.asarray(image), EXACT >> 8)


@pytest.mark.parametrize("alpha", [None, ALPHA], ids=["opaque", "alpha"])
@pytest.mark.parametrize("height", [1, 70])
def test_another_tiff_reader_finds_every_sample(alpha: np.ndarray | None, height: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiff, "_STRIP_BYTES", 3000)  # several strips, the last one short
    data = encode.tiff16(PICTURE[:height], None if alpha is None else alpha[:height])
    found = tifffile.imread(io.BytesIO(data))
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, EXACT[:height, :, : 3 if alpha is None else 4])


def test_what_is_outside_is_clipped_and_255ths_are_exact() -> None:
    bytes_ = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    data = encode.png16(bytes_.astype(np.float32) / 255)
    np.testing.assert_array_equal(encode.read_rgb(data), bytes_)
    np.testing.assert_array_equal(encode.rgb(encode.read_float(data)[0]), bytes_)
    beyond = np.array([[[-1.0, 2.0, 0.5]]], np.float32)
    np.testing.assert_array_equal(encode.read_rgb(encode.png16(beyond)), [[[0, 255, 128]]])
    np.testing.assert_array_equal(encode.rgb(beyond), [[[0, 255, 128]]])


def test_a_file_of_eight_bits_is_read_too() -> None:
    pixels = RNG.integers(0, 256, (9, 7, 3), dtype=np.uint8)
    picture, alpha = encode.read_float(encode.png(pixels))
    np.testing.assert_allclose(picture, pixels / 255, atol=1e-7)
    assert alpha is None


def test_a_described_tiff_has_the_same_pixels() -> None:
    data = encode.tiff16(PICTURE, ALPHA)
    assert tiff.description(data) is None
    said = tiff.described(tiff.described(data, b"an earlier text"), b"what was said")
    assert tiff.description(said) == b"what was said"
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(said)), EXACT)
    assert tiff.description(b"II*\0" + b"\xff" * 40) is None
    assert tiff.description(b"II*\0") is None


@pytest.mark.parametrize("made", [encode.png16, encode.tiff16])
def test_other_arrays_are_refused(made: object) -> None:
    for wrong in (np.zeros((4, 4), np.float32), np.zeros((4, 4, 4), np.float32), np.zeros((4, 4, 3), np.uint8)):
        with pytest.raises(ValueError, match="received"):
            made(wrong)
    with pytest.raises(ValueError, match="alpha"):
        made(PICTURE, ALPHA[1:])
