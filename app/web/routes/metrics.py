"""What an operator watches, in Prometheus's text format: how much waits and runs, how fast, what failed and why, how full the disk is."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator

import psutil
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from app.core.errors import PentimentoError
from app.infra import presence
from app.jobs import repository
from app.jobs.models import STYLIZE, TASKS
from app.web.deps import Services, ServicesDep

log = logging.getLogger(__name__)

router = APIRouter(tags=["health"])

# Counts by name: what is said of them, and what they are told apart by.
COUNTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "waiting": ("Jobs that a worker has begun for the first time.", ("kind",)),
    "waiting_seconds": ("Seconds that these jobs had waited.", ("kind",)),
    "attempts": ("Times that a worker had a job, by how it ended.", ("kind", "outcome")),
    "running_seconds": ("Seconds that workers had jobs.", ("kind",)),
    "iterations": ("Iterations of the painter.", ("kind",)),
    "failures": ("Jobs that came to nothing, or to less than was asked for, by reason.", ("kind", "reason")),
    "leases_expired": ("Jobs whose worker fell silent.", ("kind",)),
    "refusals": ("Requests refused for the moment, by HTTP status.", ("status",)),
    "csp_reports": ("Breaches of the content security policy that browsers reported.", ()),
}


@router.get("/metrics", summary="Figures for Prometheus", response_class=Response, response_description="The figures.")
def metrics(services: ServicesDep) -> Response:
    """No name, address or picture is in them. What cannot be asked at the moment is left out."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(services))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Figures(Collector):
    def __init__(self, services: Services) -> None:
        self._services = services

    def describe(self) -> list[Metric]:
        """Say nothing in advance, so that registering asks nobody."""
        return []

    def collect(self) -> Iterator[Metric]:
        for source in SOURCES:
            try:
                found = list(source(self._services))
            except (PentimentoError, RedisError, OSError) as error:
                log.warning("figures left out: %s", error)
                continue
            yield from found


def _gauge(name: str, said: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"pentimento_{name}", said, labels=labels)


def _rows(services: Services) -> Iterator[Metric]:
    with services.database.read() as session:
        counts, speed = repository.count_states(session), repository.speed(session, STYLIZE)
    jobs = _gauge("jobs", "Jobs by kind and state.", "kind", "state")
    for kind, state, count in counts:
        jobs.add_metric([kind, state], count)
    yield jobs
    rate = _gauge("iterations_per_second", "Iterations a second of the pictures that are being painted, together.")
    rate.add_metric([], speed)
    yield rate


def _queues(services: Services) -> Iterator[Metric]:
    waiting = _gauge("queue_messages", "Wake-ups that no worker has taken.", "kind")
    for kind in TASKS:
        waiting.add_metric([kind], services.broker.waiting(kind))
    yield waiting
    ages = _gauge("worker_heartbeat_age_seconds", "Seconds since a worker of the queue was last heard of.", "kind")
    count = _gauge("workers", "Workers that are ready, by queue.", "kind")
    workers = presence.present(services.client)
    for kind in TASKS:
        mine = [worker.age for worker in workers if kind in worker.queues]
        count.add_metric([kind], len(mine))
        if mine:
            ages.add_metric([kind], min(mine))
    yield from (ages, count)


def _counts(services: Services) -> Iterator[Metric]:
    families = {name: CounterMetricFamily(f"pentimento_{name}", said, labels=labels) for name, (said, labels) in COUNTS.items()}
    for count in services.tally.read():
        if count.name in families:
            families[count.name].add_metric([count.about.get(label, "") for label in COUNTS[count.name][1]], count.value)
    yield from families.values()


def _disk(services: Services) -> Iterator[Metric]:
    if (root := services.blobs.local_root) is None:
        return
    free = _gauge("disk_free_bytes", "Room on the disk that holds the pictures.")
    free.add_metric([], shutil.disk_usage(root).free)
    yield free


def _process(services: Services) -> Iterator[Metric]:
    memory = _gauge("web_memory_bytes", "What the web process holds in memory.")
    memory.add_metric([], psutil.Process().memory_info().rss)
    yield memory


SOURCES: tuple[Callable[[Services], Iterator[Metric]], ...] = (_rows, _queues, _counts, _disk, _process)
