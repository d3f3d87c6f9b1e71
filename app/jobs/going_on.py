"""Changing one's mind about a picture: pause it, go on, change its balance, paint more of it or larger."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sqlalchemy.orm import Session

from app.core.errors import InputError, NotFound, NotReady, ParameterError, ParameterErrors
from app.core.ids import new_id
from app.core.specs import DEFAULT_PRESET, LARGEST_BASE, PRESETS, StyleParams, base_side, bounds, resolve
from app.core.steering import STEERABLE, is_painted
from app.jobs import checkpoints, pictures, repository
from app.jobs.checkpoints import START
from app.jobs.given import MOST_WEIGHT
from app.jobs.job_events import JobEvent
from app.jobs.kind_service import KindService
from app.jobs.models import STYLIZE, Job, State

MORE = 200
# How long is painted: "more" says so for itself alone.
_EFFORT = ("iterations", "enlarging", "plateau")
_WEIGHTS = "weights"
_AT_REST = (State.QUEUED, State.PAUSED)
_OF_DATASET = "A dataset's pictures are painted together: cancel and resume the dataset itself."


def larger_than(size: int) -> int | None:
    """Return twice the size, or the largest; None for the largest itself."""
    largest = bounds("size")[1]
    return min(2 * size, largest) if size < largest else None


def can_have_more(job: Job) -> bool:
    """Tell whether more iterations would paint anything."""
    return bool(job.params["colours"] != "only")


def can_be_changed(job: Job) -> bool:
    """Tell whether there is anything to change while it is painted."""
    return job.parent is None and is_painted(StyleParams.model_validate(job.params))


class GoingOn(KindService[JobEvent]):
    """What one may do with a picture besides making it and looking at it."""

    def pause(self, owner: str, job_id: str) -> Job:
        """Put the job down: at once where it waits, after its step where it is being painted."""
        with self._database.write() as session:
            job = self._unfinished(session, owner, job_id)
            if job.parent is not None:
                raise NotReady(_OF_DATASET)
            if job.stop_requested or job.cancel_requested:
                raise NotReady("This job is about to end, so it cannot be paused.")
            if job.state == State.QUEUED:
                job.state = State.PAUSED
            else:
                job.pause_requested = job.state == State.RUNNING
        self._publish(job)
        return job

    def resume(self, owner: str, job_id: str) -> Job:
        """Let a paused job wait for its turn again; one that is about to pause simply goes on."""
        with self._database.write() as session:
            job = self._unfinished(session, owner, job_id)
            if job.state == State.PAUSED:
                self._check_limits(session, owner, besides=job.id)
                job.state = State.QUEUED
            elif not job.pause_requested:
                raise NotReady(f"This job is not paused ({job.state}).")
            job.pause_requested = False
        if job.state == State.QUEUED:
            self._wake(job)
        self._publish(job)
        return job

    def stop(self, owner: str, job_id: str) -> Job:
        """End as done with the best there is so far: at once where that is at hand, else with a worker's next step."""
        verdict = None
        with self._database.write() as session:
            job = self._unfinished(session, owner, job_id)
            job.pause_requested = False
            if self._take_held(session, job, State.DONE):
                job.stopped_early = True
                verdict = self._verdict(session, job)
            else:
                job.stop_requested = True
                job.state = State.QUEUED if job.state == State.PAUSED else job.state
        self._settled(job, verdict)
        return job

    def cancel(self, owner: str, job_id: str) -> Job:
        """End as cancelled; the best there is so far stays, for which a worker is needed where it is not at hand."""
        verdict = None
        with self._database.write() as session:
            job = self._unfinished(session, owner, job_id)
            self._call_off(session, job)
            verdict = self._verdict(session, job)
        self._settled(job, verdict)
        return job

    def delete(self, owner: str, job_id: str) -> Job:
        job = super().delete(owner, job_id)
        if job.terminal:
            checkpoints.forget(self._blobs, job)
        elif job.state == State.QUEUED:
            self._wake(job)
        return job

    def change(self, owner: str, job_id: str, wanted: Mapping[str, Any]) -> Job:
        """Change what may change during a run; the painter follows within an iteration.

        Args:
            wanted: parameters of ``STEERABLE`` by name; ``weights`` of the paintings as a list, with None for one that is to stay.

        Raises:
            ParameterErrors: a name that cannot be changed, or a value out of range.
            NotReady: the job has ended, is of a dataset, or is painted without iterations.
        """
        with self._database.write() as session:
            job = self._unfinished(session, owner, job_id)
            _check_names(wanted)
            if job.parent is not None:
                raise NotReady("A dataset's pictures are painted alike, so this one cannot be changed alone.")
            if not can_be_changed(job):
                raise NotReady("This picture is made in one go, without iterations, so there is no balance to change on the way.")
            if job.stop_requested or job.cancel_requested:
                raise NotReady("This job is about to end, so nothing can be changed any more.")
            preset = job.preset if job.preset in PRESETS else DEFAULT_PRESET
            params = {name: value for name, value in wanted.items() if name != _WEIGHTS}
            job.params = resolve(preset, {**job.params, **params}).model_dump(mode="json")
            if _WEIGHTS in wanted:
                weights = _weights(wanted[_WEIGHTS], pictures.styles_of(job))
                job.inputs = {role: {**facts, **weights.get(role, {})} for role, facts in job.inputs.items()}
        return job

    def more(self, owner: str, job_id: str, iterations: int = MORE) -> Job:
        """Return a new job that goes on from the result of an ended one, at the same size.

        Raises:
            ParameterError: more iterations than an enlarged picture takes.
        """
        job = self._with_result(owner, job_id)
        if not can_have_more(job):
            raise NotReady("Only the painting's colours were taken over in this picture, so there is no brush work to go on with.")
        size, most = int(job.params["size"]), bounds("enlarging")[1]
        enlarged = base_side(size) < size
        if enlarged and iterations > most:
            said = f"A picture larger than {LARGEST_BASE} pixels takes at most {most} more iterations at once. Received: {iterations}."
            raise ParameterError(f"{said} Ask for {most}, then for more of that picture.", field="iterations")
        enlarging = {"enlarging": iterations} if enlarged else {}
        return self._continue(job, {"iterations": (iterations,), "plateau": 0.0, **enlarging})

    def larger(self, owner: str, job_id: str) -> Job:
        """Return a new job that paints the result of an ended one at twice its size, or the largest."""
        job = self._with_result(owner, job_id)
        size = larger_than(int(job.params["size"]))
        if size is None:
            raise NotReady(f"This picture has the largest size there is already. Received: {job.params['size']}.")
        return self._continue(job, {"size": size, **self.effort(job)})

    def continued_in(self, owner: str, job_id: str) -> list[str]:
        """Return the jobs that began from this one's result, oldest first."""
        with self._database.read() as session:
            return repository.continuations(session, owner, job_id)

    def continued_from(self, job: Job) -> str | None:
        """Return the job whose result this one began from, while it is there."""
        with self._database.read() as session:
            earlier = repository.find(session, STYLIZE, job.continues, job.owner) if job.continues else None
            return earlier.id if earlier else None

    def _with_result(self, owner: str, job_id: str) -> Job:
        job = self.get(owner, job_id)
        if job.result is None or not job.terminal:
            raise NotReady("There is no finished picture to go on from. Wait for it, or stop it.")
        return job

    def effort(self, job: Job) -> dict[str, Any]:
        """Return how long the first picture of the chain was to be painted; where that is gone, what the preset says."""
        first: Job | None = job
        with self._database.read() as session:
            while first and first.continues:
                first = repository.find(session, STYLIZE, first.continues, job.owner)
        preset = PRESETS.get(job.preset, PRESETS[DEFAULT_PRESET]).params
        params = StyleParams.model_validate(first.params) if first else preset
        if is_painted(StyleParams.model_validate(job.params)) and not is_painted(params):
            # It began as an instant picture, and was painted on.
            params = PRESETS[DEFAULT_PRESET].params
        return {name: getattr(params, name) for name in _EFFORT}

    def _continue(self, job: Job, changes: dict[str, Any]) -> Job:
        """Store copies of what ``job`` was given and of its result, commit the new row, then send the wake-up."""
        self.admit(job.owner)
        params = resolve(job.preset if job.preset in PRESETS else DEFAULT_PRESET, {**job.params, **changes})
        inputs = {
            role: {name: fact for name, fact in facts.items() if name not in ("key", "thumbnail")} for role, facts in job.inputs.items()
        }
        follower = Job(
            id=new_id(),
            kind=STYLIZE,
            owner=job.owner,
            state=State.QUEUED,
            preset=job.preset,
            params=params.model_dump(mode="json"),
            inputs=inputs,
            continues=job.id,
        )
        try:
            for role in inputs:
                self._copy(job, pictures.input_name(role), follower)
                # Not all have one.
                with suppress(NotFound):
                    self._copy(job, pictures.thumbnail_name(role), follower)
            if is_painted(params):
                self._blobs.put(pictures.key(follower.id, START), self._blobs.get(pictures.key(job.id, str(job.result))))
            with self._database.write() as session:
                self._check_limits(session, job.owner)
                follower.created_at = repository.now(session)
                session.add(follower)
        except BaseException:
            self._blobs.delete_folder(pictures.folder(follower.id))
            raise
        self._wake(follower)
        return follower

    def _copy(self, job: Job, name: str, follower: Job) -> None:
        self._blobs.put(pictures.key(follower.id, name), self._blobs.get(pictures.stored_key(job, name)))

    def _call_off(self, session: Session, job: Job) -> None:
        job.pause_requested = False
        if job.state in _AT_REST and checkpoints.is_ahead(checkpoints.left_of(job)):
            job.state, job.cancel_requested = State.QUEUED, True
        elif not self._take_held(session, job, State.CANCELLED):
            super()._call_off(session, job)

    def _take_held(self, session: Session, job: Job, state: State) -> bool:
        """End a job at rest with the picture that it was put down with.

        False: a worker has it, it takes one since more was painted, or there was none yet.
        """
        if job.state not in _AT_REST or checkpoints.is_ahead(checkpoints.left_of(job)) or not checkpoints.take_held(job):
            return False
        job.state, job.finished_at = state, repository.now(session)
        return True

    def _verdict(self, session: Session, job: Job) -> Job | None:
        """Queue the verdict that follows from an end here, as one follows from a worker's."""
        if not job.terminal or job.result is None or job.parent is not None:
            return None
        verdict, queued = repository.ensure_verdict(session, job)
        return verdict if queued else None

    def _settled(self, job: Job, verdict: Job | None) -> None:
        if job.terminal:
            checkpoints.forget(self._blobs, job)
        elif job.state == State.QUEUED:
            self._wake(job)
        if verdict is not None:
            self._wake(verdict)
        self._publish(job)


def _check_names(wanted: Mapping[str, Any]) -> None:
    can = ", ".join((*STEERABLE, _WEIGHTS))
    if not wanted:
        raise InputError(f"Say what to change: {can}.")
    fixed = [name for name in wanted if name not in (*STEERABLE, _WEIGHTS)]
    if fixed:
        raise ParameterErrors([ParameterError(f"{name} cannot be changed during a run. These can: {can}.", field=name) for name in fixed])


def _weights(given: Any, roles: list[str]) -> dict[str, dict[str, float]]:
    """Return what the row says from now on of the weights that are given: None leaves a painting's as it is."""
    found = given if isinstance(given, list) else []
    if len(found) != len(roles) or not all(one is None or _is_weight(one) for one in found):
        said = f"Weights: give {len(roles)} numbers above 0 and at most {MOST_WEIGHT:g}, one a painting, or null to leave it. Received: {given!r}."
        raise ParameterError(said, field=_WEIGHTS)
    return {role: {"weight": float(one)} for role, one in zip(roles, found, strict=True) if one is not None}


def _is_weight(one: Any) -> bool:
    return isinstance(one, int | float) and not isinstance(one, bool) and 0 < one <= MOST_WEIGHT
