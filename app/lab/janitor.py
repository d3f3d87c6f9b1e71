"""The thread that keeps the picture store in order: leftovers of crashes, what is past its age, what is over the quota."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from sqlalchemy import select

from app.core.ids import is_id
from app.infra import standstill
from app.infra.blobs import Folder
from app.infra.clients import Clients
from app.infra.rounds import Rounds
from app.jobs import repository as job_repository
from app.jobs.models import Job, State
from app.jobs.named import named
from app.lab import places, retention
from app.lab.models import Arrival, Dataset, DatasetPicture, Detector

log = logging.getLogger(__name__)

_DAY_SECONDS = 86_400
_GIGABYTE = 1_000_000_000
# Folders whose rows are read at once.
_CHUNK = 50

Keeps = Callable[[str], bool]
"""Tells of a file in a folder whether it stays."""
Look = Callable[[Sequence[str]], Mapping[str, Keeps]]
"""Reads the rows of so many ids; those that have none are missing from what it returns."""


class Janitor(Rounds):
    def __init__(self, clients: Clients) -> None:
        super().__init__("cleaning", self.clean, clients.settings.janitor_seconds)
        self._settings = clients.settings
        self._database = clients.database
        self._blobs = clients.blobs

    def clean(self) -> Counter[str]:
        """Remove what no row names, delete what is to go, and return how much of each there was."""
        with standstill.deleting(self._settings) as may:
            if may:
                return self._clean()
        log.info("cleaning left for later: a backup is being made")
        return Counter()

    def _clean(self) -> Counter[str]:
        done: Counter[str] = Counter()
        before = time.time() - self._settings.orphan_seconds
        done["partials"] = self._blobs.delete_partials(before)
        sizes = self._clear("jobs", self._jobs, before, done) | self._clear("datasets", self._datasets, before, done)
        self._clear_detectors(before, done)
        if not self.ended():
            self._retire(sizes, done)
        counts = tuple(done[name] for name in ("partials", "folders", "files", "aged", "over_quota"))
        log.info("cleaned: partials=%d folders=%d files=%d aged=%d over_quota=%d", *counts)
        return done

    def _clear(self, place: str, look: Look, before: float, done: Counter[str]) -> dict[str, int]:
        """Remove what is old and that no row names, and return how many bytes each folder that has a row holds."""
        sizes: dict[str, int] = {}
        for folders in self._chunks(place):
            known = look([folder.name for folder in folders])
            sizes |= {folder.name: folder.size for folder in folders if folder.name in known}
            for folder in folders:
                if not _leftovers(folder, known.get(folder.name), before):
                    continue
                # Once more, just before: a worker may have claimed the job meanwhile, or somebody committed its row.
                keeps = look([folder.name]).get(folder.name)
                names = _leftovers(folder, keeps, before)
                if keeps is None and names:
                    self._blobs.delete_folder(f"{place}/{folder.name}")
                    done["folders"] += 1
                    continue
                for name in names:
                    self._blobs.delete(f"{place}/{folder.name}/{name}")
                    done["files"] += 1
        return sizes

    def _chunks(self, place: str) -> Iterator[list[Folder]]:
        chunk: list[Folder] = []
        for folder in self._blobs.folders(place):
            if self.ended():
                return
            if is_id(folder.name):
                chunk.append(folder)
            if len(chunk) == _CHUNK:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    def _jobs(self, ids: Sequence[str]) -> Mapping[str, Keeps]:
        with self._database.read() as session:
            rows = session.execute(select(Job).where(Job.id.in_(ids))).scalars().all()
        # The files of a running job are its worker's.
        return {job.id: _everything if job.state == State.RUNNING else named(job).__contains__ for job in rows}

    def _datasets(self, ids: Sequence[str]) -> Mapping[str, Keeps]:
        with self._database.read() as session:
            arrivals = {row.id: row.arrival for row in session.execute(select(Dataset.id, Dataset.arrival).where(Dataset.id.in_(ids)))}
            query = select(DatasetPicture.dataset, DatasetPicture.number, DatasetPicture.key).where(DatasetPicture.dataset.in_(ids))
            pictures = session.execute(query.where(DatasetPicture.key.is_not(None))).all()
        names: dict[str, set[str]] = {dataset_id: set() for dataset_id in arrivals}
        for dataset_id, number, key in pictures:
            keys = (str(key), places.thumbnail_key(dataset_id, number))
            names.setdefault(dataset_id, set()).update(one.removeprefix(f"{places.folder(dataset_id)}/") for one in keys)
        return {
            dataset_id: _everything if arrival == Arrival.UNPACKING else names[dataset_id].__contains__
            for dataset_id, arrival in arrivals.items()
        }

    def _clear_detectors(self, before: float, done: Counter[str]) -> None:
        old = [key for file in self._blobs.files("detectors") if file.modified < before for key in [f"detectors/{file.name}"]]
        with self._database.read() as session:
            kept = set(session.execute(select(Detector.key)).scalars()) if old else set()
        for key in old:
            if key not in kept:
                self._blobs.delete(key)
                done["files"] += 1

    def _retire(self, sizes: Mapping[str, int], done: Counter[str]) -> None:
        """Delete what has ended as if its owner had: what is past its age, then the oldest until the rest fits the quota."""
        days, quota = self._settings.keep_days, self._settings.quota_gb * _GIGABYTE
        if not days and not quota:
            return
        used = self._blobs.used() if quota else 0
        with self._database.write() as session:
            found = retention.ended(session)
            limit = job_repository.now(session) - days * _DAY_SECONDS
            aged = [one for one in found if days and one.at < limit]
            over: list[retention.Ended] = []
            if quota:
                held, leaving = retention.weigh(session, sizes)
                leaving += sum(held.get(one.id, 0) for one in aged)
                over = retention.oldest(found[len(aged) :], held, used - leaving - quota)
            for one in (*aged, *over):
                retention.delete(session, one)
        done["aged"], done["over_quota"] = len(aged), len(over)


def _everything(name: str) -> bool:
    return True


def _leftovers(folder: Folder, keeps: Keeps | None, before: float) -> list[str]:
    """Return the names that may go; of a folder without a row all of them, once nothing in it has changed for long."""
    if keeps is None:
        return [folder.name] if folder.modified < before else []
    return [file.name for file in folder.files if file.modified < before and not keeps(file.name)]
