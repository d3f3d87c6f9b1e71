"""Addresses that a header or a report names: whoever sent them may have written anything."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit


def parts_of(address: str) -> SplitResult | None:
    """Return the address's parts, or None for what cannot be one."""
    try:
        return urlsplit(address)
    except ValueError:
        return None
