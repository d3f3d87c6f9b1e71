"""What the folders of an archive say of the pictures in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.core.errors import InputError
from app.lab.archives import Member, Skipped, printable

Role = Literal["content", "style", "stylised", "picture"]

_ROLES: dict[str, Role] = {"contents": "content", "content": "content", "styles": "style", "style": "style"}


@dataclass(frozen=True, slots=True)
class Place:
    """A file's part in a dataset: ``klass`` and ``domain`` are empty where they do not apply."""

    number: int
    role: Role
    name: str
    klass: str = ""
    domain: str = ""


def contents_and_styles(members: Sequence[Member]) -> tuple[list[Place], list[Skipped]]:
    """Read the folders ``contents`` and ``styles``; other folders are left out.

    Raises:
        InputError: neither folder is there.
    """
    places: list[Place] = []
    skipped: list[Skipped] = []
    root = _shared_folders(members, until=frozenset(_ROLES))
    for member in members:
        parts = member.path.parts[root:]
        role = _ROLES.get(parts[0].lower()) if len(parts) > 1 else None
        if role is None:
            skipped.append(_skipped(member, "it lies neither in a folder contents nor in a folder styles"))
        else:
            places.append(Place(member.number, role, printable("/".join(parts[1:]))))
    if not places:
        raise InputError(
            f"The zip file needs two folders, contents and styles. Received: {printable(str(members[0].path))}, ...", field="archive"
        )
    return places, skipped


def classes(members: Sequence[Member]) -> tuple[list[Place], list[Skipped]]:
    """Read ``class/picture`` or ``domain/class/picture``; folders around all of it are taken off first.

    Most files decide which of the two it is, the others are left out.

    Raises:
        InputError: the pictures lie in no folders, or too deep.
    """
    root = _shared_folders(members)
    while root and max(len(member.path.parts) - root for member in members) < 3:
        # Off with no more than needed: photo/dog/1.jpg and photo/cat/2.jpg are one domain of two classes.
        root -= 1
    depths = [len(member.path.parts) - root for member in members]
    depth = max(set(depths), key=lambda one: (depths.count(one), one))
    if depth not in (2, 3):
        raise InputError(
            f"Put the pictures into folders class/ or domain/class/. Received: {printable(str(members[0].path))}, ...", field="archive"
        )
    places: list[Place] = []
    skipped: list[Skipped] = []
    for member, found in zip(members, depths, strict=True):
        parts = member.path.parts[root:]
        if found != depth:
            skipped.append(_skipped(member, f"it does not lie {depth - 1} folders deep, as most files here"))
        else:
            domain = parts[0] if depth == 3 else ""
            places.append(Place(member.number, "picture", printable(parts[-1]), printable(parts[-2]), printable(domain)))
    return places, skipped


def _shared_folders(members: Sequence[Member], until: frozenset[str] = frozenset()) -> int:
    """Return how many leading folders all files share, leaving each file one, and stopping before a name in ``until``."""
    folders = [member.path.parts[:-1] for member in members]
    most = max(0, min(map(len, folders)) - 1)
    count = 0
    while count < most and len({parts[count] for parts in folders}) == 1 and folders[0][count].lower() not in until:
        count += 1
    return count


def _skipped(member: Member, reason: str) -> Skipped:
    return Skipped(name=printable(str(member.path)), reason=reason)
