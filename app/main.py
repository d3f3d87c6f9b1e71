"""Composes the web application: nothing else builds clients."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis
import redis.asyncio
from fastapi import Depends, FastAPI

from app.core.config import Settings, get_settings
from app.core.version import VERSION
from app.imaging.decode import DecoderPool
from app.imaging.limits import Limits
from app.infra.artefacts import htmx_files
from app.infra.broker import redis_url
from app.infra.clients import Clients
from app.infra.database import migrate
from app.infra.rates import Rates
from app.infra.rounds import Rounds
from app.infra.secret import load_secret
from app.infra.streams import EventReader
from app.jobs.crowds import Crowds
from app.jobs.models import EXPERIMENT
from app.jobs.service import JobService
from app.jobs.sweeper import SNAPSHOTS, Sweeper
from app.jobs.verdict_service import VerdictService
from app.lab import experiment_events
from app.lab.datasets import DatasetService
from app.lab.detectors import DetectorService
from app.lab.experiments import ExperimentService
from app.lab.hypotheses import HypothesisService
from app.lab.janitor import Janitor
from app.lab.keeper import Keeper
from app.web import error_handlers
from app.web.dataset_form import DatasetDesk
from app.web.deps import Services
from app.web.door import Door
from app.web.gate import Gate
from app.web.given_picture import PictureReader
from app.web.hypothesis_form import HypothesisDesk
from app.web.intake import Intake
from app.web.outgoing import Outgoing
from app.web.picture_form import VerdictDesk
from app.web.places import Places
from app.web.proxy import BehindProxy
from app.web.received import LARGE
from app.web.refusals import Refusals
from app.web.render import STATIC
from app.web.routes import (
    api_files,
    api_going_on,
    api_jobs,
    api_lab_datasets,
    api_lab_experiments,
    api_lab_hypotheses,
    api_verdicts,
    csp_reports,
    health,
    metrics,
    page_datasets,
    page_experiments,
    page_going_on,
    page_hypotheses,
    page_jobs,
    page_lab,
    page_login,
    page_verdicts,
    pages,
)
from app.web.samples import Samples
from app.web.security import OwnerSigner, SecurityHeaders, same_site
from app.web.shutdown import on_termination
from app.web.static_files import Revalidated
from app.web.submission import Reception

_DESCRIPTION = "Paint one picture in the style of another on VGG19, and watch it happen."
# Each open event stream holds a connection while it waits.
_STREAM_CONNECTIONS = 10_000
_REDIS_SECONDS = 5
_FULL = "Many people are sending pictures at this moment. Try again in some seconds."


def create_app(settings: Settings | None = None) -> FastAPI:
    settings = settings or get_settings()
    secret = load_secret(settings)
    migrate(settings)
    url = redis_url(settings)
    client = redis.Redis.from_url(url, socket_connect_timeout=_REDIS_SECONDS, socket_timeout=_REDIS_SECONDS)
    stream_client = redis.asyncio.Redis.from_url(url, socket_connect_timeout=_REDIS_SECONDS, max_connections=_STREAM_CONNECTIONS)
    clients = Clients.of(settings, client)
    jobs, verdicts = JobService(clients), VerdictService(clients)
    decoders = DecoderPool(max(2, min(4, os.cpu_count() or 2)), Limits.of(settings))
    keeper = Keeper(clients, decoders)
    datasets, experiments = DatasetService(clients, keeper.hurry), ExperimentService(clients)
    hypotheses = HypothesisService(clients)
    samples = Samples(STATIC / "samples")
    reader = PictureReader(samples, decoders, settings.max_upload_bytes)
    services = Services(
        settings=settings,
        database=clients.database,
        blobs=clients.blobs,
        client=client,
        broker=clients.broker,
        tally=clients.tally,
        jobs=jobs,
        verdicts=verdicts,
        reader=EventReader(stream_client),
        decoders=decoders,
        samples=samples,
        reception=Reception(jobs, reader),
        desk=VerdictDesk(verdicts, reader),
        datasets=datasets,
        dataset_desk=DatasetDesk(datasets, jobs, samples, settings.max_upload_bytes),
        experiments=experiments,
        hypotheses=hypotheses,
        hypothesis_desk=HypothesisDesk(hypotheses, samples, decoders, settings.max_upload_bytes),
        detectors=DetectorService(clients, experiments),
        signer=OwnerSigner(secret),
        rates=Rates(client, secret),
        crowds=Crowds(client, clients.database, secret),
        door=Door(settings, secret),
        forms=Places(settings.max_forms, _FULL),
        large_forms=Places(min(LARGE, settings.max_forms), _FULL),
        # Each has a connection, whose number is bounded where it is opened.
        streams=Places(settings.max_connections, "Too many people are watching at this moment. Try again in some seconds."),
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        sweeper = Sweeper(clients, {**SNAPSHOTS, EXPERIMENT: experiment_events.snapshot})
        regular: tuple[Rounds, ...] = (sweeper, keeper, Janitor(clients))
        decoders.start()
        for rounds in regular:
            rounds.start()
        loop = asyncio.get_running_loop()
        try:
            with on_termination(lambda: _set_from_signal(loop, services.closing)):
                yield
        finally:
            services.closing.set()
            for rounds in regular:
                await asyncio.to_thread(rounds.close)
            await asyncio.to_thread(decoders.close)
            await stream_client.aclose()
            clients.broker.close()
            client.close()
            clients.database.close()

    app = FastAPI(
        title="Pentimento",
        version=VERSION,
        description=_DESCRIPTION,
        lifespan=lifespan,
        # FastAPI's own documentation pages load scripts from elsewhere; /docs is ours.
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(same_site)],
    )
    app.state.services = services
    # The last one added is the outermost: an address is known before a door is looked for.
    app.add_middleware(Gate, door=services.door)
    app.add_middleware(BehindProxy, addresses=settings.proxy_addresses)
    app.add_middleware(Intake, settings=settings)
    app.add_middleware(Outgoing)
    app.add_middleware(Refusals, tally=clients.tally)
    app.add_middleware(SecurityHeaders)
    error_handlers.install(app)
    api = (api_jobs, api_going_on, api_files, api_verdicts, api_lab_datasets, api_lab_experiments, api_lab_hypotheses)
    for routes in (
        health,
        metrics,
        csp_reports,
        *api,
        page_login,
        page_jobs,
        page_going_on,
        page_verdicts,
        page_lab,
        page_datasets,
        page_experiments,
        page_hypotheses,
        pages,
    ):
        app.include_router(routes.router)
    vendor = next(iter(htmx_files(settings).values())).parent
    app.mount("/static/vendor", Revalidated(directory=vendor), name="vendor")
    app.mount("/static", Revalidated(directory=STATIC), name="static")
    return app


def _set_from_signal(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """A signal may come while the loop sleeps: wake it."""
    loop.call_soon_threadsafe(event.set)
