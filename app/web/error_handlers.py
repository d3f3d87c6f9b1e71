"""Errors as data: problem JSON for programs, a page or a partial for people."""

from __future__ import annotations

import errno
import logging
from http import HTTPStatus
from typing import Any, cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.core.errors import ParameterErrors, PentimentoError, Unavailable
from app.web.deps import from_htmx
from app.web.render import page
from app.web.security import HEADERS
from app.web.submission import RejectedForm

log = logging.getLogger(__name__)

_TITLES = {
    401: "Who is there?",
    403: "That came from elsewhere",
    404: "Nothing hangs here",
    405: "That cannot be done here",
    408: "That took too long",
    409: "Not now",
    413: "Too much at once",
    429: "One at a time",
    503: "Back in a moment",
    507: "The studio is full",
}
_SAID = {404: "There is no such page.", 405: "This address does not take that kind of request."}


class FieldProblem(BaseModel):
    field: str | None = Field(description="The form field that is wrong; null for the form as a whole.")
    detail: str = Field(description="What is wrong and what to do.")


class Problem(BaseModel):
    """An error, as RFC 9457 describes it."""

    title: str
    status: int
    detail: str = Field(description="What is wrong and what to do, in a sentence.")
    code: str = Field(description="Short name of the kind of error.")
    errors: list[FieldProblem] = Field(default_factory=list, description="Each wrong field of a form.")


def install(app: FastAPI) -> None:
    app.add_exception_handler(PentimentoError, respond)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(OSError, _system)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unexpected)


def retry_headers(error: PentimentoError) -> dict[str, str]:
    return {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}


def respond(request: Request, error: Exception) -> Response:
    """Return the answer to an error raised on purpose, also for who stands outside of the routes."""
    error = cast(PentimentoError, error)
    if error.status >= 500:
        log.error("%s %s: %s", request.method, request.url.path, error.message)
    each = error.errors if isinstance(error, RejectedForm | ParameterErrors) else [error]
    fields = [FieldProblem(field=one.field, detail=one.message) for one in each if one.field is not None]
    return _answer(request, error.status, error.message, error.code, fields, retry_headers(error))


def _http(request: Request, error: Exception) -> Response:
    error = cast(HTTPException, error)
    said = _SAID.get(error.status_code, str(error.detail))
    return _answer(request, error.status_code, said, "http", [], dict(error.headers or {}))


def _validation(request: Request, error: Exception) -> Response:
    error = cast(RequestValidationError, error)
    fields = [FieldProblem(field=str(one["loc"][-1]), detail=f"{one['msg']}. Received: {one['input']!r}") for one in error.errors()]
    said = f"{fields[0].field}: {fields[0].detail}" if fields else "The request is not well formed."
    return _answer(request, 422, said, "request", fields, {})


def _gone(request: Request, error: Exception) -> Response:
    """Return an answer that nobody hears: whoever breaks off an upload shall not fill the log with it."""
    return Response(status_code=400)


def _system(request: Request, error: Exception) -> Response:
    """Return the answer where the process has too many files open, which is over as soon as others are done."""
    if cast(OSError, error).errno in (errno.EMFILE, errno.ENFILE):
        return respond(request, Unavailable("The server has too many files open at this moment. Try again in some seconds."))
    raise error


def _unexpected(request: Request, error: Exception) -> Response:
    # This answer is made outside of every middleware, so it takes its headers here.
    return _answer(request, 500, "Something went wrong on our side. It has been logged; trying again may help.", "error", [], dict(HEADERS))


def _answer(request: Request, status: int, detail: str, code: str, fields: list[FieldProblem], headers: dict[str, str]) -> Response:
    if wants_json(request):
        problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, code=code, errors=fields)
        return JSONResponse(problem.model_dump(), status, headers, media_type="application/problem+json")
    context: dict[str, Any] = {"status": status, "title": _TITLES.get(status, "Something went wrong"), "detail": detail}
    response = page("partials/_problem.html" if from_htmx(request) else "pages/problem.html", status, **context)
    response.headers.update(headers)
    if from_htmx(request):
        response.headers.update({"HX-Retarget": "#notice", "HX-Reswap": "innerHTML"})
    return response


def wants_json(request: Request) -> bool:
    return request.url.path.startswith(("/api/", "/healthz", "/readyz", "/openapi.json"))
