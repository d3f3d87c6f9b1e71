"""Forms as routes receive them: who sends too much or finds no room is told before a body is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from app.core.config import Settings
from app.infra.rates import network_of
from app.web import intake
from app.web.deps import Services, ServicesDep, Visitor, VisitorDep
from app.web.uploads import Form, FormLimits, read_form

UPLOADS, ADDRESS = "uploads", "address"
# A new cookie is had for nothing, so that those of one address have a limit together; many people may share one.
SHARING = 10

Admit = Callable[[Services, str], None]
Read = Callable[[Request, Services, Visitor], Awaitable[Form]]


def _pictures(settings: Settings) -> FormLimits:
    return FormLimits.for_pictures(settings.max_upload_bytes)


def _dataset(settings: Settings) -> FormLimits:
    return FormLimits.for_dataset(settings.max_archive_bytes)


def _form(admit: Admit, limits: Callable[[Settings], FormLimits]) -> Read:
    """Return a dependency that reads a form.

    Args:
        admit: raises what a service would say to whatever the form holds.
    """

    async def read(request: Request, services: ServicesDep, visitor: VisitorDep) -> Form:
        await run_in_threadpool(count, request, services, visitor)
        # A page shows its form again with what was entered, so that it has to be read first.
        if request.url.path.startswith("/api/"):
            await run_in_threadpool(admit, services, visitor.owner)
        intake.allow_more(request)
        return await read_form(request.headers.get("content-type", ""), request.stream(), limits(services.settings))

    return read


def count(request: Request, services: Services, visitor: Visitor) -> None:
    """Count an upload for its owner, or a newcomer's for the address it comes from.

    Raises:
        TooMany: it is one too many in this minute.
    """
    most = services.settings.uploads_per_minute
    if not most:
        return
    address = network_of(request.client.host if request.client else "")
    said = f"At most {most} uploads are taken in a minute."
    services.rates.take(UPLOADS, f"address {address}" if visitor.newcomer else f"owner {visitor.owner}", most, said)
    services.rates.take(ADDRESS, address, SHARING * most, "Too many uploads come from your address.")


JobFormDep = Annotated[Form, Depends(_form(lambda services, owner: services.jobs.admit(owner), _pictures))]
VerdictFormDep = Annotated[Form, Depends(_form(lambda services, owner: services.verdicts.admit(owner), _pictures))]
ExperimentFormDep = Annotated[Form, Depends(_form(lambda services, owner: services.experiments.admit(owner), _pictures))]
DatasetFormDep = Annotated[Form, Depends(_form(lambda services, owner: services.datasets.admit(owner), _dataset))]
HypothesisFormDep = Annotated[Form, Depends(_form(lambda services, owner: services.hypotheses.admit(owner), _dataset))]
