"""Downloads one file of known size and hash, going on where an earlier try broke off."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
from unearth.fetchers import Fetcher, Response

from app.core.errors import ArtefactError
from app.infra.cache import in_words, require_room, sha256_of
from app.infra.files import publish

OnBytes = Callable[[int], None]

_TRIES = 5


def download(session: Fetcher, url: str, target: Path, *, size: int, sha256: str, on_bytes: OnBytes, pause: float = 1.0) -> None:
    """Put the file at ``url`` into ``target``, whole and verified, or leave no ``target``.

    Args:
        session: HTTP client.
        url: address; ``file:`` too.
        target: where the file goes. Until verified it is called ``<target>.part``.
        size: length in bytes; more than that is never written.
        sha256: of the file, as hexadecimal digits.
        on_bytes: told how many bytes are there, after each piece.
        pause: seconds before the second try; doubled for each after it.

    Raises:
        ArtefactError: the server is away, refuses, or serves another file.
        StorageFull: the disk is.
    """
    part = target.with_name(f"{target.name}.part")
    with in_words(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        resumed = _length(part) > 0
        require_room(target.parent, size - min(_length(part), size))
        _fill(session, url, part, size, on_bytes, pause)
        found = sha256_of(part)
        if found != sha256:
            part.unlink()
            if resumed:
                # The earlier piece may be at fault: once more, from nothing.
                download(session, url, target, size=size, sha256=sha256, on_bytes=on_bytes, pause=pause)
                return
            raise ArtefactError(f"{target.name} is not the pinned file, so it was thrown away: SHA-256 {found} in place of {sha256}.")
        publish(part, target)


def _fill(session: Fetcher, url: str, part: Path, size: int, on_bytes: OnBytes, pause: float) -> None:
    failures = 0
    while (before := _length(part)) != size:
        if before > size:
            part.unlink()
            continue
        try:
            trouble = _receive(session, url, part, size, on_bytes)
        except httpx2.RequestError as error:
            trouble = str(error) or type(error).__name__
        if _length(part) > before:
            failures = 0
            continue
        failures += 1
        if failures == _TRIES:
            raise ArtefactError(f"Downloading {part.stem} broke off ({trouble}). Start again to go on from {before} of {size} bytes.")
        time.sleep(pause * 2 ** (failures - 1))


def _receive(session: Fetcher, url: str, part: Path, size: int, on_bytes: OnBytes) -> str:
    """Add to ``part`` what the server sends; return what is the matter if that is not all."""
    start = _length(part)
    # Compression would make offsets in the body differ from offsets in the file.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with session.get_stream(url, headers=headers) as response:
        status = f"{response.status_code} {response.reason_phrase}"
        if response.status_code >= 500:
            return status
        if response.status_code not in (200, 206):
            raise ArtefactError(f"The package registry refused {part.stem}: {status}.")
        done = start if _continues(response, start) else 0
        with part.open("r+b" if done else "wb") as file:
            file.seek(done)
            # Pieces as they come: gathered into larger ones, the last would be lost with the connection.
            for piece in response.iter_bytes():
                done += len(piece)
                if done > size:
                    raise ArtefactError(f"The package registry sends more than the {size} bytes of {part.stem}.")
                file.write(piece)
                on_bytes(done)
            file.flush()
            os.fsync(file.fileno())
    return "the connection closed early"


def _continues(response: Response, start: int) -> bool:
    return response.status_code == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {start}-")


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
