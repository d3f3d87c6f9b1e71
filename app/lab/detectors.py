"""Detectors made from experiments, and which one judges for whom."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core.errors import InputError, NotFound
from app.core.experiments import ExperimentSpec
from app.core.ids import is_id, new_id
from app.infra import standstill
from app.infra.clients import Clients
from app.jobs import pictures
from app.jobs import repository as job_repository
from app.jobs.models import Job
from app.lab import places
from app.lab.experiments import ExperimentService
from app.lab.models import Detector


class DetectorService:
    def __init__(self, clients: Clients, experiments: ExperimentService) -> None:
        self._settings = clients.settings
        self._database = clients.database
        self._blobs = clients.blobs
        self._experiments = experiments

    def keep(self, owner: str, experiment_id: str) -> Detector:
        """Make the classifier of a finished experiment the detector that judges for its owner.

        Raises:
            NotFound: no such experiment, or not the owner's.
            NotReady: it has no report.
            InputError: its classifier cannot be a detector; says what to do.
        """
        job = self._experiments.evaluation(owner, experiment_id)
        self._experiments.report_file(owner, experiment_id)
        with self._database.read() as session:
            kept = _made_of(session, owner, job)
        if kept is not None:
            return self.use(owner, kept.id)
        data = self._blobs.get(pictures.key(job.id, _file_of(job)))
        detector = Detector(
            id=new_id(),
            owner=owner,
            name=str(job.inputs["dataset"]["name"]),
            experiment=job.id,
            sha256=hashlib.sha256(data).hexdigest(),
            active=True,
        )
        detector.key = places.detector_key(detector.id)
        self._blobs.put(detector.key, data)
        with self._database.write() as session:
            # Pressed twice at once, both get here: one after the other looks again.
            session.execute(select(Job.id).where(Job.id == job.id).with_for_update())
            kept = _made_of(session, owner, job)
            if kept is None:
                _put_away(session, owner)
                detector.created_at = job_repository.now(session)
                session.add(detector)
        if kept is not None:
            self._blobs.delete(detector.key)
            return self.use(owner, kept.id)
        return detector

    def listed(self, owner: str) -> Sequence[Detector]:
        """Return the owner's detectors, newest first; where none is active, the shipped one judges."""
        with self._database.read() as session:
            query = select(Detector).where(Detector.owner == owner).order_by(Detector.created_at.desc(), Detector.id)
            return session.execute(query).scalars().all()

    def use(self, owner: str, detector_id: str) -> Detector:
        """Let this one judge from now on."""
        with self._database.write() as session:
            detector = _owned(session, owner, detector_id)
            _put_away(session, owner)
            detector.active = True
        return detector

    def use_shipped(self, owner: str) -> None:
        """Let the detector that came with the program judge again."""
        with self._database.write() as session:
            _put_away(session, owner)

    def delete(self, owner: str, detector_id: str) -> Detector:
        """Remove a detector; if it was the active one, the shipped one judges again. Its experiment can make it anew."""
        with self._database.write() as session:
            detector = _owned(session, owner, detector_id)
            session.delete(detector)
        with standstill.deleting(self._settings) as may:
            # During a backup, which may still name it, that is left to the janitor.
            if may:
                self._blobs.delete(detector.key)
        return detector

    def file(self, owner: str, detector_id: str) -> bytes:
        with self._database.read() as session:
            detector = _owned(session, owner, detector_id)
        return self._blobs.get(detector.key)


def active(session: Session, owner: str) -> Detector | None:
    """Return the detector that judges for an owner; None: the shipped one."""
    return session.execute(select(Detector).where(Detector.owner == owner, Detector.active).limit(1)).scalar_one_or_none()


def _made_of(session: Session, owner: str, experiment: Job) -> Detector | None:
    query = select(Detector).where(Detector.owner == owner, Detector.experiment == experiment.id)
    return session.execute(query).scalar_one_or_none()


def _put_away(session: Session, owner: str) -> None:
    session.execute(update(Detector).where(Detector.owner == owner, Detector.active).values(active=False))


def _owned(session: Session, owner: str, detector_id: str) -> Detector:
    detector = session.get(Detector, detector_id) if is_id(detector_id) else None
    if detector is None or detector.owner != owner:
        raise NotFound("There is no such detector, or it is not yours.")
    return detector


def _file_of(job: Job) -> str:
    name = (job.report or {}).get("detector")
    if name is not None:
        return str(name)
    spec = ExperimentSpec.model_validate(job.params)
    if spec.shuffle_labels:
        raise InputError("The labels of this experiment were shuffled, so its classifier knows nothing. Use the one with the true labels.")
    if spec.classify != "features":
        raise InputError(
            "This classifier sees embeddings, of which no exact evidence can be shown. Run the experiment again with the features "
            f"classified, then use that one. Received: {spec.classify!r}."
        )
    raise InputError("This experiment was stopped early, so no detector was made of it. Run it to its end, then use that one.")
