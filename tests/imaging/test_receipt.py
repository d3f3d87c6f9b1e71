from __future__ import annotations

import io
import json
import zlib
from datetime import UTC, datetime

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.core.specs import StyleParams
from app.imaging import encode
from app.imaging.receipt import InputDigest, Receipt, attach, read

PIXELS = np.random.default_rng(8).integers(0, 256, (40, 50, 3), dtype=np.uint8)
RECEIPT = Receipt(
    version="0.1.0",
    created=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
    job="ab" * 16,
    preset="default",
    parameters=StyleParams(size=640, strength=2.5, seed=42, iterations=(60, 25)),
    inputs=(
        InputDigest(role="content", sha256="0" * 64, width=640, height=480),
        InputDigest(role="style", sha256="f" * 64, width=3, height=4),
    ),
    weights={"vgg19": "12" * 32},
    libraries={"tensorflow": "2.21.0", "Größe": "→"},
    precision="bfloat16",
    device="CPU",
    iterations=85,
    planned=85,
    elapsed=41.5,
)
PNG, JPEG = encode.png(PIXELS), encode.jpeg(PIXELS)
DEEP, TIFF = encode.png16(PIXELS / np.float32(255)), encode.tiff16(PIXELS / np.float32(255))


def test_comes_back_from_sixteen_bits() -> None:
    for picture, opened in ((DEEP, lambda data: encode.read_float(data)[0]), (TIFF, lambda data: tifffile.imread(io.BytesIO(data)))):
        signed = attach(picture, RECEIPT)
        assert read(signed) == RECEIPT
        assert read(picture) is None
        np.testing.assert_array_equal(opened(signed), opened(picture))


def test_another_tiff_reader_finds_it() -> None:
    with tifffile.TiffFile(io.BytesIO(attach(TIFF, RECEIPT))) as file:
        said = json.loads(file.pages[0].description.removeprefix("pentimento "))
    assert said["libraries"]["Größe"] == "→"


@pytest.mark.parametrize("picture", [PNG, JPEG], ids=["png", "jpeg"])
def test_comes_back_and_touches_no_pixel(picture: bytes) -> None:
    signed = attach(picture, RECEIPT)
    assert read(signed) == RECEIPT
    assert read(signed).seed == 42
    assert read(picture) is None
    np.testing.assert_array_equal(encode.read_rgb(signed), encode.read_rgb(picture))
    assert len(signed) - len(picture) < 2500


def test_another_png_reader_finds_it() -> None:
    with Image.open(io.BytesIO(attach(PNG, RECEIPT))) as image:
        image.load()
        found = json.loads(image.text["pentimento"])
    assert found["parameters"]["strength"] == 2.5
    assert found["libraries"]["Größe"] == "→"


def test_another_jpeg_reader_finds_it() -> None:
    with Image.open(io.BytesIO(attach(JPEG, RECEIPT))) as image:
        assert json.loads(image.info["comment"].removeprefix(b"pentimento "))["job"] == "ab" * 16
        assert image.info["jfif_version"] == (1, 1)


def test_a_receipt_of_another_shape_is_no_receipt() -> None:
    signed = attach(PNG, RECEIPT)
    text = RECEIPT.model_dump_json().encode()
    for wrong in (text.replace(b'"size":640', b'"size":9e9'), text.replace(b"Pentimento", b"Pentimentx"), b"{" * 5000, b"[]", b"\xff\xfe"):
        start = signed.index(text) - 15
        body = b"iTXt" + signed[start : start + 15] + wrong
        chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
        assert read(PNG[:33] + chunk + PNG[33:]) is None
    assert read(signed.replace(b'"size":640', b'"size":641')) is None  # the checksum no longer fits


def test_an_overlong_text_is_not_even_parsed() -> None:
    padded = RECEIPT.model_dump_json().encode() + b" " * 70_000
    body = b"iTXtpentimento\0\0\0\0\0" + padded
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    assert read(PNG[:33] + chunk + PNG[33:]) is None


def test_an_overlong_receipt_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 60000 bytes"):
        attach(PNG, RECEIPT.model_copy(update={"libraries": {"x": "y" * 60_000}}))


def test_no_other_files() -> None:
    with pytest.raises(ValueError, match="PNG, JPEG or TIFF"):
        attach(b"GIF89a", RECEIPT)


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", PNG[:33], attach(PNG, RECEIPT)[:200], JPEG[:20], attach(JPEG, RECEIPT)[:80], b"\xff\xd8"]),
)
def test_any_bytes_are_safe(tail: bytes, head: bytes) -> None:
    assert read(head + tail) is None


@given(st.integers(0, 10**6), st.integers(0, 7))
def test_any_flipped_bit_gives_the_same_receipt_or_none(at: int, bit: int) -> None:
    signed = bytearray(attach(PNG, RECEIPT))
    signed[at % len(signed)] ^= 1 << bit
    assert read(bytes(signed)) in (RECEIPT, None)
