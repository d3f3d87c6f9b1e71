"""Make the content samples from photographs inside the scikit-image package: ``python bench/samples/contents.py``."""

from __future__ import annotations

from pathlib import Path

import skimage
from catalogue import FOLDER, Sample, write
from PIL import Image, ImageEnhance

SHIPPED = Path(skimage.__file__).parent / "data"
LONGER_SIDE = 768
QUALITY = 88

# Licences are those scikit-image states in the docstring of each picture's loader.
PHOTOGRAPHS: dict[str, Sample] = {
    "astronaut.png": Sample(
        file="content/astronaut.jpg",
        title="Astronaut",
        alt="Portrait of a smiling astronaut in an orange space suit, a flag behind her and a helmet beside her.",
        source="Eileen Collins, NASA Great Images, through scikit-image",
        licence="Public domain, no known copyright restrictions",
    ),
    "chelsea.png": Sample(
        file="content/chelsea.jpg",
        title="Chelsea the cat",
        alt="Close-up of a ginger tabby cat with green eyes looking to the right.",
        source="Stefan van der Walt, through scikit-image",
        licence="CC0",
    ),
    "coffee.png": Sample(
        file="content/coffee.jpg",
        title="Coffee",
        alt="A red cup of espresso on a red saucer with a spoon, on a wooden table.",
        source="Rachel Michetti, Pikolo Espresso Bar, through scikit-image",
        licence="CC0",
    ),
    "rocket.jpg": Sample(
        file="content/rocket.jpg",
        title="Rocket",
        alt="A rocket standing between four lattice towers at dusk, lights shining at its foot.",
        source="SpaceX, through scikit-image",
        licence="Public domain",
    ),
    "hubble_deep_field.jpg": Sample(
        file="content/galaxies.jpg",
        title="Galaxies",
        alt="Hundreds of small galaxies, orange, blue and white, on a black sky.",
        source="NASA, Hubble eXtreme Deep Field, through scikit-image",
        licence="Public domain",
    ),
    "camera.png": Sample(
        file="content/photographer.jpg",
        title="Photographer",
        alt="Black and white picture of a man in a dark coat bending to a film camera on a tripod, in a field.",
        source="Lav Varshney, through scikit-image",
        licence="CC0",
    ),
}


def make() -> list[Sample]:
    (FOLDER / "content").mkdir(parents=True, exist_ok=True)
    for name, sample in PHOTOGRAPHS.items():
        picture = Image.open(SHIPPED / name).convert("RGB")
        if name == "hubble_deep_field.jpg":
            # Part of the field only: in the whole one galaxies are too small to paint.
            picture = ImageEnhance.Brightness(picture.crop((180, 330, 820, 810))).enhance(1.25)
        picture.thumbnail((LONGER_SIDE, LONGER_SIDE), Image.Resampling.LANCZOS)
        picture.save(FOLDER / sample["file"], quality=QUALITY, optimize=True, progressive=True, subsampling=0)
    return list(PHOTOGRAPHS.values())


if __name__ == "__main__":
    write("content", make())
