"""What browsers have blocked on our pages: counted, and logged without saying of whom."""

from __future__ import annotations

import json
import logging
import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from app.core.errors import InputError, TooLarge
from app.infra.rates import network_of
from app.web.address import parts_of
from app.web.deps import ServicesDep

log = logging.getLogger(__name__)

router = APIRouter(include_in_schema=False)

_MOST_BYTES = 16_000
_A_MINUTE = 60
_DIRECTIVE = re.compile(r"[a-z-]{1,40}")


async def _report(request: Request) -> dict[str, Any]:
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > _MOST_BYTES:
            raise TooLarge(f"A report has at most {_MOST_BYTES} bytes.")
    try:
        sent = json.loads(received)
    except (ValueError, RecursionError) as error:
        raise InputError("A report is JSON, as browsers send it.") from error
    report = sent.get("csp-report") if isinstance(sent, dict) else None
    if not isinstance(report, dict):
        raise InputError("A report has a csp-report, as browsers send it.")
    return report


@router.post("/csp-reports", status_code=204)
def count(request: Request, services: ServicesDep, report: Annotated[dict[str, Any], Depends(_report)]) -> Response:
    """Anyone can send one, so that it says that something may be wrong, never what to do about it."""
    address = network_of(request.client.host if request.client else "")
    services.rates.take("csp", address, _A_MINUTE, f"At most {_A_MINUTE} reports are taken in a minute.")
    services.tally.add("csp_reports")
    directive = str(report.get("effective-directive") or report.get("violated-directive") or "").split(" ")[0]
    named = directive if _DIRECTIVE.fullmatch(directive) else "unknown"
    log.warning("a browser blocked something on a page: directive=%s page=%s", named, _page(request, report.get("document-uri")))
    return Response(status_code=204)


def _page(request: Request, address: Any) -> str:
    """Return the first part of the path of one of our pages: what comes after it may name a picture."""
    parts = parts_of(str(address))
    if parts is None:
        return "unknown"
    if parts.netloc != request.headers.get("host"):
        return "elsewhere"
    found = re.match(r"/[a-z-]{0,20}(?![\w])", parts.path)
    return found[0] if found else "unknown"
