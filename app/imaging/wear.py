"""What happens to pictures on their way: made smaller or larger, blurred, coded as JPEG. For training a detector."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

_SMALLEST = 64
_RESAMPLERS = (Image.Resampling.LANCZOS, Image.Resampling.BICUBIC, Image.Resampling.BILINEAR, Image.Resampling.BOX)


def wear(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the picture after a random journey, drawn alike for originals and stylised pictures.

    Size by a factor of 0.35 to 1.6 (shorter side at least 64), blur, noise and JPEG of quality
    50 to 95, each with a chance of its own.

    Args:
        pixels: uint8 RGB (height, width, 3).
        rng: decides everything.

    Returns:
        uint8 RGB of another size.
    """
    image = Image.fromarray(pixels)
    if rng.random() < 0.7:
        factor = float(np.exp(rng.uniform(np.log(0.35), np.log(1.6))))
        factor = max(factor, min(1.0, _SMALLEST / min(image.size)))
        image = _resized(image, factor, _RESAMPLERS[int(rng.integers(len(_RESAMPLERS)))])
    if rng.random() < 0.15:
        image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.4, 1.2))))
    if rng.random() < 0.15:
        noise = rng.normal(0.0, float(rng.uniform(1.0, 6.0)), (image.height, image.width, 3))
        image = Image.fromarray(np.clip(np.rint(np.asarray(image) + noise), 0, 255).astype(np.uint8))
    worn = np.array(image)
    return recoded(worn, int(rng.integers(50, 96))) if rng.random() < 0.6 else worn


def halved(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return uint8 RGB (height, width, 3) at half its size."""
    return np.array(_resized(Image.fromarray(pixels), 0.5, Image.Resampling.LANCZOS))


def recoded(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Return uint8 RGB (height, width, 3) after one round of JPEG at ``quality``, 1 to 95."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer, formats=("JPEG",)) as coded:
        return np.array(coded.convert("RGB"))


def _resized(image: Image.Image, factor: float, resampler: Image.Resampling) -> Image.Image:
    return image.resize((max(1, round(image.width * factor)), max(1, round(image.height * factor))), resampler)
