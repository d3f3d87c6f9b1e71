"""Whether the service is alive, and whether it can do its work."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from redis.exceptions import RedisError

from app.core.errors import PentimentoError
from app.infra import presence
from app.jobs.models import EXPERIMENT, STYLIZE, VERDICT
from app.web.deps import Services, ServicesDep

log = logging.getLogger(__name__)

router = APIRouter(tags=["health"])


class Part(BaseModel):
    ok: bool
    needed: bool = Field(True, description="Whether pictures cannot be painted without it.")
    detail: str = Field(description="What was found.")


class Readiness(BaseModel):
    ready: bool
    parts: dict[str, Part]


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", summary="Is the web process alive?", response_description="It is.")
async def healthz() -> dict[str, str]:
    # Needs no thread, so that it is answered while all of them are at work.
    return {"status": "alive"}


@router.head("/readyz", include_in_schema=False)
@router.get(
    "/readyz",
    summary="Can pictures be painted?",
    response_description="They can.",
    responses={503: {"model": Readiness, "description": "The parts say what fails."}},
)
def readyz(response: Response, services: ServicesDep) -> Readiness:
    """Verdicts and experiments have workers of their own, `judge` and `lab`; pictures can be painted without them."""
    parts = {name: _checked(name, check, services).model_copy(update={"needed": name not in SPARE}) for name, check in CHECKS.items()}
    ready = all(part.ok for part in parts.values() if part.needed)
    response.status_code = 200 if ready else 503
    return Readiness(ready=ready, parts=parts)


def _checked(name: str, check: Callable[[Services], Part], services: Services) -> Part:
    try:
        return check(services)
    except PentimentoError as error:
        return Part(ok=False, detail=error.message)
    except (RedisError, OSError) as error:
        # Anybody may ask, and such an error names addresses or folders.
        log.warning("%s does not answer: %s", name, error)
        return Part(ok=False, detail="does not answer")


def _database(services: Services) -> Part:
    services.database.ping()
    return Part(ok=True, detail="answers")


def _broker(services: Services) -> Part:
    services.broker.ping()
    return Part(ok=True, detail="answers")


def _disk(services: Services) -> Part:
    root = services.blobs.local_root
    if root is None:
        return Part(ok=True, detail="pictures are in an object store")
    free = shutil.disk_usage(root).free // 1_000_000
    return Part(ok=free >= services.settings.min_free_mb, detail=f"{free} MB free, {services.settings.min_free_mb:g} MB needed")


def _worker_of(queue: str) -> Callable[[Services], Part]:
    def check(services: Services) -> Part:
        workers = [worker for worker in presence.present(services.client) if queue in worker.queues]
        if not workers:
            return Part(ok=False, detail=f"no worker of the queue {queue} has said that it is ready")
        newest = min(workers, key=lambda worker: worker.age)
        devices = ", ".join(sorted({f"{worker.device} in {worker.precision}" for worker in workers if worker.device}))
        loaded = f" ({devices})" if devices else ""
        return Part(ok=True, detail=f"{len(workers)} ready{loaded}, last heard of {newest.age:.0f} s ago")

    return check


CHECKS: dict[str, Callable[[Services], Part]] = {
    "database": _database,
    "broker": _broker,
    "disk": _disk,
    "worker": _worker_of(STYLIZE),
    "judge": _worker_of(VERDICT),
    "lab": _worker_of(EXPERIMENT),
}
SPARE = {"judge", "lab"}
