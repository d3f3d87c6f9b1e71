"""The installation's secret, made at the first start."""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from app.core.config import Settings
from app.core.errors import PentimentoError

_LEAST_LENGTH = 32


def load_secret(settings: Settings) -> str:
    """Return the secret from the settings, or from a file of mode 600 in the data folder.

    Raises:
        PentimentoError: the file is damaged; signing with what is left of it would let anyone in.
    """
    if settings.secret is not None:
        return settings.secret.get_secret_value()
    path = settings.data / "secret"
    if not path.exists():
        _make(path)
    secret = path.read_text().strip()
    if len(secret) < _LEAST_LENGTH:
        raise PentimentoError(f"The file {path} is damaged. Delete it and start again: everyone then begins with an empty history.")
    return secret


def _make(path: Path) -> None:
    """Write a whole file first, then give it its name, unless another process was faster."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".partial-")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        Path(temporary).unlink()
