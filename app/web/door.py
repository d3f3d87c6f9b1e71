"""Who may come in to a shared installation: who knows its password, and whom a reverse proxy names."""

from __future__ import annotations

import hashlib
import hmac

from itsdangerous import BadSignature, TimestampSigner
from starlette.requests import HTTPConnection
from starlette.types import Scope

from app.core.config import Settings
from app.web.proxy import is_believed

PASS_COOKIE = "pentimento_pass"  # noqa: S105 - the cookie's name
PASS_SECONDS = 30 * 24 * 3600
_SIGNED = "in"


class Door:
    def __init__(self, settings: Settings, secret: str) -> None:
        self._secret = secret.encode()
        self._password = settings.password.get_secret_value() if settings.password else None
        self._header = settings.proxy_header.lower().encode() if settings.proxy_header else None
        # Whoever signed in with another password is out.
        self._signer = TimestampSigner(secret, salt=f"pentimento.pass.{self._hash('password', self._password or '')}")

    @property
    def has_password(self) -> bool:
        return self._password is not None

    @property
    def is_open(self) -> bool:
        """Whether nobody has to sign in."""
        return self._password is None and self._header is None

    def opens_to(self, password: str) -> bool:
        return self._password is not None and hmac.compare_digest(password.encode(), self._password.encode())

    def give_pass(self) -> str:
        """Return the value of the cookie of somebody who has signed in."""
        return self._signer.sign(_SIGNED).decode()

    def has_pass(self, scope: Scope) -> bool:
        """Tell whether the request carries the cookie of somebody who has signed in with the password of now."""
        if self._password is None:
            return False
        try:
            return self._signer.unsign(HTTPConnection(scope).cookies.get(PASS_COOKIE, ""), max_age=PASS_SECONDS).decode() == _SIGNED
        except (BadSignature, UnicodeError):
            return False

    def named(self, scope: Scope) -> str | None:
        """Return the owner id of the person whom a believed proxy names: the same one in every browser."""
        if self._header is None or not is_believed(scope):
            return None
        names = [value for name, value in scope["headers"] if name.lower() == self._header]
        # Two names are a proxy that lets a visitor's own header through.
        if len(names) != 1 or not names[0].strip():
            return None
        return self._hash("person", names[0].strip().decode("latin-1"))[:32]

    def lets_in(self, scope: Scope) -> bool:
        return self.is_open or self.named(scope) is not None or self.has_pass(scope)

    def _hash(self, what: str, value: str) -> str:
        return hmac.new(self._secret, f"{what}:{value}".encode(), hashlib.sha256).hexdigest()
