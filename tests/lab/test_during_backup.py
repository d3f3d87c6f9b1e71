"""What the Lab deletes waits for a backup, which copies the data folder."""

from __future__ import annotations

import dataclasses

from app.core.ids import new_id
from app.imaging.decode import DecoderPool
from app.infra.blobs import Blobs
from app.infra.clients import Clients
from app.infra.standstill import standstill
from app.lab import places
from app.lab.datasets import DatasetService
from app.lab.detectors import DetectorService
from app.lab.experiments import ExperimentService
from app.lab.janitor import Janitor
from app.lab.keeper import Keeper
from app.lab.models import Detector
from app.lab.unpacking import Unpacker
from tests.lab.conftest import OWNER, order, there


def test_during_a_backup_nothing_is_removed_that_it_may_still_name(
    clients: Clients, blobs: Blobs, datasets: DatasetService, unpacker: Unpacker, decoders: DecoderPool
) -> None:
    thrown_away, arriving = datasets.create(OWNER, order(1, 1)), datasets.create(OWNER, order(1, 1))
    unpacker.unpack_one()
    datasets.delete(OWNER, thrown_away.id)
    detectors = DetectorService(clients, ExperimentService(clients))
    detector = Detector(id=new_id(), owner=OWNER, name="x", experiment=new_id(), sha256="0" * 64, created_at=1.0)
    detector.key = places.detector_key(detector.id)
    blobs.put(detector.key, b"x")
    with clients.database.write() as session:
        session.add(detector)
    at_once = dataclasses.replace(clients, settings=clients.settings.model_copy(update={"undo_seconds": 0.0, "orphan_seconds": -5.0}))
    keys = [places.picture_key(thrown_away.id, 1), places.incoming_key(arriving.id, 1), detector.key]
    with standstill(clients.settings):
        Keeper(at_once, decoders).clear_away()
        assert unpacker.unpack_one()
        detectors.delete(OWNER, detector.id)
        assert Janitor(at_once).clean().total() == 0
        assert [there(blobs, key) for key in keys] == [True, True, True]
    Keeper(at_once, decoders).clear_away()
    Janitor(at_once).clean()
    assert [there(blobs, key) for key in keys] == [False, False, False], "it is made up for"
    assert there(blobs, places.picture_key(arriving.id, 1))
