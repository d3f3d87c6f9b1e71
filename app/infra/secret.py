"""The installation's secret, made at the first start."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from app.core.config import Settings
from app.core.errors import InputError, PentimentoError

_LEAST_LENGTH = 32
# Fewer different characters than any random text of that length has, whatever it is written in.
_LEAST_VARIETY = 8
# What examples and templates put in the place of a secret.
_KNOWN = re.compile(
    r"change[\W_]*(me|this|it)|replace[\W_]*(me|this)|(your|my|super|top)[\W_]*secret|insecure|placeholder|example|p[a4]ssw[o0]rd|qwerty|default"
)
_ROWS = ("0123456789", "abcdefghij")


def load_secret(settings: Settings) -> str:
    """Return the secret from the settings, or from a file of mode 600 in the data folder.

    Raises:
        InputError: the secret of the settings can be guessed.
        PentimentoError: the file is damaged; signing with what is left of it would let anyone in.
    """
    if settings.secret is not None:
        given = settings.secret.get_secret_value()
        if is_guessable(given):
            raise InputError(
                "PENTIMENTO_SECRET is one that anybody would try, so that anybody could sign cookies. Unset it, and one is made at the "
                'first start, or make one: python3 -c "import secrets; print(secrets.token_hex(32))"',
                field="secret",
            )
        return given
    path = settings.data / "secret"
    if not path.exists():
        _make(path)
    secret = path.read_text().strip()
    if len(secret) < _LEAST_LENGTH:
        raise PentimentoError(f"The file {path} is damaged. Delete it and start again: everyone then begins with an empty history.")
    return secret


def is_guessable(secret: str) -> bool:
    """Tell whether a secret is an example's, repeats itself, or counts up."""
    plain = secret.strip().lower()
    repeats = plain in (plain + plain)[1:-1]
    return repeats or len(set(plain)) < _LEAST_VARIETY or _KNOWN.search(plain) is not None or any(row in plain for row in _ROWS)


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
