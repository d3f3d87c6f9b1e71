"""Where a package file lies in the Python registry, by the user's own pip settings."""

from __future__ import annotations

import ast
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import httpx2
from unearth import PackageFinder
from unearth.auth import MultiDomainBasicAuth
from unearth.fetchers import Fetcher, PyPIClient

from app.core.errors import ArtefactError

_SECTIONS = ("global", "install", ":env:")
_TRUE = {"1", "true", "yes", "on", "y", "t"}


def pip_settings() -> dict[str, str]:
    """Return pip's effective settings, such as ``{"index-url": …}``.

    pip itself is asked, since where its files lie differs by system. Without pip, only
    the ``PIP_*`` variables count.
    """
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"], capture_output=True, text=True, check=False
    )
    if asked.returncode == 0:
        return parse_pip_settings(asked.stdout)
    return {name[4:].lower().replace("_", "-"): value for name, value in os.environ.items() if name.startswith("PIP_") and value}


def parse_pip_settings(listing: str) -> dict[str, str]:
    """Return the settings that count for an install, from the lines of ``pip config list``."""
    by_section: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for line in listing.splitlines():
        key, separator, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if separator and section in by_section:
            by_section[section][name] = ast.literal_eval(value)
    return {name: value for section in _SECTIONS for name, value in by_section[section].items()}


@contextmanager
def client(settings: Mapping[str, str]) -> Iterator[Fetcher]:
    """Lend an HTTP client with pip's certificate, proxy, timeout and trusted hosts."""
    with PyPIClient(
        verify=_verification(settings),
        trusted_hosts=settings.get("trusted-host", "").split(),
        timeout=float(settings.get("timeout") or settings.get("default-timeout") or 15),
        proxy=settings.get("proxy"),
        follow_redirects=True,
    ) as session:
        session.auth = MultiDomainBasicAuth(prompting=False, index_urls=_indexes(settings))
        # PyPIClient is what unearth itself uses here, but its types do not quite meet its protocol.
        yield cast(Fetcher, session)


def _verification(settings: Mapping[str, str]) -> ssl.SSLContext | bool:
    certificates = settings.get("cert") or os.environ.get("REQUESTS_CA_BUNDLE")
    own = settings.get("client-cert")
    if not certificates and not own:
        return True
    folder = bool(certificates) and Path(certificates or "").is_dir()
    try:
        context = ssl.create_default_context(cafile=None if folder else certificates, capath=certificates if folder else None)
        if own:
            context.load_cert_chain(own)
    except OSError as error:
        raise ArtefactError(
            f"The certificates in pip's settings cannot be read. Received: cert {certificates!r}, client-cert {own!r}."
        ) from error
    return context


def locate(project: str, version: str, filename: str, settings: Mapping[str, str], session: Fetcher) -> str | None:
    """Return the address of exactly ``filename``, or None where no source lists it.

    Raises:
        httpx2.RequestError: a source could not be reached and no other lists the file.
    """
    unreached: httpx2.RequestError | None = None
    for kind, place in _sources(settings):
        # One finder a source, so that a dead mirror does not hide a living one.
        finder = PackageFinder(
            session=session,
            index_urls=[place] if kind == "index" else [],
            find_links=[place] if kind == "links" else [],
            trusted_hosts=settings.get("trusted-host", "").split(),
            ignore_compatibility=True,
        )
        try:
            for found in finder.find_matches(f"{project}=={version}"):
                if found.link.filename == filename:
                    return found.link.url_without_fragment
        except httpx2.RequestError as error:
            unreached = error
    if unreached is not None:
        raise unreached
    return None


def _sources(settings: Mapping[str, str]) -> list[tuple[str, str]]:
    links = [place for place in settings.get("find-links", "").split() if "://" in place or Path(place).exists()]
    sources = [("links", place) for place in links]
    if settings.get("no-index", "").lower() not in _TRUE:
        # Given no source at all, unearth asks the public registry.
        sources += [("index", place) for place in _indexes(settings)] + ([] if settings.get("index-url") else [("public", "")])
    return sources


def _indexes(settings: Mapping[str, str]) -> list[str]:
    return f"{settings.get('index-url', '')} {settings.get('extra-index-url', '')}".split()
