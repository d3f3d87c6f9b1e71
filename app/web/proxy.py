"""What a reverse proxy says of a request: believed of the addresses in the settings, of nobody else."""

from __future__ import annotations

from typing import Any, cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

_BELIEVED = "pentimento.believed"


class BehindProxy:
    """ASGI middleware: the caller's address and scheme are those that a believed proxy tells.

    Args:
        addresses: of the proxies, or their networks, with commas between.
    """

    def __init__(self, app: ASGIApp, addresses: str) -> None:
        self._app = ProxyHeadersMiddleware(cast(Any, app), trusted_hosts=addresses)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Noted before the address is rewritten: what counts is who has connected.
        client = scope.get("client")
        scope[_BELIEVED] = client is not None and client[0] in self._app.trusted_hosts
        await cast(ASGIApp, self._app)(scope, receive, send)


def is_believed(scope: Scope) -> bool:
    """Tell whether the request came from a proxy whose headers are believed."""
    return bool(scope.get(_BELIEVED, False))
