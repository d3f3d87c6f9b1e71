"""What the shipped detector says of itself, in the words that stand beside every verdict."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from app.core.verdicts import MOST_ABOVE, MOST_BELOW
from app.web import documents
from app.web.judgement_view import percent

log = logging.getLogger(__name__)

SHIPPED = Path(__file__).resolve().parents[2] / "workers" / "verdict" / "detector.safetensors"
CARD = "model-card"
# A safetensors file begins with the length of its JSON header.
_LENGTH = 8
_LONGEST = 1_000_000
_GROUPS = {"photograph": "photographs", "painting": "paintings", "style": "pictures used as styles"}


@dataclass(frozen=True)
class DetectorWords:
    """What is said of a detector.

    Attributes:
        learnt, measured: sentences from the detector's own facts, empty where it states none.
        covered: what its uncertain band was chosen to leave outside, empty where nothing was measured.
        card: its model card's address.
    """

    learnt: str = ""
    measured: str = ""
    covered: str = ""
    card: str = ""


@lru_cache(maxsize=1)
def shipped() -> DetectorWords:
    """Return the words of the detector in this installation; read once."""
    return words(facts_in(SHIPPED), f"/docs/{CARD}" if documents.exists(CARD) else "")


@lru_cache(maxsize=1)
def shipped_digest() -> str:
    """Return the SHA-256 of the detector in this installation, by which verdicts name it; empty without one."""
    return hashlib.sha256(SHIPPED.read_bytes()).hexdigest() if SHIPPED.is_file() else ""


def facts_in(path: Path) -> dict[str, Any]:
    """Return what a detector's file states in its header; nothing where there is no file, or none that can be read."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_LENGTH), "little")
            header = json.loads(file.read(min(length, _LONGEST)))
        facts: dict[str, Any] = json.loads(header["__metadata__"]["detector"])["facts"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("nothing to say of the detector in %s: %r", path.name, error)
        return {}
    return facts


def words(facts: Mapping[str, Any], card: str = "") -> DetectorWords:
    """Put a detector's facts into words.

    Args:
        facts: ``pictures["train"]`` counts pictures by group; ``validation`` holds the shares of originals
            ``called_stylised`` and of stylised pictures ``found``, on pictures that it did not learn from.
    """
    counts: Mapping[str, int] = facts.get("pictures", {}).get("train", {})
    originals = [f"{counts[group]:,} {name}" for group, name in _GROUPS.items() if counts.get(group)]
    stylised = sum(count for group, count in counts.items() if group not in _GROUPS)
    learnt = f"It has learnt from {_listed(originals)} and from {stylised:,} stylised pictures." if originals and stylised else ""
    kept: Mapping[str, float] = facts.get("validation", {})
    measured = covered = ""
    if "called_stylised" in kept and "found" in kept:
        measured = (
            f"Of pictures it had not learnt from, it called {percent(kept['called_stylised'])} of the originals stylised, "
            f"and found {percent(kept['found'])} of the stylised ones."
        )
        covered = (
            f"It was set on pictures that the detector had not learnt from: at most {percent(MOST_ABOVE)} of the photographs and of the "
            f"paintings lie above it, and at most {percent(MOST_BELOW)} of each generator's pictures below."
        )
    return DetectorWords(learnt, measured, covered, card)


def _listed(parts: list[str]) -> str:
    return " and ".join(part for part in (", ".join(parts[:-1]), parts[-1]) if part)
