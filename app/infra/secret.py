"""The installation's secret, made at the first start."""

from __future__ import annotations

import os
import secrets

from app.core.config import Settings


def load_secret(settings: Settings) -> str:
    """Return the secret from the settings, or from a file of mode 600 in the data folder."""
    if settings.secret is not None:
        return settings.secret.get_secret_value()
    path = settings.data / "secret"
    settings.data.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
    return path.read_text().strip()
