"""What routes receive: the services built once in ``app.main``, and who is asking."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Annotated, cast

import redis
from fastapi import Depends, Request, Response

from app.core.config import Settings
from app.core.errors import NotFound
from app.core.ids import new_id
from app.imaging.decode import DecoderPool
from app.infra.blobs import Blobs
from app.infra.broker import Broker
from app.infra.database import Database
from app.infra.rates import Rates
from app.infra.streams import EventReader
from app.infra.tally import Tally
from app.jobs.crowds import Crowds
from app.jobs.service import JobService
from app.jobs.verdict_service import VerdictService
from app.lab.datasets import DatasetService
from app.lab.detectors import DetectorService
from app.lab.experiments import ExperimentService
from app.lab.hypotheses import HypothesisService
from app.web.dataset_form import DatasetDesk
from app.web.door import Door
from app.web.hypothesis_form import HypothesisDesk
from app.web.picture_form import VerdictDesk
from app.web.places import Places
from app.web.samples import Samples
from app.web.security import OWNER_COOKIE, OWNER_COOKIE_SECONDS, OwnerSigner, is_secure
from app.web.submission import Reception


@dataclass(frozen=True)
class Services:
    settings: Settings
    database: Database
    blobs: Blobs
    client: redis.Redis
    broker: Broker
    tally: Tally
    jobs: JobService
    verdicts: VerdictService
    reader: EventReader
    decoders: DecoderPool
    samples: Samples
    reception: Reception
    desk: VerdictDesk
    datasets: DatasetService
    dataset_desk: DatasetDesk
    experiments: ExperimentService
    hypotheses: HypothesisService
    hypothesis_desk: HypothesisDesk
    detectors: DetectorService
    signer: OwnerSigner
    rates: Rates
    crowds: Crowds
    door: Door
    forms: Places
    large_forms: Places
    streams: Places
    closing: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True)
class Visitor:
    """Who is asking: whom a proxy names, the owner id of the cookie, or a new one to be given with the answer."""

    owner: str
    newcomer: bool
    # Whether the answer travels over TLS.
    secure: bool
    named: bool = False

    def remember(self, response: Response, services: Services) -> None:
        """Set the cookie, or renew it. Whom a proxy names needs none."""
        if self.named:
            return
        response.set_cookie(
            OWNER_COOKIE,
            services.signer.sign(self.owner),
            max_age=OWNER_COOKIE_SECONDS,
            httponly=True,
            samesite="lax",
            secure=self.secure,
        )


# Looking at a request takes no thread: those are for what waits.
async def _services(request: Request) -> Services:
    return cast(Services, request.app.state.services)


ServicesDep = Annotated[Services, Depends(_services)]


async def _visitor(request: Request, services: ServicesDep) -> Visitor:
    secure = is_secure(request, services.settings)
    named = services.door.named(request.scope)
    if named is not None:
        return Visitor(named, False, secure, named=True)
    owner = services.signer.read(request.cookies.get(OWNER_COOKIE))
    return Visitor(owner or new_id(), owner is None, secure)


VisitorDep = Annotated[Visitor, Depends(_visitor)]


async def _owner(visitor: VisitorDep) -> str:
    if visitor.newcomer:
        raise NotFound("There is no such job, or it is not yours.")
    return visitor.owner


OwnerDep = Annotated[str, Depends(_owner)]


def from_htmx(request: Request) -> bool:
    return request.headers.get("hx-request") == "true"


FromHtmx = Annotated[bool, Depends(from_htmx)]
