"""What one may do with style transfers, for the page, the API and the owner alone."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.core.errors import NotReady, TooMany
from app.core.finish import Finish
from app.core.ids import new_id
from app.core.specs import StyleParams
from app.imaging.receipt import Receipt, attach
from app.infra.clients import Clients
from app.jobs import finishing, job_events, pictures, repository
from app.jobs.finishing import Format, SmallPictures
from app.jobs.given import Given
from app.jobs.going_on import GoingOn
from app.jobs.job_events import JobEvent
from app.jobs.models import STYLIZE, Job, State
from app.jobs.receipts import receipt_of


class JobService(GoingOn):
    kind = STYLIZE

    def __init__(self, clients: Clients) -> None:
        super().__init__(clients)
        self._small = SmallPictures(clients.blobs)

    def snapshot(self, job: Job, queue_position: int | None = None, *, silent: bool = False) -> JobEvent:
        return job_events.snapshot(job, queue_position, silent=silent)

    def submit(self, owner: str, given: Given, preset: str, params: StyleParams) -> Job:
        """Store the pictures, commit the row, then send the wake-up."""
        self.admit(owner)
        parts = given.parts
        job = Job(
            id=new_id(),
            kind=STYLIZE,
            owner=owner,
            state=State.QUEUED,
            preset=preset,
            params=params.model_dump(mode="json"),
            inputs={role: {**pictures.facts(name, picture), **given.weight(role)} for role, (name, picture) in parts.items()},
        )
        with (
            pictures.stored(self._blobs, job.id, [(role, picture) for role, (_, picture) in parts.items()]),
            self._database.write() as session,
        ):
            self._check_limits(session, owner)
            job.created_at = repository.now(session)
            session.add(job)
        self._wake(job)
        return job

    def restore(self, owner: str, job_id: str) -> Job:
        """Bring a deleted job back, and its verdict: one that deleting it cancelled, or came before, is queued now."""
        job = super().restore(owner, job_id)
        if job.result is not None:
            with self._database.write() as session:
                verdict, queued = repository.ensure_verdict(session, job)
            if queued:
                self._wake(verdict)
        return job

    def painted(self, owner: str, job_id: str) -> Job:
        """Return the job, which has a picture.

        Raises:
            NotReady: it has none.
        """
        job = self.get(owner, job_id)
        if job.result is None:
            raise NotReady(
                "This job ended before there was a picture." if job.terminal else "This job has no finished picture yet. Wait, or stop it."
            )
        return job

    def result(self, owner: str, job_id: str, kind: Format = "png", finish: Finish | None = None) -> tuple[Job, bytes]:
        """Return the job and its finished picture as a file, with its receipt inside.

        Raises:
            Unavailable: too many pictures are being finished.
        """
        job = self.painted(owner, job_id)
        finish = finish or finishing.usual(job)
        receipt = self.receipt(owner, job_id).model_copy(update={"finish": finish})
        with finishing.hand():
            return job, attach(finishing.file(self._blobs, job, finish, kind), receipt)

    def look(self, owner: str, job_id: str, side: int, finish: Finish | None = None) -> bytes:
        """Return the finished picture as a JPEG to look at, with a longer side of at most ``side``."""
        job = self.painted(owner, job_id)
        return self._small.jpeg(job, finish or finishing.usual(job), side)

    def receipt(self, owner: str, job_id: str) -> Receipt:
        """Return how the job's picture was made, and its verdict if there is one by now."""
        with self._database.read() as session:
            job = self._owned(session, owner, job_id)
            return receipt_of(job, repository.verdict_of(session, job.id))

    def _hanging_on(self, session: Session, job: Job) -> list[Job]:
        verdict = repository.verdict_of(session, job.id)
        return [] if verdict is None else [verdict]

    def _check_limit(self, own: int) -> None:
        if own >= self._settings.max_active_jobs:
            raise TooMany(f"You have {own} pictures waiting, paused or being painted. Wait for one to finish, or cancel one.")
