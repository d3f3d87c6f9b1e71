"""What is refused and in which words, what is left behind, what is kept beside; which pixels: ``test_picture_table``."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from app.core.errors import PictureError, TooLarge
from app.imaging.limits import Limits
from app.imaging.normalise import Decoded, normalise
from tests.imaging.bombs import BOMBS
from tests.imaging.made import COLOURS, RAMP, chunk, noisy, oriented, png_from, png_of, saved
from tests.imaging.profiles import icc_profile

LIMITS = Limits()


def pixels(decoded: Decoded) -> NDArray[np.int64]:
    with Image.open(io.BytesIO(decoded.png)) as image:
        assert image.mode == "RGB"
        assert image.size == (decoded.width, decoded.height)
        return np.asarray(image).astype(int)


def shown(data: bytes, limits: Limits = LIMITS) -> NDArray[np.int64]:
    return pixels(normalise(data, limits))


def test_floating_point_is_refused_in_words() -> None:
    with pytest.raises(PictureError, match="32 bits a channel"):
        normalise(saved(Image.fromarray(RAMP.astype(np.float32)), "TIFF"), LIMITS)


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


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize(
    "profile",
    [
        b"not a profile",
        icc_profile(b"CMYK", {}, []),
        SRGB,
        SRGB.replace("sRGB".encode("utf-16be"), "Tint".encode("utf-16be")),
    ],
    ids=["damaged", "of another mode", "sRGB itself", "sRGB by another name"],
)
def test_profiles_that_change_nothing(profile: bytes) -> None:
    np.testing.assert_array_equal(shown(saved(Image.fromarray(COLOURS), "PNG", icc_profile=profile)), COLOURS)


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


@pytest.mark.parametrize("name", ["zTXt", "iTXt", "iCCP", "many texts"])
def test_text_bombs_are_refused(name: str) -> None:
    with pytest.raises(PictureError, match="hidden text"):
        normalise(BOMBS[name](), LIMITS)


def test_a_text_cannot_pass_for_anything_else() -> None:
    """The library keeps a file's texts where it keeps what it knows about it."""
    names = (b"transparency", b"icc_profile", b"exif", b"xmp")
    texts = b"".join(chunk(b"tEXt", name + b"\0of no meaning") for name in names)
    np.testing.assert_array_equal(shown(png_from(COLOURS, 8, 2, before=texts)), COLOURS)


def test_what_the_library_does_not_know_is_not_called_damaged_alone() -> None:
    """Grey with alpha of 16 bits is a good TIFF, but none that the library reads."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.zeros((40, 40, 2), np.uint16), photometric="minisblack", extrasamples=["unassalpha"], metadata=None)
    with pytest.raises(PictureError, match=r"of a kind that cannot be read here\. Save it as PNG or JPEG"):
        normalise(buffer.getvalue(), LIMITS)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
def test_cut_off_files_say_so(kind: str) -> None:
    data = noisy(90, 80, kind)
    with pytest.raises(PictureError, match=r"cut off|damaged"):
        normalise(data[: len(data) // 2], LIMITS)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_the_commonest_cuts_are_named(kind: str) -> None:
    data = noisy(90, 80, kind)
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
    # To be turned a quarter clockwise: what was on top is at the right.
    data = saved(Image.fromarray(pixels), "PNG", exif=oriented(6))
    done = normalise(data, LIMITS)
    assert done.alpha is not None
    found = np.asarray(Image.open(io.BytesIO(done.alpha.png)).convert("L"))
    assert (done.width, done.height, found.shape) == (60, 90, (90, 60))
    assert (found[:, 41:] == 255).all() and (found[:, :39] == 100).all()
    small = normalise(data, Limits(max_side=45))
    assert small.alpha is not None and (small.alpha.width, small.alpha.height) == (small.width, small.height) == (30, 45)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_an_opaque_picture_has_no_alpha(mode: str) -> None:
    flat = Image.new(mode, (40, 40), (9, 9, 9, 255)[: len(mode)] if len(mode) > 1 else 9)
    assert normalise(saved(flat, "PNG"), LIMITS).alpha is None


def test_a_region_is_laid_on_black_and_has_no_alpha() -> None:
    white = np.full((40, 60, 4), 255, np.uint8)
    white[:, 20:40, 3], white[:, 40:, 3] = 100, 0
    done = normalise(saved(Image.fromarray(white), "PNG"), LIMITS, region=True)
    assert done.alpha is None
    np.testing.assert_array_equal(pixels(done)[0, ::20, 0], [255, 100, 0])
    # Without alpha it is as any other picture.
    plain = saved(Image.fromarray(COLOURS), "PNG")
    assert normalise(plain, LIMITS, region=True) == normalise(plain, LIMITS)
