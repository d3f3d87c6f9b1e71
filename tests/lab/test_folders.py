"""Which part a picture plays, by the folders it lies in."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from app.core.errors import InputError
from app.lab.archives import Member
from app.lab.folders import classes, contents_and_styles


def members(*paths: str) -> list[Member]:
    return [Member(number, PurePosixPath(path), 1) for number, path in enumerate(paths)]


@pytest.mark.parametrize("root", ["", "my set/", "a/b/"])
def test_contents_and_styles_are_found_below_any_shared_folder(root: str) -> None:
    places, skipped = contents_and_styles(members(f"{root}contents/1.jpg", f"{root}Styles/deep/2.jpg", f"{root}contents/3.jpg"))
    assert [(place.number, place.role, place.name) for place in places] == [
        (0, "content", "1.jpg"),
        (1, "style", "deep/2.jpg"),
        (2, "content", "3.jpg"),
    ]
    assert skipped == []


def test_contents_alone_are_found_however_deep_they_lie() -> None:
    places, _ = contents_and_styles(members("set/contents/cats/1.jpg", "set/contents/cats/2.jpg"))
    assert [place.name for place in places] == ["cats/1.jpg", "cats/2.jpg"]


def test_other_folders_are_left_out_and_neither_folder_is_an_error() -> None:
    _, skipped = contents_and_styles(members("contents/1.jpg", "notes/2.jpg", "3.jpg"))
    assert [one.name for one in skipped] == ["notes/2.jpg", "3.jpg"]
    with pytest.raises(InputError, match=r"two folders, contents and styles. Received: a/1.jpg"):
        contents_and_styles(members("a/1.jpg", "b/2.jpg"))


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (("dog/1.jpg", "cat/2.jpg"), [("", "dog"), ("", "cat")]),
        (("photo/dog/1.jpg", "painting/dog/2.jpg"), [("photo", "dog"), ("painting", "dog")]),
        (("photo/dog/1.jpg", "photo/cat/2.jpg"), [("photo", "dog"), ("photo", "cat")]),
        (("all/photo/dog/1.jpg", "all/painting/cat/2.jpg"), [("photo", "dog"), ("painting", "cat")]),
        (("x/all/photo/dog/1.jpg", "x/all/photo/cat/2.jpg"), [("photo", "dog"), ("photo", "cat")]),
        (("dog/1.jpg", "dog/2.jpg"), [("", "dog"), ("", "dog")]),
        (("all/x/dog/1.jpg", "all/y/cat/2.jpg", "all/x/cat/3.jpg"), [("x", "dog"), ("y", "cat"), ("x", "cat")]),
    ],
)
def test_classes_with_and_without_domains(paths: tuple[str, ...], expected: list[tuple[str, str]]) -> None:
    places, skipped = classes(members(*paths))
    assert [(place.domain, place.klass) for place in places] == expected
    assert {place.role for place in places} == {"picture"}
    assert skipped == []


def test_most_files_decide_how_deep_classes_lie() -> None:
    places, skipped = classes(members("dog/1.jpg", "cat/2.jpg", "cat/old/3.jpg", "4.jpg"))
    assert [place.klass for place in places] == ["dog", "cat"]
    assert [one.name for one in skipped] == ["cat/old/3.jpg", "4.jpg"]
    assert skipped[0].reason == "it does not lie 1 folders deep, as most files here"


@pytest.mark.parametrize("paths", [("1.jpg", "2.jpg"), ("a/b/c/1.jpg", "d/e/f/2.jpg")])
def test_pictures_in_no_folders_or_too_deep_are_refused(paths: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match=r"folders class/ or domain/class/. Received: "):
        classes(members(*paths))
