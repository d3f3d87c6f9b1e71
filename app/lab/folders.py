"""What the folders of an archive say of the pictures in them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
    """Read the folders ``contents`` and ``styles``, wherever they lie; files elsewhere are left out.

    Raises:
        InputError: neither folder is there.
    """
    places: list[Place] = []
    skipped: list[Skipped] = []
    for member in members:
        parts = member.path.parts
        at = next((at for at, part in enumerate(parts[:-1]) if part.lower() in _ROLES), None)
        if at is None:
            skipped.append(_skipped(member, "it lies neither in a folder contents nor in a folder styles"))
        else:
            places.append(Place(member.number, _ROLES[parts[at].lower()], printable("/".join(parts[at + 1 :]))))
    if not places:
        raise InputError(
            f"The zip file needs two folders, contents and styles. Received: {printable(str(members[0].path))}, ...", field="archive"
        )
    return places, skipped


def classes(members: Sequence[Member]) -> tuple[list[Place], list[Skipped]]:
    """Read ``class/picture`` or ``domain/class/picture``, below any folders that all of it shares.

    Most files decide how deep classes lie, the others are left out. The folder right above the classes
    is the domain even where there is only one: it names the generator, or the domain to train on.

    Raises:
        InputError: the pictures lie in no folders, or too deep.
    """
    depths = [len(member.path.parts) - 1 for member in members]
    depth = max(set(depths), key=lambda one: (depths.count(one), one))
    most = [member.path.parts[:-1] for member, found in zip(members, depths, strict=True) if found == depth]
    root = most[0][: max(0, depth - 2)]
    if depth == 0 or any(folders[: len(root)] != root for folders in most):
        raise InputError(
            f"Put the pictures into folders class/ or domain/class/. Received: {printable(str(members[0].path))}, ...", field="archive"
        )
    places: list[Place] = []
    skipped: list[Skipped] = []
    for member, found in zip(members, depths, strict=True):
        parts = member.path.parts[len(root) :]
        if found != depth:
            skipped.append(_skipped(member, f"it does not lie {depth} folders deep, as most files here"))
        else:
            domain = parts[0] if len(parts) == 3 else ""
            places.append(Place(member.number, "picture", printable(parts[-1]), printable(parts[-2]), printable(domain)))
    return places, skipped


def check_classes(names: Collection[str], *, field: str) -> None:
    """Refuse pictures among which there is nothing to tell apart.

    Raises:
        InputError: fewer than two classes.
    """
    if len(names) < 2:
        raise InputError(
            "Labelled pictures need at least two classes, each in a folder of its own: class/ or domain/class/."
            f" Received one class: {', '.join(names) or 'none'}.",
            field=field,
        )


def _skipped(member: Member, reason: str) -> Skipped:
    return Skipped(name=printable(str(member.path)), reason=reason)
