"""The Lab's thread in the web process: takes in what was sent, and clears away what was deleted."""

from __future__ import annotations

import logging
import os
import threading

from redis.exceptions import RedisError

from app.core.errors import PentimentoError
from app.imaging.decode import DecoderPool
from app.infra import standstill
from app.infra.clients import Clients
from app.lab import places, repository
from app.lab.unpacking import Unpacker

log = logging.getLogger(__name__)

_SECONDS = 2.0


class Keeper:
    def __init__(self, clients: Clients, decoders: DecoderPool) -> None:
        self._clients = clients
        self._ended = threading.Event()
        self._hurried = threading.Event()
        # One decoder less than there are: visitors with single pictures do not wait for a dataset.
        at_once = max(1, min(3, (os.cpu_count() or 2) - 1))
        self._unpacker = Unpacker(clients, decoders, at_once, self._ended.is_set)
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self._thread.start()

    def hurry(self) -> None:
        """Look at once: something was sent."""
        self._hurried.set()

    def close(self) -> None:
        self._ended.set()
        self._hurried.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                while self._unpacker.unpack_one():
                    if self._ended.is_set():
                        return
                self.clear_away()
            except (PentimentoError, RedisError, OSError) as error:
                log.warning("datasets left for later: %s", error)
            except Exception:
                # Without this thread no dataset would ever come in: whatever it was, go on.
                log.exception("datasets left for later")
            self._hurried.wait(_SECONDS)
            self._hurried.clear()

    def clear_away(self) -> None:
        """Remove datasets that can no longer be brought back, with their files."""
        with standstill.deleting(self._clients.settings) as may:
            if may:
                self._clear_away()

    def _clear_away(self) -> None:
        undo_seconds = self._clients.settings.undo_seconds
        with self._clients.database.read() as session:
            old = repository.purgeable(session, undo_seconds)
        for dataset_id in old:
            with self._clients.database.write() as session:
                gone = repository.purge(session, dataset_id, undo_seconds)
            if gone:
                self._clients.blobs.delete_folder(places.folder(dataset_id))
