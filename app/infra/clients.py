"""What services, sweeper and workers share: settings, and a client of each thing outside."""

from __future__ import annotations

from dataclasses import dataclass

import redis

from app.core.config import Settings
from app.infra.blobs import Blobs
from app.infra.broker import Broker
from app.infra.database import Database
from app.infra.streams import EventWriter
from app.infra.tally import Tally


@dataclass(frozen=True)
class Clients:
    """Built once in each process, after any fork."""

    settings: Settings
    database: Database
    blobs: Blobs
    events: EventWriter
    broker: Broker
    tally: Tally

    @classmethod
    def of(cls, settings: Settings, client: redis.Redis) -> Clients:
        """Return the clients of a process, on its connection to the broker."""
        database, blobs = Database(settings.sql_url), Blobs(settings.picture_url)
        return cls(settings, database, blobs, EventWriter(client), Broker(settings, client), Tally(client))
