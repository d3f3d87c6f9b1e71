"""What services, sweeper and workers share: settings, and a client of each thing outside."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.config import Settings
from app.infra.blobs import Blobs
from app.infra.broker import Broker
from app.infra.database import Database
from app.infra.streams import EventWriter


@dataclass(frozen=True)
class Clients:
    """Built once in each process, after any fork."""

    settings: Settings
    database: Database
    blobs: Blobs
    events: EventWriter
    broker: Broker
