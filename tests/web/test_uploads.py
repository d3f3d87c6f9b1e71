from __future__ import annotations

import asyncio
import errno
import io
from collections.abc import AsyncIterator, Iterator

import pytest

from app.core.errors import InputError, StorageFull, TooLarge
from app.web import spool
from app.web.given_picture import PictureReader
from app.web.uploads import Form, FormLimits, display_name, read_form
from tests.web.conftest import Studio, picture, two_pictures

LIMIT = 1000


def multipart(*parts: tuple[str, bytes]) -> bytes:
    return b"".join(b"--x\r\n" + head.encode() + b"\r\n\r\n" + body + b"\r\n" for head, body in parts) + b"--x--\r\n"


def part(name: str, file: str | None = None) -> str:
    return f'Content-Disposition: form-data; name="{name}"' + (f'; filename="{file}"' if file else "")


def parse(
    body: bytes,
    chunk: int = 64,
    kind: str = "multipart/form-data; boundary=x",
    limit: int = LIMIT,
    limits: FormLimits | None = None,
) -> tuple[Form, int]:
    taken = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal taken
        for at in range(0, len(body), chunk):
            taken += len(body[at : at + chunk])
            yield body[at : at + chunk]

    return asyncio.run(read_form(kind, chunks(), limits or FormLimits.for_pictures(limit))), taken


@pytest.mark.parametrize("chunk", [1, 7, 10_000])
def test_fields_and_files_arrive_whole_however_they_are_cut(chunk: int) -> None:
    form, _ = parse(multipart((part("size"), b"512"), (part("content", "a b.png"), b"\r\n--y" * 50), (part("style", ""), b"")), chunk)
    assert form.fields == {"size": "512", "style": ""}
    assert form.files["content"].name == "a b.png"
    assert form.files["content"].read() == b"\r\n--y" * 50
    form.close()


def test_a_file_at_the_limit_passes_and_one_byte_more_does_not() -> None:
    form, _ = parse(multipart((part("content", "a"), b"a" * LIMIT), (part("style", "b"), b"b" * (LIMIT + 1)), (part("size"), b"64")))
    assert not form.files["content"].too_large
    assert form.files["style"].too_large
    assert form.files["style"].read() == b""  # nothing of it is kept
    assert form.fields["size"] == "64"  # what follows is still read
    form.close()


def test_a_dataset_s_form_takes_many_files_of_one_name_in_their_order() -> None:
    body = multipart(
        *((part("content", f"{number}.png"), b"%d" % number) for number in range(150)), (part("preset"), b"a"), (part("preset"), b"b")
    )
    form, _ = parse(body, 1000, limits=FormLimits.for_dataset(LIMIT * 100))
    assert [upload.name for upload in form.uploads["content"]] == [f"{number}.png" for number in range(150)]
    assert [upload.read() for upload in form.uploads["content"]][148:] == [b"148", b"149"]
    assert form.files["content"].name == "149.png"
    assert (form.values["preset"], form.fields["preset"]) == (["a", "b"], "b")
    form.close()
    with pytest.raises(InputError, match="at most 200 files"):
        parse(multipart(*((part("content", "a"), b"a") for _ in range(201))), 1000, limits=FormLimits.for_dataset(LIMIT * 100))


def test_as_many_files_as_a_form_takes_may_each_be_at_the_limit() -> None:
    form, _ = parse(multipart((part("size"), b"64"), *((part(f"picture{number}", "a"), b"a" * LIMIT) for number in range(16))))
    assert form.cut_off_at is None
    assert [upload.size for upload in form.files.values()] == [LIMIT] * 16
    assert not any(upload.too_large for upload in form.files.values())
    form.close()


def test_of_files_too_large_together_only_the_one_over_the_limit_is_called_too_large(studio: Studio) -> None:
    form, _ = parse(multipart((part("style", "b"), b"b" * (17 * LIMIT + 500)), (part("content", "a"), b"a" * LIMIT)))
    assert form.cut_off_at == "content"
    reader = PictureReader(studio.services.samples, studio.services.decoders, LIMIT)
    for role, said in (("style", "larger than"), ("content", "too large together")):
        with pytest.raises(TooLarge, match=said) as caught:
            reader.read(form, role, reader.opening())
        assert caught.value.field == role
    form.close()


def test_an_endless_body_is_cut_off() -> None:
    form, taken = parse(multipart((part("size"), b"64"), (part("style", "b"), b"b" * LIMIT * 100)))
    assert form.cut_off_at == "style"
    assert taken <= LIMIT * 18 + 64
    assert form.fields["size"] == "64"
    form.close()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"size=" + b"5" * 20_000, "application/x-www-form-urlencoded"),
        (b"a=1&" * 200, "application/x-www-form-urlencoded"),
        (b'{"size": 5}', "application/json"),
        (b"", "multipart/form-data"),
        (b"nonsense", "multipart/form-data; boundary=x"),
        (multipart((part("size"), b"5"))[:-8], "multipart/form-data; boundary=x"),
        (multipart(("Content-Disposition: form-data", b"5")), "multipart/form-data; boundary=x"),
        (multipart((part("size"), b"5" * 20_000)), "multipart/form-data; boundary=x"),
        (multipart((part("size") + "\r\nX-Long: " + "a" * 20_000, b"5")), "multipart/form-data; boundary=x"),
        (multipart(*[(part(f"f{n}"), b"5" * 9000) for n in range(50)]), "multipart/form-data; boundary=x"),
        (multipart(*[(part(f"f{n}"), b"") for n in range(200)]), "multipart/form-data; boundary=x"),
        (multipart(*[(part(f"f{n}", "a"), b"a") for n in range(17)]), "multipart/form-data; boundary=x"),
    ],
)
def test_what_is_not_a_sound_form_is_refused(body: bytes, kind: str) -> None:
    with pytest.raises(InputError):
        parse(body, 10_000, kind, limit=100_000)


@pytest.mark.parametrize("chunk", [1, 10_000])
def test_a_form_without_files_may_be_urlencoded(chunk: int) -> None:
    body = b"content_sample=chelsea&iterations=7%2C3&tv=&note=a+b%C3%A9"
    form, _ = parse(body, chunk, "application/x-www-form-urlencoded; charset=utf-8")
    assert form.fields == {"content_sample": "chelsea", "iterations": "7,3", "tv": "", "note": "a bé"}
    assert form.files == {}


def test_an_endless_urlencoded_body_is_refused_while_it_arrives() -> None:
    with pytest.raises(TooLarge):
        parse(b"a" * 10_000_000, 50_000, "application/x-www-form-urlencoded")


class FullDisk(io.BytesIO):
    """A spool that finds no room: when it is written to, or only when the rest leaves memory."""

    def __init__(self, error: int, when: str) -> None:
        super().__init__()
        self.error, self.when = error, when

    def write(self, data: object) -> int:
        if self.when == "write":
            raise OSError(self.error, "no room")
        return super().write(data)  # type: ignore[arg-type]

    def seek(self, *place: int) -> int:
        raise OSError(self.error, "no room")

    def close(self) -> None:
        if not self.closed:
            super().close()
            raise OSError(self.error, "no room")


@pytest.mark.parametrize("when", ["write", "read"])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_meanwhile_says_so(monkeypatch: pytest.MonkeyPatch, error: int, when: str) -> None:
    monkeypatch.setattr(spool, "SpooledTemporaryFile", lambda max_size: FullDisk(error, when))

    def receive() -> None:
        form, _ = parse(multipart((part("content", "a"), b"a" * 100)))
        try:
            form.files["content"].read()
        finally:
            form.close()

    with pytest.raises(StorageFull, match="disk is full"):
        receive()


@pytest.mark.parametrize("path", ["/api/jobs", "/jobs"])
def test_a_full_disk_is_507(studio: Studio, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    def on_a_full_device(max_size: int) -> io.FileIO:
        return io.FileIO("/dev/full", "r+")

    monkeypatch.setattr(spool, "SpooledTemporaryFile", on_a_full_device)
    answer = studio.client.post(path, files=two_pictures())
    assert answer.status_code == 507
    assert "Free some space" in answer.text


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("/etc/passwd", "passwd"),
        ("C:\\x\\y.png", "y.png"),
        ("a\r\nb\x00.png", "ab.png"),
        ("\u202e", "picture"),
        ("", "picture"),
        ("é" * 300, "é" * 120),
    ],
)
def test_names_are_safe_to_show(given: str, shown: str) -> None:
    assert display_name(given) == shown


@pytest.mark.parametrize("path", ["/api/jobs", "/jobs"])
def test_a_large_file_is_413_at_its_field(studio: Studio, path: str) -> None:
    files = two_pictures()
    files["style"] = ("large.png", b"\x89PNG" + b"a" * studio.settings.max_upload_bytes, "image/png")
    answer = studio.client.post(path, files=files)
    assert answer.status_code == 413
    if path == "/jobs":
        assert 'id="style-error" class="error" data-error-for="style">This file is larger than 0.2 MB' in answer.text
    else:
        assert [error["field"] for error in answer.json()["errors"]] == ["style"]
    assert studio.client.get("/api/jobs").json()["jobs"] == []


def test_a_lying_content_length_changes_nothing(studio: Studio) -> None:
    """The header promises a few bytes; the body goes on. What counts is what arrives."""
    body = multipart((part("content", "a.png"), picture()), (part("style", "b.png"), b"b" * 4 * studio.settings.max_upload_bytes))

    def chunks() -> Iterator[bytes]:
        for at in range(0, len(body), 65536):
            yield body[at : at + 65536]

    answer = studio.client.post(
        "/api/jobs", content=chunks(), headers={"Content-Type": "multipart/form-data; boundary=x", "Content-Length": "400"}
    )
    assert answer.status_code == 413
    assert answer.json()["errors"][0]["field"] == "style"


def test_an_empty_file_says_so(studio: Studio) -> None:
    files = two_pictures()
    files["content"] = ("empty.png", b"", "image/png")
    assert "empty" in studio.client.post("/api/jobs", files=files).json()["detail"]
