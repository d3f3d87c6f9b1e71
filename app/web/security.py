"""Who a visitor is, where a request may come from, and what a browser may do with our pages."""

from __future__ import annotations

from fastapi import Request
from itsdangerous import BadSignature, Signer
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.config import Settings
from app.core.errors import Forbidden
from app.core.ids import is_id
from app.web.address import parts_of

OWNER_COOKIE = "pentimento_owner"
OWNER_COOKIE_SECONDS = 365 * 24 * 3600
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "report-uri /csp-reports",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class OwnerSigner:
    """Signs the random id by which a browser owns its jobs."""

    def __init__(self, secret: str) -> None:
        self._signer = Signer(secret, salt="pentimento.owner")

    def sign(self, owner: str) -> str:
        return self._signer.sign(owner).decode()

    def read(self, cookie: str | None) -> str | None:
        """Return the owner's id, or None for a missing or forged cookie."""
        try:
            owner = self._signer.unsign(cookie or "").decode()
        except (BadSignature, UnicodeError):
            return None
        return owner if is_id(owner) else None


def is_secure(request: Request, settings: Settings) -> bool:
    """Tell whether the answer travels over TLS, as far as the settings or a proxy say."""
    return settings.secure_cookies or request.url.scheme == "https"


async def same_site(request: Request) -> None:
    """Refuse unsafe requests that another site's page sent. Programs send neither header and may pass."""
    if request.method in SAFE_METHODS:
        return
    fetched_from = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if fetched_from not in (None, "same-origin", "none") or (origin is not None and not _is_ours(request, origin)):
        raise Forbidden("This request came from another site's page, so it was refused. Open Pentimento itself and try again.")


def _is_ours(request: Request, origin: str) -> bool:
    parts = parts_of(origin)
    return parts is not None and parts.netloc == request.headers.get("host")


class SecurityHeaders:
    """ASGI middleware: every response carries the policy; none is cached unless it says so."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
