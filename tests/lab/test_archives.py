"""Zip files as visitors, their systems and attackers make them."""

from __future__ import annotations

import io
import random
import stat
import struct
import zipfile
from pathlib import PurePosixPath

import pytest

from app.core.errors import InputError, TooLarge
from app.lab.archives import Archive, ArchiveLimits, Survey

LIMITS = ArchiveLimits(members=20, member=1_000_000, total=3_000_000)
PICTURE = bytes(range(256)) * 4


def packed(files: dict[str, bytes] | list[tuple[str | zipfile.ZipInfo, bytes]], method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, data, method)
    return buffer


def survey(file: io.BytesIO, limits: ArchiveLimits = LIMITS) -> Survey:
    with Archive(file, limits) as archive:
        return archive.survey()


def test_files_are_listed_and_read_by_number() -> None:
    file = packed({"contents/": b"", "contents/a.jpg": PICTURE, "styles/b.jpg": PICTURE[::-1]})
    with Archive(file, LIMITS) as archive:
        found = archive.survey()
        assert [member.path for member in found.members] == [PurePosixPath("contents/a.jpg"), PurePosixPath("styles/b.jpg")]
        assert [archive.read(member) for member in found.members] == [PICTURE, PICTURE[::-1]]
    assert found.skipped == ()


def test_what_operating_systems_leave_behind_is_not_even_mentioned() -> None:
    found = survey(
        packed({"__MACOSX/a/._1.jpg": PICTURE, "a/.DS_Store": PICTURE, "a/._1.jpg": PICTURE, "a/Thumbs.db": PICTURE, "a/1.jpg": PICTURE})
    )
    assert ([str(member.path) for member in found.members], found.skipped) == (["a/1.jpg"], ())


@pytest.mark.parametrize(
    "name", ["../evil.jpg", "a/../../evil.jpg", "/etc/evil.jpg", "C:/evil.jpg", "a\\..\\evil.jpg", "a/ev\x07il.jpg", "a/" + "x" * 500]
)
def test_a_name_that_leads_elsewhere_is_left_out(name: str) -> None:
    found = survey(packed({name: PICTURE, "a/good.jpg": PICTURE}))
    assert [str(member.path) for member in found.members] == ["a/good.jpg"]
    assert [one.reason for one in found.skipped] == ["its name leads out of the archive, or has characters that no file name has"]
    assert "\x07" not in found.skipped[0].name


def test_a_name_that_hides_its_end_behind_a_zero_is_left_out() -> None:
    file = io.BytesIO(packed({"a/good.jpgX.exe": PICTURE, "a/1.jpg": PICTURE}).getvalue().replace(b"good.jpgX", b"good.jpg\0"))
    assert [str(member.path) for member in survey(file).members] == ["a/1.jpg"]


def test_links_passwords_and_archives_inside_are_left_out() -> None:
    link = zipfile.ZipInfo("a/link.jpg")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    file = packed([(link, b"/etc/passwd"), ("a/inner.zip", PICTURE), ("a/secret.jpg", PICTURE), ("a/1.jpg", PICTURE)])
    data = bytearray(file.getvalue())
    entry = data.rindex(b"a/secret.jpg")  # the directory's entry: its flags stand 38 bytes before the name
    data[entry - 38] |= 1
    found = survey(io.BytesIO(bytes(data)))
    assert [str(member.path) for member in found.members] == ["a/1.jpg"]
    assert {one.name: one.reason.split(",")[0] for one in found.skipped} == {
        "a/link.jpg": "it is a link or a special file",
        "a/inner.zip": "it is an archive inside the archive; unpack it first",
        "a/secret.jpg": "it is protected by a password",
    }


def test_the_second_of_two_files_of_one_name_is_left_out() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        file = packed([("a/1.jpg", PICTURE), ("a/1.jpg", PICTURE[::-1])])
    with Archive(file, LIMITS) as archive:
        found = archive.survey()
        assert [archive.read(member) for member in found.members] == [PICTURE]
    assert [one.reason for one in found.skipped] == ["the archive holds this name twice; the first is taken"]


def test_a_bomb_is_refused_without_unpacking() -> None:
    zeros = bytes(900_000)
    found = survey(packed({"a/bomb.png": zeros, "a/1.jpg": PICTURE}))
    assert [one.reason for one in found.skipped] == ["it unpacks to more than 100 times its size, as no picture does"]
    with pytest.raises(TooLarge, match=r"at most 3 MB. Received: 4 MB"):
        survey(packed({f"a/{number}.png": zeros for number in range(4)}, zipfile.ZIP_STORED))
    with pytest.raises(InputError, match="larger than 1 MB"):
        survey(packed({"a/large.png": bytes(1_000_001)}, zipfile.ZIP_STORED))


def test_too_many_files_are_refused() -> None:
    with pytest.raises(TooLarge, match=r"at most 20 pictures. Received: 21"):
        survey(packed({f"{number}.jpg": PICTURE for number in range(21)}))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_picture_may_be_longer_than_the_directory_may_be(method: int) -> None:
    # Bytes that hardly shrink, as those of a photograph.
    large = random.Random(1).randbytes(6_000_000)
    limits = ArchiveLimits(members=5000, member=25_000_000, total=100_000_000)
    with Archive(packed({"a/large.jpg": large, "a/1.jpg": PICTURE}, method), limits) as archive:
        assert [archive.read(member) == data for member, data in zip(archive.survey().members, (large, PICTURE), strict=True)] == [
            True,
            True,
        ]


def test_a_directory_that_is_longer_than_any_dataset_s_is_not_read() -> None:
    data = bytearray(packed({f"{number:0200d}.jpg": b"x" for number in range(6000)}, zipfile.ZIP_STORED).getvalue())
    assert struct.unpack("<I", data[-10:-6])[0] > 1_000_000
    with pytest.raises(TooLarge, match="lists far more files"):
        Archive(io.BytesIO(bytes(data)), LIMITS)


@pytest.mark.parametrize("data", [b"", b"no zip file at all", PICTURE, packed({"a.jpg": PICTURE}).getvalue()[:-30]])
def test_what_is_no_zip_file_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="not a whole zip file"):
        Archive(io.BytesIO(data), LIMITS)


def test_an_archive_without_a_readable_file_says_what_is_the_matter() -> None:
    with pytest.raises(InputError, match="holds no file that can be read"):
        survey(packed({"folder/": b""}))
    with pytest.raises(InputError, match=r"The first of 1 left out: \.\./a.jpg"):
        survey(packed({"../a.jpg": PICTURE}))


def test_a_damaged_member_is_found_when_it_is_read() -> None:
    data = bytearray(packed({"a/1.jpg": PICTURE, "a/2.jpg": PICTURE}, zipfile.ZIP_STORED).getvalue())
    data[60] ^= 0xFF
    with Archive(io.BytesIO(bytes(data)), LIMITS) as archive:
        first, second = archive.survey().members
        with pytest.raises(InputError, match="damaged inside the archive"):
            archive.read(first)
        assert archive.read(second) == PICTURE


def test_a_member_that_is_longer_than_it_says_is_not_unpacked_further() -> None:
    data = bytearray(packed({"a/1.jpg": bytes(500_000)}).getvalue())
    entry = data.rindex(b"a/1.jpg")
    data[entry - 22 : entry - 18] = struct.pack("<I", 1000)  # the unpacked size in the directory
    with Archive(io.BytesIO(bytes(data)), LIMITS) as archive:
        (member,) = archive.survey().members
        with pytest.raises(InputError, match=r"damaged inside|not as long"):
            archive.read(member)
