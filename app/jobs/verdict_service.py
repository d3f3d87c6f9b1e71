"""What one may do with verdicts: ask for one, on a picture alone or on a finished job, and read it."""

from __future__ import annotations

from app.core.errors import NotFound, NotReady, TooMany
from app.core.ids import is_id, new_id
from app.core.verdicts import Verdict
from app.imaging.normalise import Decoded
from app.jobs import pictures, repository, verdict_events
from app.jobs.kind_service import KindService
from app.jobs.models import STYLIZE, VERDICT, Job, State
from app.jobs.verdict_events import VerdictEvent


class VerdictService(KindService[VerdictEvent]):
    kind = VERDICT
    absent = "There is no such verdict, or it is not yours."

    def snapshot(self, job: Job, queue_position: int | None = None, *, silent: bool = False) -> VerdictEvent:
        return verdict_events.snapshot(job, queue_position, silent=silent)

    def submit(self, owner: str, name: str, picture: Decoded) -> Job:
        """Store a picture, commit the row of its verdict, then send the wake-up.

        Args:
            name: the picture's file name, shown to its owner.
        """
        self.admit(owner)
        verdict = Job(
            id=new_id(),
            kind=VERDICT,
            owner=owner,
            state=State.QUEUED,
            preset="",
            params={},
            inputs={pictures.ALONE: pictures.facts(name, picture)},
        )
        with pictures.stored(self._blobs, verdict.id, [(pictures.ALONE, picture)]), self._database.write() as session:
            self._check_limits(session, owner)
            verdict.created_at = repository.now(session)
            session.add(verdict)
        self._wake(verdict)
        return verdict

    def of_job(self, owner: str, job_id: str) -> Job:
        """Return the row of a job's verdict.

        Raises:
            NotFound: no such job, or not the owner's.
            NotReady: it has no verdict: none is made before there is a picture.
        """
        with self._database.read() as session:
            job = repository.find(session, STYLIZE, job_id, owner) if is_id(job_id) else None
            if job is None:
                raise NotFound("There is no such job, or it is not yours.")
            verdict = repository.verdict_of(session, job_id)
        if verdict is None or verdict.deleted_at is not None:
            raise NotReady("There is no verdict on this job. It is made when the picture is finished.")
        return verdict

    def ask(self, owner: str, job_id: str) -> Job:
        """Return the row of a job's verdict, queueing it if there is none or if it ended without a word.

        Raises:
            NotFound: no such job, or not the owner's.
            NotReady: the job has no picture to look at.
        """
        with self._database.write() as session:
            job = repository.find(session, STYLIZE, job_id, owner) if is_id(job_id) else None
            if job is None:
                raise NotFound("There is no such job, or it is not yours.")
            if job.result is None:
                raise NotReady("This job has no finished picture to look at. Wait, or stop it.")
            verdict, queued = repository.ensure_verdict(session, job)
        if queued:
            self._wake(verdict)
        return verdict

    def again(self, owner: str, verdict_id: str) -> Job:
        """Queue a verdict once more that ended without a word."""
        with self._database.write() as session:
            verdict = self._owned(session, owner, verdict_id)
            if not verdict.terminal or verdict.report is not None:
                raise NotReady("This verdict is being made or has been given, so there is nothing to try again.")
            if verdict.parent is None:
                self._check_limits(session, owner)
            repository.begin_again(verdict)
        self._wake(verdict)
        return verdict

    def _check_limit(self, own: int) -> None:
        if own >= self._settings.max_active_verdicts:
            raise TooMany(f"You have {own} pictures waiting for their verdict. Wait for one of them.")


def verdict_in(row: Job) -> Verdict:
    """Return what a finished verdict says.

    Raises:
        NotReady: it has not ended yet, or ended without a word.
    """
    if row.report is None:
        raise NotReady(row.error or ("This verdict was called off." if row.terminal else "This verdict is not ready yet. Wait for it."))
    return Verdict.model_validate(row.report)
