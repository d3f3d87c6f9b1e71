"""Samples of any depth to eight bits a channel, with what a file says of them: where white is, which value is clear.

W3C PNG specification, third edition; Adobe, "TIFF Revision 6.0", 1992. Runs inside a decoder process only.
"""

from __future__ import annotations

from functools import reduce

from PIL import Image, ImageChops

from app.core.errors import PictureError

_SIXTEEN = ("I;16", "I;16B", "I;16L", "I;16N")
_BITS_PER_SAMPLE, _PHOTOMETRIC = 258, 262
_WHITE_IS_ZERO = 0
_GREY_WITH_ALPHA = 4  # PNG colour type


def eight_bit(image: Image.Image, data: bytes) -> Image.Image:
    """Return a loaded picture in L, LA, RGB, RGBA or CMYK.

    Args:
        data: the file that it was read from.

    Raises:
        PictureError: 32 bits a channel.
    """
    if image.mode in ("F", "I"):
        raise PictureError("This picture has 32 bits a channel, which cannot be read here. Save it with 8 or 16 bits a channel.")
    clear = image.info.get("transparency")
    if isinstance(clear, str):
        # A text of that name, which Pillow keeps where it keeps what it knows itself.
        clear = None
        del image.info["transparency"]
    if image.format == "PNG" and clear is not None and image.mode != "P":
        return _with_clear_colour(image, clear if isinstance(clear, tuple) else (clear,), data[24])
    if image.format == "PNG" and data[25] == _GREY_WITH_ALPHA and image.mode == "RGBA":
        return Image.merge("LA", (image.getchannel("R"), image.getchannel("A")))
    if image.mode == "LA" or image.mode == "La":
        return image.convert("LA")
    if image.has_transparency_data or image.mode == "RGBa":
        return image.convert("RGBA")
    return _opaque(image)


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode in _SIXTEEN:
        return _rounded(image)
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _rounded(image: Image.Image) -> Image.Image:
    """Scale grey of 16 bits, or of 12 in TIFF; Pillow's own conversion would clip everything above 255."""
    tags = getattr(image, "tag_v2", {})
    # Pillow turns white and black round for fewer bits, but not for 16.
    most = 2 ** (12 if tags.get(_BITS_PER_SAMPLE) == (12,) else 16) - 1
    scale, zero = (-255 / most, 255.5) if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else (255 / most, 0.5)
    return image.convert("I").point(lambda value: value * scale + zero).convert("L")


def _with_clear_colour(image: Image.Image, clear: tuple[int, ...], bits: int) -> Image.Image:
    """Return LA or RGBA in which one colour of a PNG is clear.

    Args:
        clear: that colour, in samples of the file's own depth, which Pillow would look for among 8-bit ones.
        bits: the file's depth.
    """
    image.info.pop("transparency")
    samples = [value & (2**bits - 1) for value in clear]
    if image.mode in _SIXTEEN:
        pairs = image.tobytes()
        bands = [Image.frombytes("L", image.size, pairs[place::2]) for place in (0, 1)]
        samples = [samples[0] & 255, samples[0] >> 8]
    elif image.mode == "1":
        # The one depth of which Pillow has scaled the sample already.
        bands, samples = [image.convert("L")], [255 * (clear[0] > 0)]
    else:
        # Of 16-bit colour only the high bytes are left.
        bands = list(image.split())
        samples = [value * 255 // (2**bits - 1) if bits <= 8 else value >> 8 for value in samples]
    differing = [band.point([255 * (value != sample) for value in range(256)]) for band, sample in zip(bands, samples, strict=True)]
    opaque = _opaque(image)
    return Image.merge("LA" if opaque.mode == "L" else "RGBA", (*opaque.split(), reduce(ImageChops.lighter, differing)))
