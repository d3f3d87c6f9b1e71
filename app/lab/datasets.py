"""What one may do with datasets, for the page, the API and the owner alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from app.core.errors import NotFound, NotReady, StorageFull, TooMany
from app.core.ids import is_id, new_id
from app.infra.clients import Clients
from app.jobs import repository as job_repository
from app.jobs.models import Job, State
from app.lab import places, repository, schemas
from app.lab.archives import ArchiveLimits
from app.lab.arrivals import Order, Plan
from app.lab.batches import queue_missing, wake
from app.lab.models import LABELLED, Arrival, Dataset, DatasetPicture
from app.lab.schemas import DatasetDetail, DatasetEvent

_NEWEST = 12


class DatasetService:
    """
    Args:
        hurry: called when something was sent, so that it is unpacked at once.
    """

    def __init__(self, clients: Clients, hurry: Callable[[], None] = lambda: None) -> None:
        self._clients = clients
        self._settings = clients.settings
        self._database = clients.database
        self._blobs = clients.blobs
        self._hurry = hurry

    def admit(self, owner: str, pictures: int = 1) -> None:
        """Refuse early, before anything is stored, what would be refused anyway."""
        if self._blobs.short_of(self._settings.min_free_mb):
            raise StorageFull("The server's disk is almost full, so it takes no new pictures. Delete old datasets or ask its operator.")
        with self._database.read() as session:
            self._check_limit(session, owner, pictures)

    def create(self, owner: str, order: Order) -> Dataset:
        """Look through what was sent, store it as it is, and commit the row: from then on it is unpacked by itself.

        Raises:
            InputError: nothing usable was sent, or too much.
            TooMany: the owner's datasets hold as many pictures as allowed.
        """
        plan = Plan.of(order, ArchiveLimits.of(self._settings))
        self.admit(owner, plan.pictures)
        dataset = Dataset(
            id=new_id(),
            owner=owner,
            name=order.name,
            kind=order.kind,
            spec={"generators": [one.model_dump(mode="json") for one in order.generators]},
            arrival=Arrival.UNPACKING,
            incoming=[piece.model_dump(exclude_defaults=True) for piece in plan.pieces],
            total=len(plan.pieces),
            taken=0,
            planned=plan.pictures,
            skipped=[one.model_dump() for one in plan.skipped],
            duplicates=[],
            cancelled=False,
        )
        try:
            if order.archive is not None:
                self._blobs.put_file(places.archive_key(dataset.id), order.archive)
            for number, sent in enumerate(order.files, start=1):
                self._blobs.put_file(places.incoming_key(dataset.id, number), sent.file)
            with self._database.write() as session:
                self._check_limit(session, owner, plan.pictures)
                dataset.created_at = job_repository.now(session)
                session.add(dataset)
        except BaseException:
            self._blobs.delete_folder(places.folder(dataset.id))
            raise
        self._hurry()
        return dataset

    def get(self, owner: str, dataset_id: str) -> Dataset:
        with self._database.read() as session:
            return self._owned(session, owner, dataset_id)

    def deleted(self, owner: str, dataset_id: str) -> Dataset | None:
        """Return a deleted dataset of the owner's that can still be brought back."""
        with self._database.read() as session:
            return repository.find(session, dataset_id, owner, deleted=True) if is_id(dataset_id) else None

    def newest(self, owner: str, limit: int = 60, before: float | None = None) -> list[DatasetDetail]:
        with self._database.read() as session:
            return [_detail(session, dataset) for dataset in repository.newest(session, owner, limit, before)]

    def event(self, owner: str, dataset_id: str) -> DatasetEvent:
        """Return the dataset's whole state at this moment."""
        with self._database.read() as session:
            return _event(session, self._owned(session, owner, dataset_id))

    def detail(self, owner: str, dataset_id: str) -> DatasetDetail:
        with self._database.read() as session:
            return _detail(session, self._owned(session, owner, dataset_id))

    def cancel(self, owner: str, dataset_id: str) -> Dataset:
        """Stop taking in and stylising; what is there stays, and ``resume`` goes on."""
        with self._database.write() as session:
            dataset = self._owned(session, owner, dataset_id)
            states = repository.job_states(session, dataset.id)
            if dataset.arrival != Arrival.UNPACKING and not (states.get(State.QUEUED) or states.get(State.RUNNING)):
                raise NotReady("Nothing goes on in this dataset that could be cancelled.")
            dataset.cancelled, dataset.lease_until = True, None
            repository.cancel_jobs(session, dataset.id)
        return dataset

    def resume(self, owner: str, dataset_id: str) -> Dataset:
        """Go on after a cancel, and try again what failed."""
        self.admit(owner, 0)
        with self._database.write() as session:
            dataset = self._owned(session, owner, dataset_id)
            if dataset.arrival == Arrival.FAILED:
                raise NotReady("This dataset could not be taken in. Send its pictures again as a new one.")
            if any(not job.terminal and job.cancel_requested for job in repository.jobs_of(session, dataset.id).values()):
                raise NotReady("The last picture is just being put down. Try again in a moment.")
            dataset.cancelled, dataset.error = False, None
            queued = queue_missing(session, dataset) if dataset.arrival == Arrival.READY else 0
        wake(self._clients, queued)
        self._hurry()
        return dataset

    def delete(self, owner: str, dataset_id: str) -> Dataset:
        """Hide the dataset, cancelling what goes on; ``restore`` brings it back for a while."""
        with self._database.write() as session:
            dataset = self._owned(session, owner, dataset_id)
            dataset.deleted_at, dataset.lease_until = job_repository.now(session), None
            dataset.cancelled = dataset.cancelled or _event(session, dataset).state not in schemas.AT_REST
            repository.cancel_jobs(session, dataset.id)
            repository.mark_jobs(session, dataset.id, dataset.deleted_at)
        return dataset

    def restore(self, owner: str, dataset_id: str) -> Dataset:
        """Bring a deleted dataset back; what deleting it cancelled waits for ``resume``."""
        with self._database.write() as session:
            dataset = self._owned(session, owner, dataset_id, deleted=True)
            dataset.deleted_at, dataset.restored_at = None, job_repository.now(session)
            repository.mark_jobs(session, dataset.id, None)
        self._hurry()
        return dataset

    def pictures(self, owner: str, dataset_id: str) -> list[tuple[DatasetPicture, Job | None]]:
        """Return every picture with the job that makes it, in order."""
        with self._database.read() as session:
            dataset = self._owned(session, owner, dataset_id)
            jobs = repository.jobs_of(session, dataset.id)
            return [(row, jobs.get(row.job or "")) for row in repository.pictures(session, dataset.id)]

    def first_numbers(self, owner: str, dataset_id: str, limit: int) -> Sequence[int]:
        """Return the numbers of its first pictures that came in, by which a list shows it before any is stylised."""
        with self._database.read() as session:
            return repository.first_numbers(session, self._owned(session, owner, dataset_id).id, limit)

    def picture_key(self, owner: str, dataset_id: str, number: int, *, small: bool) -> str:
        """Return where a picture is stored as PNG, or ``small`` as JPEG.

        Raises:
            NotFound: no such picture, or none yet.
        """
        with self._database.read() as session:
            dataset = self._owned(session, owner, dataset_id)
            row = repository.picture(session, dataset.id, number)
            job = session.get(Job, row.job) if row is not None and row.job else None
        key = places.key_of(row, job) if row is not None else None
        if row is None or key is None:
            raise NotFound(f"There is no picture of that number, or it is not made yet. Received: {number}")
        if small and row.key is not None:
            return places.thumbnail_key(dataset.id, number)
        if small and job is not None and job.preview is not None:
            return places.preview_key(job)
        return key

    def _check_limit(self, session: Session, owner: str, pictures: int) -> None:
        held = repository.planned(session, owner)
        if held + pictures > self._settings.max_lab_pictures:
            raise TooMany(
                f"Your datasets may hold {self._settings.max_lab_pictures} pictures in all and have {held}, "
                f"so {pictures} more do not fit. Delete one you no longer need."
            )

    def _owned(self, session: Session, owner: str, dataset_id: str, *, deleted: bool = False) -> Dataset:
        dataset = repository.find(session, dataset_id, owner, deleted=deleted) if is_id(dataset_id) else None
        if dataset is None:
            raise NotFound("There is no such dataset, or it is not yours.")
        return dataset


def _event(session: Session, dataset: Dataset) -> DatasetEvent:
    return schemas.event_of(
        dataset,
        repository.roles(session, dataset.id),
        repository.job_states(session, dataset.id),
        running=repository.running(session, dataset.id),
        pace=repository.pace(session, dataset.id),
        newest=repository.newest_done(session, dataset.id, _NEWEST),
    )


def _detail(session: Session, dataset: Dataset) -> DatasetDetail:
    classes: Counter[str] = Counter()
    domains: Counter[str] = Counter()
    for domain, klass, count in repository.classes(session, dataset.id) if dataset.kind == LABELLED else ():
        classes[klass] += count
        if domain:
            domains[domain] += count
    return schemas.detail(dataset, _event(session, dataset), dict(classes), dict(domains))
