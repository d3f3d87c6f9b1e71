"""Signing in to a shared installation with its one password, and out again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.core.errors import NotFound, TooMany
from app.infra.rates import network_of
from app.web.deps import ServicesDep
from app.web.door import PASS_COOKIE, PASS_SECONDS
from app.web.error_handlers import retry_headers
from app.web.render import page
from app.web.security import is_secure
from app.web.uploads import Form, FormLimits, read_form

router = APIRouter(include_in_schema=False)

# An address may be made up, where a tunnel on this machine is taken for a proxy: hence a limit for all together, too.
ATTEMPTS, ATTEMPTS_OF_ALL = 5, 60
# A password and an address.
_LIMITS = FormLimits.for_words(20_000)


def local_path(address: str) -> str:
    """Return the address if it is a path of ours, or the first page: nobody is led elsewhere."""
    # Browsers leave out tabs and line breaks, and take a backslash for a slash.
    leads_elsewhere = address.startswith("//") or any(character <= " " or character == "\\" for character in address)
    return "/" if leads_elsewhere or not address.startswith("/") else address


@router.head("/login")
@router.get("/login")
def ask(request: Request, services: ServicesDep, onward: Annotated[str, Query(alias="next")] = "/") -> Response:
    if not services.door.has_password:
        raise NotFound("Nobody has to sign in here.")
    if services.door.has_pass(request.scope):
        return RedirectResponse(local_path(onward), 303)
    return _form(onward)


async def _given(request: Request) -> Form:
    return await read_form(request.headers.get("content-type", ""), request.stream(), _LIMITS)


@router.post("/login")
def sign_in(request: Request, services: ServicesDep, form: Annotated[Form, Depends(_given)]) -> Response:
    door, onward = services.door, form.fields.get("next", "/")
    if not door.has_password:
        raise NotFound("Nobody has to sign in here.")
    address = network_of(request.client.host if request.client else "")
    try:
        services.rates.take("login", address, ATTEMPTS, f"At most {ATTEMPTS} attempts are taken in a minute.")
        services.rates.take("logins", "of all", ATTEMPTS_OF_ALL, "Too many people try to sign in at this moment.")
    except TooMany as error:
        refused = _form(onward, error.message, error.status)
        refused.headers.update(retry_headers(error))
        return refused
    if not door.opens_to(form.fields.get("password", "")):
        return _form(onward, "That is not the password. Ask whoever runs this installation for it.", 401)
    answer = RedirectResponse(local_path(onward), 303)
    secure = is_secure(request, services.settings)
    answer.set_cookie(PASS_COOKIE, door.give_pass(), max_age=PASS_SECONDS, httponly=True, samesite="lax", secure=secure)
    return answer


@router.post("/logout")
def sign_out(request: Request, services: ServicesDep) -> Response:
    """The cookie by which pictures are one's own stays: without it they would be nobody's."""
    answer = RedirectResponse("/login" if services.door.has_password else "/", 303)
    answer.delete_cookie(PASS_COOKIE, httponly=True, samesite="lax", secure=is_secure(request, services.settings))
    return answer


def _form(onward: str, message: str = "", status: int = 200) -> HTMLResponse:
    return page("pages/login.html", status, onward=local_path(onward), message=message)
