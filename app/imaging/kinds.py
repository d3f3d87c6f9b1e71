"""What kind of file some bytes are, told by their content and never by a name."""

from __future__ import annotations

from app.core.errors import PictureError

_ADVICE = "Save it as JPEG, PNG or WebP and choose that file."

_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}

# Beginnings of files people do try, and what to tell them.
_REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"GIF8", f"This file is a GIF. {_ADVICE}"),
    (b"BM", f"This file is a Windows bitmap (BMP). {_ADVICE}"),
    (b"%PDF", "This file is a PDF document. Export the page as a JPEG or PNG picture and choose that file."),
    (b"%!PS", "This file is a PostScript document. Export it as a JPEG or PNG picture and choose that file."),
    (b"8BPS", "This file is a Photoshop document. Export it as JPEG or PNG and choose that file."),
    (b"\x00\x00\x01\x00", f"This file is an icon. {_ADVICE}"),
    (b"\xff\x0a", f"This file is a JPEG XL picture, which cannot be read here. {_ADVICE}"),
    (b"\x00\x00\x00\x0cJXL ", f"This file is a JPEG XL picture, which cannot be read here. {_ADVICE}"),
    (b"\x00\x00\x00\x0cjP  ", f"This file is a JPEG 2000 picture, which cannot be read here. {_ADVICE}"),
    (b"\xff\x4f\xff\x51", f"This file is a JPEG 2000 picture, which cannot be read here. {_ADVICE}"),
    (b"II+\x00", f"This file is a BigTIFF, which cannot be read here. {_ADVICE}"),
    (b"MM\x00+", f"This file is a BigTIFF, which cannot be read here. {_ADVICE}"),
    (b"PK", "This file is a zip archive or an office document. Unpack it and choose one picture."),
    (b"\x1f\x8b", "This file is compressed with gzip. Unpack it and choose the picture inside."),
    (b"Rar!", "This file is a RAR archive. Unpack it and choose one picture."),
    (b"7z\xbc\xaf", "This file is a 7-Zip archive. Unpack it and choose one picture."),
    (b"\x1a\x45\xdf\xa3", "This file is a video. Choose a still picture: JPEG, PNG or WebP."),
)


def sniff(data: bytes) -> str:
    """Return Pillow's name of the format: JPEG, PNG, WEBP, AVIF or TIFF.

    Raises:
        PictureError: empty, or anything else; says what it is where that can be told.
    """
    if not data:
        raise PictureError("This file is empty. Choose another picture, or save this one again.")
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[:4] in (b"II*\x00", b"MM\x00*"):
        return "TIFF"
    if data[4:8] == b"ftyp":
        return _boxed(data)
    for beginning, words in _REFUSED:
        if data.startswith(beginning):
            raise PictureError(words)
    raise PictureError(_text(data[:4096]) or f"This file is not a picture that can be read here. {_ADVICE}")


def _boxed(data: bytes) -> str:
    """Tell AVIF from HEIC and from video: all begin with a box of brands, the first the file's own."""
    length = min(int.from_bytes(data[:4], "big"), 256, len(data))
    brands = {data[8:12]} | {data[i : i + 4] for i in range(16, length - 3, 4)}
    if brands & _AVIF_BRANDS:
        return "AVIF"
    if brands & _HEIF_BRANDS:
        raise PictureError(
            "This file is a HEIC picture, as iPhones save them, which cannot be read here. "
            "Convert it to JPEG (on the phone: share it with “Most Compatible”) and choose that file."
        )
    raise PictureError("This file is a video. Choose a still picture: JPEG, PNG or WebP.")


def _text(start: bytes) -> str | None:
    head = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<svg", b"<?xml", b"<!doctype svg", b"<!--")) and b"<svg" in head:
        return "This file is an SVG drawing, not a picture made of pixels. Export it as PNG and choose that file."
    if head.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script")):
        return "This file is a web page, not a picture. Save the picture itself from the page and choose that file."
    if start and all(byte in b"\t\r\n\f\x1b" or byte >= 32 for byte in start[:512]):
        try:
            start[:512].decode("utf-8")
        except UnicodeDecodeError as error:
            if error.start < 500:
                return None
        return "This file is text, not a picture. Choose a JPEG, PNG or WebP file."
    return None
