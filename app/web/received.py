"""Forms as routes receive them: who sends too much, or finds no room or place, is told before a body is read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from app.core.config import Settings
from app.infra.rates import network_of
from app.jobs.models import EXPERIMENT, STYLIZE, VERDICT
from app.lab.hypotheses import MOST_STYLES
from app.web import intake
from app.web.deps import Services, ServicesDep, Visitor, VisitorDep
from app.web.places import Places, Share
from app.web.uploads import Form, FormLimits, read_form

UPLOADS, ADDRESS = "uploads", "address"
# A new cookie is had for nothing, so that those of one address have a limit together; many people may share one.
SHARING = 10
# Of each kind of jobs that forms make, how many one person may have that have not ended.
WAITING: dict[str, Callable[[Settings], int]] = {
    STYLIZE: lambda settings: settings.max_active_jobs,
    VERDICT: lambda settings: settings.max_active_verdicts,
    EXPERIMENT: lambda settings: settings.max_experiments,
}
# Forms under way of one person at once; those of one address may have half of all places.
EACH = 6
EACH_LARGE = 2
# A dataset may lie on the disk with twice `PENTIMENTO_MAX_ARCHIVE_MB` while it comes.
LARGE = 6

Admit = Callable[[Services, str], None]
Read = Callable[[Request, Services, Visitor], AsyncIterator[Form]]


def _pictures(settings: Settings) -> FormLimits:
    return FormLimits.for_pictures(settings.max_upload_bytes)


def _dataset(settings: Settings) -> FormLimits:
    return FormLimits.for_dataset(settings.max_archive_bytes)


def _styles(settings: Settings) -> FormLimits:
    return FormLimits.for_styles(settings.max_upload_bytes, MOST_STYLES)


def _form(admit: Admit, limits: Callable[[Settings], FormLimits], kind: str | None) -> Read:
    """Return a dependency that reads a form, and holds a place for it until its route is done with it.

    Args:
        admit: raises what a service would say to whatever the form holds.
        kind: of the job that the form makes.
    """

    async def read(request: Request, services: ServicesDep, visitor: VisitorDep) -> AsyncIterator[Form]:
        await run_in_threadpool(count, request, services, visitor)
        if kind is not None and not visitor.named:
            await run_in_threadpool(join, request, services, visitor, kind)
        large = limits is not _pictures
        places = services.large_forms if large else services.forms
        with places.one(_shares(request, visitor, places, EACH_LARGE if large else EACH)):
            # A page shows its form again with what was entered, so that it has to be read first.
            if request.url.path.startswith("/api/"):
                await run_in_threadpool(admit, services, visitor.owner)
            intake.allow_more(request)
            form = await read_form(request.headers.get("content-type", ""), request.stream(), limits(services.settings))
            try:
                yield form
            finally:
                form.close()

    return read


def _shares(request: Request, visitor: Visitor, places: Places, most: int) -> list[Share]:
    address = _address(request)
    own = Share(
        f"address {address}, new" if visitor.newcomer else f"owner {visitor.owner}",
        most,
        f"You are sending {most} forms with pictures at this moment. Wait until one of them is there.",
    )
    return [own, Share(f"address {address}", max(most, places.most // 2), "Too many uploads come from your address at this moment.")]


def _address(request: Request) -> str:
    return network_of(request.client.host if request.client else "")


def count(request: Request, services: Services, visitor: Visitor) -> None:
    """Count an upload for its owner, or a newcomer's for the address it comes from.

    Raises:
        TooMany: it is one too many in this minute.
    """
    most = services.settings.uploads_per_minute
    if not most:
        return
    address = _address(request)
    said = f"At most {most} uploads are taken in a minute."
    services.rates.take(UPLOADS, f"address {address}" if visitor.newcomer else f"owner {visitor.owner}", most, said)
    services.rates.take(ADDRESS, address, SHARING * most, "Too many uploads come from your address.")


def join(request: Request, services: Services, visitor: Visitor, kind: str) -> None:
    """Count an owner among those of the address, who may have half of the queue: a new cookie is had for nothing.

    Raises:
        TooMany: they have it already.
    """
    settings = services.settings
    services.crowds.join(kind, _address(request), visitor.owner, max(WAITING[kind](settings), settings.max_queue // 2))


def _received(admit: Admit, limits: Callable[[Settings], FormLimits] = _pictures, kind: str | None = None) -> Any:
    # Its place is free before the answer is sent: a client may take long to read that.
    return Depends(_form(admit, limits, kind), scope="function")


JobFormDep = Annotated[Form, _received(lambda services, owner: services.jobs.admit(owner), kind=STYLIZE)]
VerdictFormDep = Annotated[Form, _received(lambda services, owner: services.verdicts.admit(owner), kind=VERDICT)]
ExperimentFormDep = Annotated[Form, _received(lambda services, owner: services.experiments.admit(owner), kind=EXPERIMENT)]
DatasetFormDep = Annotated[Form, _received(lambda services, owner: services.datasets.admit(owner), _dataset)]
HypothesisFormDep = Annotated[Form, _received(lambda services, owner: services.hypotheses.admit(owner), _styles, EXPERIMENT)]
