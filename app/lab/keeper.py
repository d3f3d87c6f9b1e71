"""The Lab's thread in the web process: takes in what was sent, and clears away what was deleted."""

from __future__ import annotations

import os

from app.imaging.decode import DecoderPool
from app.infra import standstill
from app.infra.clients import Clients
from app.infra.rounds import Rounds
from app.lab import places, repository
from app.lab.unpacking import Unpacker

_SECONDS = 2.0


class Keeper(Rounds):
    def __init__(self, clients: Clients, decoders: DecoderPool) -> None:
        super().__init__("keeping of datasets", self._take_in, _SECONDS)
        self._clients = clients
        # One decoder less than there are: visitors with single pictures do not wait for a dataset.
        at_once = max(1, min(3, (os.cpu_count() or 2) - 1))
        self._unpacker = Unpacker(clients, decoders, at_once, self.ended)

    def _take_in(self) -> None:
        while self._unpacker.unpack_one():
            if self.ended():
                return
        self.clear_away()

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
