"""Turns away whoever has not signed in, before any route, file or description is reached."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.errors import NotSignedIn
from app.web import error_handlers
from app.web.address import parts_of
from app.web.deps import from_htmx
from app.web.door import Door
from app.web.render import SIGNED_IN

LOGIN = "/login"
# For whoever has not signed in yet, for machines, and for browsers that report what they have blocked.
OPEN = frozenset({LOGIN, "/healthz", "/readyz", "/metrics", "/csp-reports"})
OPEN_FOLDER = "/static/"


class Gate:
    """ASGI middleware around everything, mounted files and the API's description too."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or self._door.is_open:
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if path in OPEN or path.startswith(OPEN_FOLDER) or self._door.lets_in(scope):
            before = SIGNED_IN.set(self._door.has_pass(scope))
            try:
                await self._app(scope, receive, send)
            finally:
                SIGNED_IN.reset(before)
            return
        await self._turn_away(Request(scope))(scope, receive, send)

    def _turn_away(self, request: Request) -> Response:
        htmx = from_htmx(request)
        if not self._door.has_password:
            return error_handlers.respond(request, NotSignedIn("Come by way of the address at which you sign in: nobody is known here."))
        if not htmx and _is_page(request):
            return RedirectResponse(_login(request.url.path, request.url.query) if request.method in ("GET", "HEAD") else LOGIN, 303)
        answer = error_handlers.respond(
            request, NotSignedIn("Sign in first: send the password to /login, and its cookie with every request.")
        )
        answer.headers["WWW-Authenticate"] = 'Cookie realm="Pentimento", form-action="/login"'
        if htmx:
            shown = parts_of(request.headers.get("hx-current-url", ""))
            answer.headers["HX-Redirect"] = _login(shown.path or "/", shown.query) if shown else _login("/", "")
        return answer


def _is_page(request: Request) -> bool:
    """Tell whether a person waits for the answer, and not a program or an open page's stream."""
    return not error_handlers.wants_json(request) and "text/event-stream" not in request.headers.get("accept", "")


def _login(path: str, query: str) -> str:
    return f"{LOGIN}?next={quote(f'{path}?{query}' if query else path, safe='/')}"
