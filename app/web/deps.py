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
from app.infra.streams import EventReader
from app.infra.tally import Tally
from app.jobs.service import JobService
from app.jobs.verdict_service import VerdictService
from app.lab.datasets import DatasetService
from app.lab.detectors import DetectorService
from app.lab.experiments import ExperimentService
from app.lab.hypotheses import HypothesisService
from app.web.dataset_form import DatasetDesk
from app.web.hypothesis_form import HypothesisDesk
from app.web.picture_form import VerdictDesk
from app.web.samples import Samples
from app.web.security import OWNER_COOKIE, OWNER_COOKIE_SECONDS, OwnerSigner
from app.web.submission import Reception
from app.web.uploads import Form, FormLimits, read_form


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
    closing: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True)
class Visitor:
    """Who is asking: the owner id of the cookie, or a new one to be given with the answer."""

    owner: str
    newcomer: bool

    def remember(self, response: Response, services: Services) -> None:
        """Set the cookie, or renew it."""
        response.set_cookie(
            OWNER_COOKIE,
            services.signer.sign(self.owner),
            max_age=OWNER_COOKIE_SECONDS,
            httponly=True,
            samesite="lax",
            secure=services.settings.secure_cookies,
        )


def _services(request: Request) -> Services:
    return cast(Services, request.app.state.services)


ServicesDep = Annotated[Services, Depends(_services)]


def _visitor(request: Request, services: ServicesDep) -> Visitor:
    owner = services.signer.read(request.cookies.get(OWNER_COOKIE))
    return Visitor(owner or new_id(), owner is None)


VisitorDep = Annotated[Visitor, Depends(_visitor)]


def _owner(visitor: VisitorDep) -> str:
    if visitor.newcomer:
        raise NotFound("There is no such job, or it is not yours.")
    return visitor.owner


OwnerDep = Annotated[str, Depends(_owner)]


async def _form(request: Request, services: ServicesDep) -> Form:
    limits = FormLimits.for_pictures(services.settings.max_upload_bytes)
    return await read_form(request.headers.get("content-type", ""), request.stream(), limits)


FormDep = Annotated[Form, Depends(_form)]


async def _dataset_form(request: Request, services: ServicesDep) -> Form:
    limits = FormLimits.for_dataset(services.settings.max_archive_bytes)
    return await read_form(request.headers.get("content-type", ""), request.stream(), limits)


DatasetFormDep = Annotated[Form, Depends(_dataset_form)]


def from_htmx(request: Request) -> bool:
    return request.headers.get("hx-request") == "true"


FromHtmx = Annotated[bool, Depends(from_htmx)]
