"""An untrusted picture to plain sRGB pixels without metadata. Runs inside a decoder process only.

Defined results: orientation applied; colour profile converted to sRGB; CMYK without
a profile by the plain formula (1−C)(1−K); 16-bit grey scaled to 8 bits, 16-bit colour
cut to its high byte; transparency laid on white, and kept beside, but of a region laid on black;
of an animation the first frame, of several pages the first.
"""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageCms, ImageFile, PngImagePlugin, UnidentifiedImageError

from app.core.errors import InputError, PictureError, TooLarge
from app.imaging.depth import eight_bit
from app.imaging.kinds import sniff
from app.imaging.limits import Limits
from app.imaging.scans import count_scans

THUMBNAIL_SIDE = 320
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_WITH_ALPHA = {"LA": "L", "RGBA": "RGB"}
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
# Which modes a profile of each colour space can describe.
_PROFILED = {"RGB ": {"RGB"}, "GRAY": {"L"}, "CMYK": {"CMYK"}}
# Levels by which two ways of writing the same profile differ.
_ROUNDING = 2


@dataclass(frozen=True, slots=True)
class Decoded:
    """A safe picture: re-encoded by us, upright, sRGB, free of metadata.

    Attributes:
        alpha: how opaque it was, in grey and of the same size; None where it was opaque everywhere.
    """

    width: int
    height: int
    png: bytes
    thumbnail_jpeg: bytes
    alpha: Decoded | None = None


def normalise(data: bytes, limits: Limits, region: bool = False) -> Decoded:
    """Decode fully, check against ``limits`` and encode anew.

    Args:
        region: whether it says where something goes, which is nowhere where it is transparent.

    Raises:
        PictureError: cannot be read, cut off, damaged, too small or too narrow.
        TooLarge: more bytes or pixels than allowed.
    """
    if len(data) > limits.max_bytes:
        raise too_many_bytes(limits)
    kind = sniff(data)
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    Image.MAX_IMAGE_PIXELS = limits.max_pixels
    PngImagePlugin.MAX_TEXT_CHUNK = 1024**2
    PngImagePlugin.MAX_TEXT_MEMORY = 4 * 1024**2
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture, alpha = _pixels(data, kind, limits, region)
            return _encoded(picture, alpha)
    except InputError:
        raise
    except MemoryError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise _too_many_pixels(str(error), limits) from error
    except Exception as error:
        raise PictureError(_in_words(kind, error)) from error


def too_many_bytes(limits: Limits) -> TooLarge:
    return TooLarge(f"This file is larger than {limits.max_bytes / 1e6:g} MB. Choose a smaller one, or save it as JPEG.")


def _pixels(data: bytes, kind: str, limits: Limits, region: bool) -> tuple[Image.Image, Image.Image | None]:
    image: Image.Image = Image.open(io.BytesIO(data), formats=(kind,))
    _check_shape(image.size, limits)
    if kind == "JPEG":
        _check_scans(data, limits)
        # The JPEG decoder can halve as it goes: 50 million pixels never stand in memory at once.
        image.draft(None, _fitted(image.size, limits.max_side))
    image.load()
    # Read only now: a PNG may carry it after the pixels, and TIFF has already been turned.
    turn = _TURNS.get(_orientation(image))
    profile = image.info.get("icc_profile")
    image = _reduced(eight_bit(image, data), limits.max_side)
    if turn is not None:
        image = image.transpose(turn)
    if region:
        return _in_srgb(image, profile, _BLACK), None
    return _in_srgb(image, profile, _WHITE), _alpha(image)


def _alpha(image: Image.Image) -> Image.Image | None:
    if image.mode not in _WITH_ALPHA:
        return None
    alpha = image.getchannel("A")
    return alpha.convert("RGB") if alpha.getextrema()[0] != 255 else None


def _check_shape(size: tuple[int, int], limits: Limits) -> None:
    width, height = size
    if min(size) < limits.min_side:
        raise PictureError(
            f"This picture is too small: {width} × {height} pixels. Choose one of at least {limits.min_side} × {limits.min_side} pixels."
        )
    if max(size) > limits.max_aspect * min(size):
        raise PictureError(
            f"This picture is too narrow: {width} × {height} pixels. "
            f"Crop it so that its longer side is at most {limits.max_aspect} times the shorter."
        )


def _check_scans(data: bytes, limits: Limits) -> None:
    scans = count_scans(data)
    if scans > limits.max_scans:
        raise PictureError(
            f"This JPEG picture is stored in {scans} scans; at most {limits.max_scans} are allowed. Save it again in a picture program."
        )


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # a damaged EXIF block is no reason to refuse good pixels
        return 1


def _fitted(size: tuple[int, int], max_side: int) -> tuple[int, int]:
    scale = min(1.0, max_side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _reduced(image: Image.Image, max_side: int) -> Image.Image:
    size = _fitted(image.size, max_side)
    return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _in_srgb(image: Image.Image, profile: bytes | None, ground: tuple[int, int, int]) -> Image.Image:
    alpha = image.getchannel("A") if image.mode in _WITH_ALPHA else None
    opaque = image.convert(_WITH_ALPHA[image.mode]) if alpha else image
    converted = (_converted(opaque, profile) if profile else None) or opaque.convert("RGB")
    if alpha is None:
        return converted
    laid = Image.new("RGB", image.size, ground)
    laid.paste(converted, mask=alpha)
    return laid


def _converted(image: Image.Image, profile: bytes) -> Image.Image | None:
    """Return ``image`` in sRGB, or None where the profile says nothing about it: it is sRGB, damaged or of another mode."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if image.mode not in _PROFILED.get(source.profile.xcolor_space, set()):
            return None
        to_srgb = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), image.mode, "RGB", flags=ImageCms.Flags.HIGHRESPRECALC)
        return None if image.mode == "RGB" and _changes_nothing(to_srgb) else ImageCms.applyTransform(image, to_srgb)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Tell whether colours come out as they went in but for rounding: what a profile calls itself says little."""
    ramp = Image.linear_gradient("L")
    none = Image.new("L", ramp.size)
    turned = ramp.transpose(Image.Transpose.ROTATE_90)
    for bands in ((ramp, ramp, ramp), (ramp, turned, none), (none, ramp, turned), (turned, none, ramp)):
        colours = Image.merge("RGB", bands)
        shown = colours.copy()
        ImageCms.applyTransform(shown, transform, inPlace=True)
        if ImageChops.difference(colours, shown).point(lambda level: level > _ROUNDING).getbbox() is not None:
            return False
    return True


def _encoded(image: Image.Image, alpha: Image.Image | None = None) -> Decoded:
    # Through bare pixels, so that nothing that came with the file can travel on.
    clean = Image.frombytes("RGB", image.size, image.tobytes())
    png, thumbnail = io.BytesIO(), io.BytesIO()
    clean.save(png, "PNG", compress_level=1)
    clean.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    clean.save(thumbnail, "JPEG", quality=85)
    beside = None if alpha is None else _encoded(alpha)
    return Decoded(image.width, image.height, png.getvalue(), thumbnail.getvalue(), beside)


def _too_many_pixels(words: str, limits: Limits) -> TooLarge:
    found = re.search(r"\((\d+) pixels\)", words)
    size = f"{int(found[1]) / 1e6:,.0f} million" if found else "too many"
    return TooLarge(f"This picture has {size} pixels; at most {limits.max_pixels / 1e6:g} million are allowed. Save a smaller copy.")


def _in_words(kind: str, error: Exception) -> str:
    lower = str(error).lower()
    if "truncated" in lower or "not enough" in lower or "unexpected end" in lower:
        return f"This {kind} picture is cut off: the file ends before its last row. Copy or save it again and choose the whole file."
    if kind == "PNG" and ("decompressed data too large" in lower or "text chunks" in lower):
        return "This PNG carries more hidden text than is allowed. Save it again without its metadata."
    if isinstance(error, UnidentifiedImageError):
        return f"This {kind} picture is damaged, or of a kind that cannot be read here. Save it as PNG or JPEG and choose that file."
    return f"This {kind} picture is damaged and cannot be read. Open it in a picture program, save it again and choose the new file."
