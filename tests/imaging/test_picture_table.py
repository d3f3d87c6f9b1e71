"""Every kind of pixel has a defined result: expected values by hand or NumPy, never by the code that is tested."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from app.imaging.limits import Limits
from app.imaging.normalise import normalise
from tests.imaging import profiles
from tests.imaging.made import COLOURS, RAMP, UPRIGHT, Samples, chunk, oriented, png_from, saved, tiff_of

Pixels = NDArray[np.floating]

# What Pillow's JPEG and AVIF encoders lose at their best quality.
_LOSSY = 5
_JPEG = {"quality": 100, "subsampling": 0}
_AVIF = {"quality": 100, "subsampling": "4:4:4"}
_DEEP = np.random.default_rng(16).integers(0, 65536, (40, 48, 4))
_GREY16 = np.tile(np.linspace(0, 65535, 64).astype(int), (40, 1))
_SOFT = np.tile(np.arange(0, 240, 6, dtype=np.uint8)[:, None], (1, 64))  # opacity, more from row to row


@dataclass(frozen=True)
class Case:
    """A file, the (height, width, 3) pixels that it shows, and how far each value may be from them."""

    name: str
    data: bytes
    expected: Pixels
    tolerance: float = 0


def grey(values: Samples | Pixels) -> Pixels:
    return np.repeat(np.asarray(values, float)[..., None], 3, axis=-1)


def on_white(colours: Samples | Pixels, alpha: Samples) -> Pixels:
    """Return (height, width, 3) ``colours`` over white; ``alpha`` (height, width) in 0 to 255."""
    opacity = np.asarray(alpha)[..., None] / 255
    return colours * opacity + 255 * (1 - opacity)


def tiff(samples: Samples, **options: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, samples, metadata=None, **options)
    return buffer.getvalue()


def stripes(*values: int) -> Samples:
    """Return a (40, 48) picture of upright stripes of each value in turn."""
    return np.tile(np.repeat(np.array(values), 48 // len(values)), (40, 1))


def orientations() -> Iterator[Case]:
    stored = COLOURS.copy()
    stored[:20] //= 2
    kinds = (("PNG", {}, 0), ("WEBP", {"lossless": True}, 0), ("TIFF", {}, 0), ("JPEG", _JPEG, _LOSSY), ("AVIF", _AVIF, _LOSSY))
    for orientation, upright in UPRIGHT.items():
        for kind, options, tolerance in kinds:
            data = saved(Image.fromarray(stored), kind, exif=oriented(orientation), **options)
            yield Case(f"{kind}, orientation {orientation}", data, upright(stored), tolerance)
        late = png_from(stored, 8, 2, after=chunk(b"eXIf", oriented(orientation).tobytes().removeprefix(b"Exif\0\0")))
        yield Case(f"PNG, orientation {orientation} after the pixels", late, upright(stored))


def inks() -> Iterator[Case]:
    amounts = np.stack([RAMP, RAMP[:, ::-1], np.full_like(RAMP, 90), _SOFT], axis=-1)
    formula = 255 * (1 - amounts[..., :3] / 255) * (1 - amounts[..., 3:] / 255)
    picture = Image.fromarray(amounts, "CMYK")
    yield Case("CMYK, TIFF", tiff(amounts, photometric="separated"), formula, 1)
    yield Case("CMYK, 16 bits, TIFF", tiff(amounts.astype(np.uint16) * 257, photometric="separated"), formula, 1)
    yield Case("CMYK inverted as Adobe does, JPEG", saved(picture, "JPEG", **_JPEG), formula, _LOSSY)
    # One colour, stored as Y, Cb, Cr and K = 120, 140, 110 and 200: T.871 gives the inks, inverted they are R, G and B.
    flat = bytearray(saved(Image.new("CMYK", (40, 40), (255 - 120, 255 - 140, 255 - 110, 255 - 200)), "JPEG", **_JPEG))
    flat[flat.index(b"Adobe") + 11] = 2
    amount = np.array([120 + 1.402 * -18, 120 - 0.344136 * 12 - 0.714136 * -18, 120 + 1.772 * 12])
    yield Case("YCCK, JPEG", bytes(flat), np.full((40, 40, 3), (255 - amount) * 200 / 255), 2)
    solid = list(profiles.INKS)
    press = Image.fromarray(np.repeat(np.array(solid, np.uint8) * 255, 8, axis=0)[None].repeat(32, axis=0), "CMYK")
    shown = np.repeat(np.array([profiles.inks_in_srgb(one) for one in solid]), 8, axis=0)[None].repeat(32, axis=0)
    yield Case("CMYK with a profile, TIFF", saved(press, "TIFF", icc_profile=profiles.PRESS), shown, 2)
    yield Case("CMYK with a profile, JPEG", saved(press, "JPEG", icc_profile=profiles.PRESS, **_JPEG), shown, _LOSSY)


def depths() -> Iterator[Case]:
    rounded = np.round(_GREY16 / 257)
    yield Case("grey, 16 bits, PNG", png_from(_GREY16, 16, 0), grey(rounded))
    for order in "<>":
        yield Case(
            f"grey, 16 bits, TIFF {order}", tiff(_GREY16.astype(np.uint16), byteorder=order, photometric="minisblack"), grey(rounded)
        )
        yield Case(
            f"colour, 16 bits, TIFF {order}",
            tiff(_DEEP[..., :3].astype(np.uint16), byteorder=order, photometric="rgb"),
            _DEEP[..., :3] >> 8,
        )
    yield Case("grey, 16 bits, 0 is white, TIFF", tiff(_GREY16.astype(np.uint16), photometric="miniswhite"), grey(255 - rounded))
    yield Case("grey, 8 bits, 0 is white, TIFF", tiff(RAMP, photometric="miniswhite"), grey(255 - RAMP))
    twelve = np.tile(np.linspace(0, 4095, 64).astype(int), (40, 1))
    first, second = twelve[:, ::2], twelve[:, 1::2]
    packed = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], axis=-1).astype(np.uint8)
    tags = {258: (12,), 262: (1,), 277: (1,)}
    yield Case("grey, 12 bits, TIFF", tiff_of(64, 40, tags, packed.tobytes()), grey(np.round(twelve * 255 / 4095)))
    yield Case("colour, 16 bits, PNG", png_from(_DEEP[..., :3], 16, 2), _DEEP[..., :3] >> 8)
    yield Case("grey with alpha, 16 bits, PNG", png_from(_DEEP[..., :2], 16, 4), on_white(grey(_DEEP[..., 0] >> 8), _DEEP[..., 1] >> 8), 1)
    yield Case("colour with alpha, 16 bits, PNG", png_from(_DEEP, 16, 6), on_white(_DEEP[..., :3] >> 8, _DEEP[..., 3] >> 8), 1)
    deep = tiff(_DEEP.astype(np.uint16), photometric="rgb", extrasamples=["unassalpha"])
    yield Case("colour with alpha, 16 bits, TIFF", deep, on_white(_DEEP[..., :3] >> 8, _DEEP[..., 3] >> 8), 1)
    for depth in (1, 2, 4):
        values = stripes(*range(min(2**depth, 4)))
        yield Case(f"grey, {depth} bits, PNG", png_from(values, depth, 0), grey(values * 255 // (2**depth - 1)))
    bits = RAMP >= 128
    for photometric, white in ((0, ~bits), (1, bits)):
        data = tiff_of(64, 40, {258: (1,), 262: (photometric,), 277: (1,)}, np.packbits(bits, axis=1).tobytes())
        yield Case(f"1 bit, {photometric} is black, TIFF", data, grey(white * 255))
    yield Case("1 bit, fax, TIFF", saved(Image.fromarray(bits), "TIFF", compression="group4"), grey(bits * 255))


def palettes() -> Iterator[Case]:
    colours = np.array([[10, 20, 30], [200, 100, 50], [0, 0, 255], [90, 240, 0]])
    plte = chunk(b"PLTE", bytes(colours.astype(np.uint8)))
    for depth in (2, 4, 8):
        indices = stripes(0, 1, 2, 3)
        yield Case(f"palette, {depth} bits", png_from(indices, depth, 3, before=plte), colours[indices])
        one = png_from(indices, depth, 3, before=plte + chunk(b"tRNS", b"\xff\xff\0"))
        yield Case(f"palette, {depth} bits, one entry clear", one, on_white(colours[indices], np.array([255, 255, 0, 255])[indices]), 1)
        many = png_from(indices, depth, 3, before=plte + chunk(b"tRNS", b"\0\x40\xb0"))
        yield Case(f"palette, {depth} bits, many entries soft", many, on_white(colours[indices], np.array([0, 64, 176, 255])[indices]), 1)
    indices = stripes(0, 1, 2, 3).astype(np.uint8)
    colormap = np.zeros((3, 256), np.uint16)
    colormap[:, :4] = colours.T * 257
    yield Case("palette, TIFF", tiff(indices, photometric="palette", colormap=colormap), colours[indices])


def alphas() -> Iterator[Case]:
    rgba = np.concatenate([COLOURS, _SOFT[..., None]], axis=-1)
    laid = on_white(COLOURS, _SOFT)
    yield Case("colour with alpha, PNG", png_from(rgba, 8, 6), laid, 1)
    yield Case("colour with alpha, WebP", saved(Image.fromarray(rgba), "WEBP", lossless=True, exact=True), laid, 1)
    yield Case("colour with alpha, AVIF", saved(Image.fromarray(rgba), "AVIF", **_AVIF), laid, _LOSSY)
    yield Case("colour with alpha, TIFF", tiff(rgba, photometric="rgb", extrasamples=["unassalpha"]), laid, 1)
    multiplied = np.round(rgba * np.concatenate([np.repeat(_SOFT[..., None] / 255, 3, axis=-1), np.ones((40, 64, 1))], axis=-1))
    premultiplied = tiff(multiplied.astype(np.uint8), photometric="rgb", extrasamples=["assocalpha"])
    yield Case("colour with alpha multiplied in, TIFF", premultiplied, multiplied[..., :3] + 255.0 - _SOFT[..., None], 2)
    yield Case("grey with alpha, PNG", png_from(np.stack([RAMP, _SOFT], axis=-1), 8, 4), on_white(grey(RAMP), _SOFT), 1)


def key_colours() -> Iterator[Case]:
    """The one colour of a PNG that is clear, in samples of the file's own depth: W3C PNG, 11.3.1.1, tRNS."""
    for depth in (1, 2, 4, 8):
        values = stripes(*range(min(2**depth, 4)))
        data = png_from(values, depth, 0, before=chunk(b"tRNS", struct.pack(">H", 1)))
        shown = values * 255 // (2**depth - 1)
        yield Case(f"grey, {depth} bits, one value clear", data, np.where((values == 1)[..., None], 255, grey(shown)))
    values = stripes(0x1234, 0x1235, 0x3412, 0xFFFF)
    data = png_from(values, 16, 0, before=chunk(b"tRNS", struct.pack(">H", 0x1234)))
    yield Case("grey, 16 bits, one value clear", data, np.where((values == 0x1234)[..., None], 255, grey(np.round(values / 257))))
    colours = np.array([[10, 20, 30], [10, 20, 31], [200, 100, 50]])[stripes(0, 1, 2)]
    clear = (stripes(0, 1, 2) == 0)[..., None]
    data = png_from(colours, 8, 2, before=chunk(b"tRNS", struct.pack(">HHH", 10, 20, 30)))
    yield Case("colour, 8 bits, one colour clear", data, np.where(clear, 255, colours))
    data = png_from(colours * 256 + 7, 16, 2, before=chunk(b"tRNS", struct.pack(">HHH", *(np.array([10, 20, 30]) * 256 + 7))))
    yield Case("colour, 16 bits, one colour clear", data, np.where(clear, 255, colours))


def described_colours() -> Iterator[Case]:
    wide = np.stack([RAMP, RAMP[:, ::-1], _SOFT], axis=-1)
    shown = profiles.wide_in_srgb(wide)
    for kind, options, tolerance in (
        ("PNG", {}, 2),
        ("TIFF", {}, 2),
        ("WEBP", {"lossless": True}, 2),
        ("JPEG", _JPEG, 12),
        ("AVIF", _AVIF, 20),
    ):
        yield Case(f"wide gamut, {kind}", saved(Image.fromarray(wide), kind, icc_profile=profiles.WIDE, **options), shown, tolerance)
    # The colour engine interpolates the steep foot of the curve of straight light, below level 8.
    light = np.maximum(RAMP, 8)
    lit = grey(profiles.srgb_curve(light / 255) * 255)
    for name, profile in (("straight light", profiles.LINEAR), ("straight light that calls itself sRGB", profiles.CALLED_SRGB)):
        yield Case(name, saved(Image.fromarray(grey(light).astype(np.uint8)), "PNG", icc_profile=profile), lit, 2)
    yield Case("grey of straight light", saved(Image.fromarray(light), "PNG", icc_profile=profiles.LINEAR_GREY), lit, 2)
    deep = Image.fromarray(light.astype(np.uint16) * 257)
    yield Case("grey of straight light, 16 bits", saved(deep, "PNG", icc_profile=profiles.LINEAR_GREY), lit, 2)
    soft = Image.fromarray(np.stack([light, _SOFT], axis=-1), "LA")
    yield Case("grey of straight light with alpha", saved(soft, "PNG", icc_profile=profiles.LINEAR_GREY), on_white(lit, _SOFT), 2)
    rgba = np.concatenate([wide, _SOFT[..., None]], axis=-1)
    yield Case("wide gamut with alpha", saved(Image.fromarray(rgba), "PNG", icc_profile=profiles.WIDE), on_white(shown, _SOFT), 2)
    palette = Image.new("P", (40, 40), 1)
    palette.putpalette([0, 0, 0, 60, 120, 180])
    flat = np.full((40, 40, 3), profiles.wide_in_srgb(np.array([60, 120, 180], np.uint8)))
    yield Case("palette of a wide gamut", saved(palette, "PNG", icc_profile=profiles.WIDE), flat, 2)


def several() -> Iterator[Case]:
    first, other = Image.fromarray(COLOURS), Image.fromarray(255 - COLOURS)
    for kind, options, tolerance in (("PNG", {}, 0), ("WEBP", {"lossless": True}, 0), ("AVIF", _AVIF, _LOSSY), ("TIFF", {}, 0)):
        data = saved(first, kind, save_all=True, append_images=[other, first, other], **options)
        yield Case(f"first of several, {kind}", data, COLOURS, tolerance)
    still = saved(first, "PNG", save_all=True, append_images=[other, first], default_image=True)
    yield Case("a still before its animation, PNG", still, COLOURS)


def encodings() -> Iterator[Case]:
    picture = Image.fromarray(COLOURS)
    yield Case("colour, PNG", png_from(COLOURS, 8, 2), COLOURS)
    yield Case("colour, TIFF", tiff(COLOURS, photometric="rgb"), COLOURS)
    yield Case("grey, PNG", png_from(RAMP, 8, 0), grey(RAMP))
    yield Case("grey, JPEG", saved(Image.fromarray(RAMP), "JPEG", quality=100), grey(RAMP), 2)
    yield Case("progressive, JPEG", saved(picture, "JPEG", progressive=True, **_JPEG), COLOURS, _LOSSY)
    yield Case("colour, AVIF", saved(picture, "AVIF", **_AVIF), COLOURS, _LOSSY)
    for depth, colour, samples, shown in (
        (1, 0, (RAMP >= 128).astype(int), grey((RAMP >= 128) * 255)),
        (8, 2, COLOURS, COLOURS),
        (16, 2, _DEEP[..., :3], _DEEP[..., :3] >> 8),
    ):
        yield Case(f"interlaced, {depth} bits, PNG", png_from(samples, depth, colour, interlaced=True), shown)


TABLE = [
    case for part in (orientations, inks, depths, palettes, alphas, key_colours, described_colours, several, encodings) for case in part()
]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in TABLE])
def test_a_picture_shows_the_expected_pixels(case: Case) -> None:
    decoded = normalise(case.data, Limits())
    with Image.open(io.BytesIO(decoded.png)) as image:
        assert image.mode == "RGB"
        found = np.asarray(image).astype(float)
    assert (decoded.height, decoded.width, 3) == found.shape == case.expected.shape
    np.testing.assert_allclose(found, case.expected, rtol=0, atol=case.tolerance)


def test_the_files_are_what_they_are_called() -> None:
    data = {case.name: case.data for case in TABLE}
    assert len(data) == len(TABLE)
    assert b"\xff\xc2" in data["progressive, JPEG"]  # SOF2
    assert data["interlaced, 8 bits, PNG"][28] == 1
    assert b"Adobe" in data["CMYK inverted as Adobe does, JPEG"]
    for kind in ("PNG", "WEBP", "AVIF", "TIFF"):
        with Image.open(io.BytesIO(data[f"first of several, {kind}"])) as image:
            assert image.n_frames == 4
