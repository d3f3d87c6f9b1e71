"""What the program is made of, as CycloneDX 1.6: the locked packages and the pinned files, each with its SHA-256."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.errors import InputError, PentimentoError
from app.core.version import VERSION
from app.infra.artefacts import PACKAGES, Package

_LOCKS = Path(__file__).resolve().parents[2] / "requirements"
EXTRAS = ("cpu", "gpu")
_ENTRY = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\\n]*[^\\\s]))?", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Locked:
    """One entry of a lock file; ``marker`` says where it is installed, empty for everywhere."""

    name: str
    version: str
    marker: str
    sha256: tuple[str, ...]


def lock_file(extra: str) -> Path:
    """Return the lock file of an extra.

    Raises:
        InputError: there is no such extra.
        PentimentoError: the program was installed without its lock files.
    """
    if extra not in EXTRAS:
        raise InputError(f"There are the extras {' and '.join(EXTRAS)}. Received: {extra!r}", field="extra")
    path = _LOCKS / f"{extra}.txt"
    if not path.is_file():
        raise PentimentoError(f"The lock file {path} is not there. Run this in a checkout of the project.")
    return path


def locked(text: str) -> Iterator[Locked]:
    """Yield the entries of a lock file as pip reads them."""
    found = list(_ENTRY.finditer(text))
    for entry, end in zip(found, [*(one.start() for one in found[1:]), len(text)], strict=True):
        yield Locked(entry["name"], entry["version"], entry["marker"] or "", tuple(_HASH.findall(text, entry.end(), end)))


def bill(extra: str = "cpu") -> dict[str, Any]:
    """Return the document as JSON; the same program has the same document."""
    components = [*map(_library, locked(lock_file(extra).read_text())), *map(_artefact, PACKAGES)]
    program = {"type": "application", "bom-ref": "pentimento", "name": "pentimento", "version": VERSION}
    serial = uuid.UUID(hashlib.sha256(json.dumps([program, components]).encode()).hexdigest()[:32], version=4)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": program},
        "components": components,
        "dependencies": [{"ref": "pentimento", "dependsOn": [component["bom-ref"] for component in components]}],
    }


def _library(package: Locked) -> dict[str, Any]:
    # A package has several files, one for each platform: any of these is what was locked.
    made = _component("library", package.name, package.version, *package.sha256)
    return {**made, "properties": [{"name": "pentimento:where", "value": package.marker}]} if package.marker else made


def _artefact(package: Package) -> dict[str, Any]:
    """Return a package that only carries files, with those that are taken out of it: it is never installed."""
    inside = [
        {"type": "file", "bom-ref": f"{package.filename}#{name}", "name": name, "hashes": _hashes(member.sha256)}
        for name, member in package.members.items()
    ]
    return {**_component("file", package.project, package.version, package.sha256), "components": inside}


def _component(kind: str, name: str, version: str, *sha256: str) -> dict[str, Any]:
    purl = f"pkg:pypi/{name}@{version}"
    return {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl, "hashes": _hashes(*sha256)}


def _hashes(*sha256: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": one} for one in sha256]
