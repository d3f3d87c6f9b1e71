"""Every kind of pixel has a defined result; expected values by hand or NumPy, never by the code under test."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from app.core.errors import PictureError, TooLarge
from app.imaging.limits import Limits
from app.imaging.normalise import Decoded, normalise

LIMITS = Limits()
RAMP = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (40, 1))  # 64 wide, 40 high
COLOURS = np.stack([RAMP, RAMP[:, ::-1], np.full_like(RAMP, 90)], axis=-1)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def pixels(decoded: Decoded) -> NDArray[np.int64]:
    with Image.open(io.BytesIO(decoded.png)) as image:
        assert image.mode == "RGB"
        assert image.size == (decoded.width, decoded.height)
        return np.asarray(image).astype(int)


def shown(data: bytes, limits: Limits = LIMITS) -> NDArray[np.int64]:
    return pixels(normalise(data, limits))


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of(width: int, height: int, depth: int, colour: int, rows: bytes, extra: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_rgb_is_kept_exactly(kind: str) -> None:
    np.testing.assert_array_equal(shown(saved(Image.fromarray(COLOURS), kind)), COLOURS)


@pytest.mark.parametrize(("kind", "options"), [("WEBP", {"lossless": True}), ("AVIF", {"quality": 100, "subsampling": "4:4:4"})])
def test_modern_formats(kind: str, options: dict[str, object]) -> None:
    assert np.abs(shown(saved(Image.fromarray(COLOURS), kind, **options)) - COLOURS).max() <= 3


def test_grey() -> None:
    np.testing.assert_array_equal(shown(saved(Image.fromarray(RAMP), "PNG")), np.repeat(RAMP[..., None], 3, axis=-1))


def test_one_bit() -> None:
    bits = RAMP >= 128
    result = shown(saved(Image.fromarray(bits), "PNG", bits=1))
    np.testing.assert_array_equal(result, np.repeat(bits[..., None], 3, axis=-1) * 255)


def test_palette() -> None:
    image = Image.new("P", (48, 40), 1)
    image.putpalette([10, 20, 30, 200, 100, 50, 0, 0, 255])
    image.paste(2, (0, 0, 24, 40))
    result = shown(saved(image, "PNG"))
    assert result[0, 0].tolist() == [0, 0, 255]
    assert result[0, 47].tolist() == [200, 100, 50]


def test_transparent_palette_entry_becomes_white() -> None:
    image = Image.new("P", (48, 40), 1)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.paste(0, (0, 0, 24, 40))
    result = shown(saved(image, "PNG", transparency=0))
    assert result[0, 0].tolist() == [255, 255, 255]
    assert result[0, 47].tolist() == [200, 100, 50]


def test_alpha_is_laid_on_white() -> None:
    rgba = np.concatenate([COLOURS, RAMP[..., None]], axis=-1)
    alpha = RAMP[..., None] / 255
    np.testing.assert_allclose(shown(saved(Image.fromarray(rgba), "PNG")), COLOURS * alpha + 255 * (1 - alpha), atol=1)


def test_grey_with_alpha_is_laid_on_white() -> None:
    image = Image.merge("LA", (Image.new("L", (40, 40), 100), Image.new("L", (40, 40), 51)))
    assert shown(saved(image, "PNG"))[5, 5].tolist() == [224, 224, 224]  # 100 · 0.2 + 255 · 0.8


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled(kind: str) -> None:
    values = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (40, 1))
    expected = np.round(values / 257).astype(int)
    assert expected.max() == 255
    np.testing.assert_array_equal(shown(saved(Image.fromarray(values), kind))[..., 1], expected)


def test_sixteen_bit_colour_keeps_the_high_byte() -> None:
    row = b"\0" + struct.pack(">HHH", 0x12FF, 0x8000, 0xFE01) * 40
    assert shown(png_of(40, 40, 16, 2, row * 40))[7, 7].tolist() == [0x12, 0x80, 0xFE]


def test_cmyk_by_the_plain_formula() -> None:
    image = Image.new("CMYK", (40, 40), (51, 102, 0, 128))
    expected = [255 * (1 - c / 255) * (1 - 128 / 255) for c in (51, 102, 0)]
    np.testing.assert_allclose(shown(saved(image, "TIFF"))[3, 3], expected, atol=1)
    np.testing.assert_allclose(shown(saved(image, "JPEG", quality=100))[3, 3], expected, atol=4)


def test_progressive_equals_baseline() -> None:
    image = Image.fromarray(COLOURS)
    np.testing.assert_array_equal(shown(saved(image, "JPEG", progressive=True)), shown(saved(image, "JPEG")))


def test_floating_point_is_refused_in_words() -> None:
    with pytest.raises(PictureError, match="32 bits a channel"):
        normalise(saved(Image.fromarray(RAMP.astype(np.float32)), "TIFF"), LIMITS)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_the_first_frame(kind: str) -> None:
    first, second = Image.new("RGB", (40, 40), (250, 0, 0)), Image.new("RGB", (40, 40), (0, 0, 250))
    options = {"lossless": True} if kind == "WEBP" else {}
    assert shown(saved(first, kind, save_all=True, append_images=[second] * 3, **options))[9, 9].tolist() == [250, 0, 0]


# How a stored picture is turned to stand upright: EXIF 2.3, 4.6.4, Orientation.
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize(
    ("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {}), ("JPEG", {"quality": 100, "subsampling": 0})]
)
def test_exif_orientation(kind: str, options: dict[str, object], orientation: int) -> None:
    stored = COLOURS.copy()
    stored[:20] //= 2
    exif = Image.Exif()
    exif[0x0112] = orientation
    result = shown(saved(Image.fromarray(stored), kind, exif=exif, **options))
    expected = UPRIGHT[orientation](stored)
    assert result.shape == expected.shape
    assert np.abs(result - expected).mean() <= 2


def test_place_and_every_other_metadata_is_gone() -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET description"
    exif.get_ifd(0x8825)[29] = "SECRET place"
    data = saved(Image.fromarray(COLOURS), "JPEG", exif=exif, comment=b"SECRET comment")
    assert data.count(b"SECRET") == 3
    decoded = normalise(data, LIMITS)
    assert b"SECRET" not in decoded.png + decoded.thumbnail_jpeg
    kinds = []
    at = 8
    while at < len(decoded.png):
        kinds.append(decoded.png[at + 4 : at + 8])
        at += 12 + int.from_bytes(decoded.png[at : at + 4], "big")
    assert set(kinds) == {b"IHDR", b"IDAT", b"IEND"}
    with Image.open(io.BytesIO(decoded.thumbnail_jpeg)) as thumbnail:
        assert not thumbnail.getexif()
        assert "comment" not in thumbnail.info


def test_damaged_exif_does_not_cost_the_picture() -> None:
    assert shown(saved(Image.fromarray(COLOURS), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff broken")).shape == COLOURS.shape


def icc_profile(space: bytes, primaries: dict[bytes, tuple[float, float, float]], curves: list[bytes]) -> bytes:
    """A minimal ICC version 2 display profile with linear curves (ICC.1:2001-04)."""

    def xyz(x: float, y: float, z: float) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">iii", *(round(v * 65536) for v in (x, y, z)))

    text = b"linear test\0"
    tags = {b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + b"\0" * 78, b"wtpt": xyz(0.9642, 1.0, 0.8249)}
    tags |= {name: xyz(*value) for name, value in primaries.items()}
    tags |= {name: b"curv\0\0\0\0" + struct.pack(">I", 0) for name in curves}
    table, body, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        value += b"\0" * (-len(value) % 4)
        table += name + struct.pack(">II", at + len(body), len(value))
        body += value
    header = bytearray(128)
    header[8:12] = b"\x02\x10\0\0"
    header[12:24] = b"mntr" + space + b"XYZ "
    header[36:40] = b"acsp"
    header[68:80] = struct.pack(">iii", 63190, 65536, 54061)
    header[0:4] = struct.pack(">I", at + len(body))
    return bytes(header) + struct.pack(">I", len(tags)) + table + body


# The primaries of sRGB adapted to D50 (IEC 61966-2-1, Bradford).
SRGB_PRIMARIES = {b"rXYZ": (0.4361, 0.2225, 0.0139), b"gXYZ": (0.3851, 0.7169, 0.0971), b"bXYZ": (0.1431, 0.0606, 0.7141)}
LINEAR = icc_profile(b"RGB ", SRGB_PRIMARIES, [b"rTRC", b"gTRC", b"bTRC"])


def srgb_curve(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)


def test_a_linear_profile_is_converted_to_srgb() -> None:
    grey = np.repeat(RAMP[..., None], 3, axis=-1)
    result = shown(saved(Image.fromarray(grey), "PNG", icc_profile=LINEAR))
    np.testing.assert_allclose(result, srgb_curve(grey / 255) * 255, atol=2)


def test_a_grey_profile_is_converted_to_srgb() -> None:
    profile = icc_profile(b"GRAY", {}, [b"kTRC"])
    result = shown(saved(Image.fromarray(RAMP), "PNG", icc_profile=profile))
    # The colour engine interpolates the steep foot of the curve, below level 8.
    np.testing.assert_allclose(result[:, 2:, 0], srgb_curve(RAMP / 255)[:, 2:] * 255, atol=2)


@pytest.mark.parametrize(
    "profile",
    [
        b"not a profile",
        icc_profile(b"CMYK", {}, []),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    ],
    ids=["damaged", "of another mode", "sRGB itself"],
)
def test_profiles_that_change_nothing(profile: bytes) -> None:
    np.testing.assert_array_equal(shown(saved(Image.fromarray(COLOURS), "PNG", icc_profile=profile)), COLOURS)


def test_alpha_and_profile_together() -> None:
    rgba = np.full((40, 40, 4), 128, np.uint8)
    result = shown(saved(Image.fromarray(rgba), "PNG", icc_profile=LINEAR))
    expected = srgb_curve(np.array(128 / 255)) * 255 * (128 / 255) + 255 * (127 / 255)
    np.testing.assert_allclose(result, expected, atol=2)


def test_large_pictures_are_reduced_without_shifting() -> None:
    limits = Limits(max_side=64)
    y, x = np.mgrid[:200, :300]
    smooth = np.stack([x * 255 / 299, y * 255 / 199, np.full(x.shape, 60)], axis=-1)
    for kind in ("PNG", "JPEG"):
        result = shown(saved(Image.fromarray(smooth.astype(np.uint8)), kind), limits)
        assert result.shape == (43, 64, 3)
        sy, sx = (np.arange(43) + 0.5) * 200 / 43 - 0.5, (np.arange(64) + 0.5) * 300 / 64 - 0.5
        np.testing.assert_allclose(result[5:-5, 5:-5, 0], np.tile(sx * 255 / 299, (43, 1))[5:-5, 5:-5], atol=4)
        np.testing.assert_allclose(result[5:-5, 5:-5, 1], np.tile(sy[:, None] * 255 / 199, (1, 64))[5:-5, 5:-5], atol=4)


def test_thumbnail_keeps_the_shape() -> None:
    decoded = normalise(saved(Image.new("RGB", (1200, 600), (9, 99, 199)), "PNG"), LIMITS)
    with Image.open(io.BytesIO(decoded.thumbnail_jpeg)) as thumbnail:
        assert thumbnail.size == (320, 160)
        np.testing.assert_allclose(np.asarray(thumbnail)[80, 160], [9, 99, 199], atol=4)


def test_smallest_side() -> None:
    assert shown(saved(Image.new("RGB", (32, 32)), "PNG")).shape == (32, 32, 3)
    with pytest.raises(PictureError, match=r"31 × 100 pixels.*at least 32 × 32"):
        normalise(saved(Image.new("RGB", (31, 100)), "PNG"), LIMITS)


def test_narrowest_shape() -> None:
    assert shown(saved(Image.new("RGB", (320, 40)), "PNG")).shape == (40, 320, 3)
    with pytest.raises(PictureError, match=r"321 × 40 pixels.*at most 8 times"):
        normalise(saved(Image.new("RGB", (321, 40)), "PNG"), LIMITS)


def test_bombs_are_refused_by_their_header() -> None:
    with pytest.raises(TooLarge, match="3,600 million pixels; at most 50 million"):
        normalise(png_of(60_000, 60_000, 8, 2, b"\0"), LIMITS)
    with pytest.raises(TooLarge, match=r"at most 0\.01 million"):
        normalise(saved(Image.new("RGB", (101, 100)), "PNG"), Limits(max_pixels=10_000))


def test_bytes_are_counted_first() -> None:
    with pytest.raises(TooLarge, match=r"larger than 0\.001 MB"):
        normalise(b"x" * 1001, Limits(max_bytes=1000))


def test_text_bombs_are_refused() -> None:
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"A" * 50_000_000, 9))
    with pytest.raises(PictureError, match="hidden text"):
        normalise(png_of(40, 40, 8, 0, (b"\0" + b"\7" * 40) * 40, bomb), LIMITS)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
def test_cut_off_files_say_so(kind: str) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (80, 90, 3), dtype=np.uint8)
    data = saved(Image.fromarray(noise), kind)
    with pytest.raises(PictureError, match=r"cut off|damaged"):
        normalise(data[: len(data) // 2], LIMITS)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_the_commonest_cuts_are_named(kind: str) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (80, 90, 3), dtype=np.uint8)
    data = saved(Image.fromarray(noise), kind)
    with pytest.raises(PictureError, match="cut off: the file ends before its last row"):
        normalise(data[: len(data) * 2 // 3], LIMITS)


def test_a_polyglot_comes_out_as_nothing_but_a_picture() -> None:
    """A valid picture with a web page behind it and in a comment: pixels are kept, the page is not."""
    page = b"<html><script>alert(1)</script></html>"
    for kind, options in (("JPEG", {"comment": page}), ("PNG", {})):
        decoded = normalise(saved(Image.fromarray(COLOURS), kind, **options) + page, LIMITS)
        assert b"<script" not in decoded.png + decoded.thumbnail_jpeg
        assert pixels(decoded).shape == COLOURS.shape


def test_alpha_is_kept_beside_turned_and_reduced_like_the_picture() -> None:
    pixels = np.zeros((60, 90, 4), np.uint8)
    pixels[..., :3] = (10, 200, 30)
    pixels[:20, :, 3] = 255  # opaque on top, soft below
    pixels[20:, :, 3] = 100
    image, exif = Image.fromarray(pixels), Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise: what was on top is at the right
    buffer = io.BytesIO()
    image.save(buffer, "PNG", exif=exif)
    done = normalise(buffer.getvalue(), Limits())
    assert done.alpha is not None
    found = np.asarray(Image.open(io.BytesIO(done.alpha.png)).convert("L"))
    assert (done.width, done.height, found.shape) == (60, 90, (90, 60))
    assert (found[:, 41:] == 255).all() and (found[:, :39] == 100).all()
    small = normalise(buffer.getvalue(), Limits(max_side=45))
    assert small.alpha is not None and (small.alpha.width, small.alpha.height) == (small.width, small.height) == (30, 45)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_an_opaque_picture_has_no_alpha(mode: str) -> None:
    buffer = io.BytesIO()
    Image.new(mode, (40, 40), (9, 9, 9, 255)[: len(mode)] if len(mode) > 1 else 9).save(buffer, "PNG")
    assert normalise(buffer.getvalue(), Limits()).alpha is None
