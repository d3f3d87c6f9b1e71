from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import PictureError
from app.imaging.kinds import sniff


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\xff\xd8\xff\xe0rest", "JPEG"),
        (b"\x89PNG\r\n\x1a\nrest", "PNG"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "WEBP"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "AVIF"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", "AVIF"),
        (b"II*\0rest", "TIFF"),
        (b"MM\0*rest", "TIFF"),
    ],
)
def test_allowed(data: bytes, kind: str) -> None:
    assert sniff(data) == kind


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"GIF89a\x01\0", "GIF"),
        (b"BM\x00\x01\x02", "BMP"),
        (b"%PDF-1.7\n", "PDF"),
        (b"8BPS\0\1", "Photoshop"),
        (b"PK\3\4rest", "zip archive"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG drawing"),
        (b'\xef\xbb\xbf  <?xml version="1.0"?>\n<!-- made by hand -->\n<SVG></SVG>', "SVG drawing"),
        (b"<!DOCTYPE html><title>cat.png</title>", "web page"),
        (b"<script>alert(1)</script>", "web page"),
        (b"Dear diary,\nno picture here.", "is text"),
        ("Ein Bäumchen – kein Bild".encode(), "is text"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isomavc1", "video"),
        (b"\x1a\x45\xdf\xa3\x01", "video"),
        (b"\xff\x0a\x01", "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n", "JPEG 2000"),
        (b"\x00\x01\x02\x03\xfe\xfd", "not a picture that can be read here"),
        (b"\xff\xfe\xfd" * 300, "not a picture that can be read here"),
    ],
)
def test_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(PictureError, match=words) as caught:
        sniff(data)
    assert caught.value.message.endswith(".")
    assert any(word in caught.value.message for word in ("hoose", "Save", "Export"))


@given(st.binary(max_size=600))
def test_any_bytes_have_an_answer(data: bytes) -> None:
    try:
        assert sniff(data) in {"JPEG", "PNG", "WEBP", "AVIF", "TIFF"}
    except PictureError as error:
        assert error.message
