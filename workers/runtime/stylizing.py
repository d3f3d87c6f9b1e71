"""Style transfer as a kind of job: pictures and parameters in, previews on the way, a picture at the end."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.core.checkpoint import Checkpoint
from app.core.commission import Commission
from app.core.errors import EngineError, NotFound, StorageFull, Unavailable
from app.core.finish import Finish
from app.core.progress import Progress
from app.core.specs import StyleParams
from app.core.steering import is_painted, settings_of
from app.imaging import encode
from app.imaging.deep import Picture
from app.infra.clients import Clients
from app.jobs import checkpoints, finishing, job_events, pictures, repository
from app.jobs.checkpoints import Left
from app.jobs.commissions import commission_of
from app.jobs.events import Live
from app.jobs.job_events import JobEvent, LiveRecorder, Painting
from app.jobs.models import STYLIZE, Job
from workers.runtime import checkpoint_file
from workers.runtime.frames import Frame, Frames
from workers.runtime.kind import Kind

log = logging.getLogger(__name__)

Pixels = NDArray[np.uint8] | NDArray[np.float32]


@dataclass(frozen=True)
class Sitting:
    """One attempt at a picture.

    Attributes:
        commission: what is to be painted.
        resume: where an earlier attempt left off.
        steer: returns the commission as its owner wants it by now.
    """

    commission: Commission
    resume: Checkpoint | None
    steer: Callable[[], Commission]


@dataclass(frozen=True)
class Outcome:
    """What an engine gives back; ``facts`` go into the receipt.

    Attributes:
        picture: RGB (height, width, 3), float32 in [0, 1] or uint8; stored at its depth.
    """

    picture: Pixels
    facts: dict[str, Any] = field(default_factory=dict)


Paint = Callable[[Sitting, Callable[[Progress], None]], Outcome]


class Stylizing(Kind[Sitting, Progress, Outcome]):
    name = STYLIZE
    too_large = "There is not enough memory for this size. Choose a smaller one."
    broken = "Something went wrong inside the painter. It has been logged; trying again may help."
    empty = "The painter stopped before there was a picture."

    def __init__(self, clients: Clients, job: Job) -> None:
        super().__init__(clients, job)
        self._recorder = LiveRecorder()
        self._frames = Frames()
        self._last_preview = float("-inf")
        # When the iteration ended that was last stored, or when that failed; when the newest did, and the seconds it took.
        self._last_state = self._stepped = time.monotonic()
        self._step = 0.0
        self._iteration = 0
        self._told = Painting()
        self._resume: Checkpoint | None = None
        # What the receipt states: the settings of the newest iteration, the picture that was painted on.
        self._in_effect: Mapping[str, float] = {}
        # The settings that the iteration after it is done with, once it is done.
        self._asked_for: Mapping[str, float] = {}
        # The iteration that the row's checkpoint is of, where this attempt stored it or went on from it.
        self._stored_at: int | None = None
        self._began: dict[str, Any] = {}
        self._left: Left | None = checkpoints.left_of(job)
        # What was left is damaged, or of something else.
        self._unusable = False
        # Frames that no one needs any more, but the row's checkpoint names.
        self._passed: set[str] = set()
        self._ended: Job | None = None
        # Why it ends before its time.
        self._reason = ""

    def begin(self) -> Painting:
        """Read what an earlier attempt left; where that is nothing, or not to be trusted, begin anew."""
        if self._left is None:
            return self._told
        try:
            data = self.clients.blobs.get(self._key(self._left.name))
            self._resume = checkpoint_file.decode(data, checkpoint_file.fingerprint(self.job))
        except (NotFound, checkpoint_file.NotOurs) as error:
            self._unusable = True
            log.warning("checkpoint not used, the job begins anew: job=%s %s: %s", self.job.id, self._left.name, error)
            return self._left.live if self.is_ending else self._told
        self._told = self._left.live
        self._iteration = self._stored_at = self._resume.iteration
        self._recorder = LiveRecorder(self._told)
        self._told = self._told.model_copy(update={"resumed_at": self._iteration})
        self._frames = Frames([Frame(int(one["iteration"]), str(one["name"])) for one in self._left.frames])
        log.info("goes on: job=%s attempt=%d iteration=%d", self.job.id, self.job.attempt, self._iteration)
        return self._told

    def assignment(self) -> Sitting:
        """Return what is to be painted.

        Raises:
            EngineError: the job was only to be ended with its state, and that cannot be used.
        """
        if self._left is not None and self.is_ending and self._unusable:
            raise EngineError(self._left.ending or self.empty)
        self._commission = commission_of(self.clients.blobs, self.job, self._start())
        self._in_effect = self._asked_for = self._resume.settings if self._resume else settings_of(self._commission)
        return Sitting(self._commission, self._resume, self._wanted)

    def _start(self) -> Picture | None:
        """Return the picture that is painted on, if there is one, and note which."""
        if not self.job.continues or not is_painted(StyleParams.model_validate(self.job.params)):
            return None
        data = self.clients.blobs.get(self._key(checkpoints.START))
        start, _ = encode.read_float(data)
        height, width = start.shape[:2]
        self._began = {"start": {"sha256": hashlib.sha256(data).hexdigest(), "width": width, "height": height}}
        return start

    def _wanted(self) -> Commission:
        """Return the commission for the next iteration."""
        self._commission = self._asked()
        self._asked_for = settings_of(self._commission)
        return self._commission

    def _asked(self) -> Commission:
        """Return the commission as the row has it now."""
        try:
            with self.clients.database.read() as session:
                row = repository.read_claimed(session, self.job.id, self.job.attempt)
        except Unavailable as error:
            log.warning("wishes not read: job=%s %s", self.job.id, error)
            return self._commission
        if row is None or (row.params, row.inputs) == (self.job.params, self.job.inputs):
            return self._commission
        self.job.params, self.job.inputs = row.params, row.inputs
        weights = [float(row.inputs[role].get("weight", 1.0)) for role in pictures.styles_of(row)]
        styles = tuple(replace(style, weight=weight) for style, weight in zip(self._commission.styles, weights, strict=True))
        return replace(self._commission, params=StyleParams.model_validate(row.params), styles=styles)

    def live(self, progress: Progress) -> Painting:
        if progress.iteration > self._iteration:
            self._recorder.changed(progress.iteration, self._in_effect, self._asked_for)
            self._in_effect = self._asked_for
            moment = time.monotonic()
            self._step, self._stepped = moment - self._stepped, moment
        self._iteration = progress.iteration
        self._told = self._recorder.record(progress)
        return self._told

    def snapshot(self, job: Job) -> JobEvent:
        return job_events.snapshot(job)

    def keep(self, progress: Progress) -> dict[str, Any]:
        """Store a preview when one is due, and the state."""
        columns = self._preview(progress)
        if progress.save and self._state_is_due(progress):
            began = time.monotonic()
            try:
                columns |= self.put_down(progress)
                self._last_state = self._stepped
            except (Unavailable, StorageFull, OSError) as error:
                # What cannot be stored now is not made again at each step.
                self._last_state = began
                log.warning("state not stored, the one before it is good: job=%s %s", self.job.id, error)
            # What storing takes is no part of an iteration.
            self._stepped += time.monotonic() - began
        return columns

    def _state_is_due(self, progress: Progress) -> bool:
        """Whether there is a newer state than the stored one, and another iteration without it would be too long."""
        if self._stored_at == self._iteration:
            return False
        waited = time.monotonic() - self._last_state
        # How long the first iteration of a larger scale takes is not known before.
        return progress.ends_scale or waited + self._step >= self.clients.settings.checkpoint_seconds

    def kept(self, row: Job) -> None:
        before, self._left = self._left, checkpoints.left_of(row)
        if self._left and (before is None or before.name != self._left.name):
            self._stored_at = self._left.live.iteration
        if before and before.name != (self._left.name if self._left else None):
            self._delete({before.name})
        if before and before.result and before.result != (self._left.result if self._left else row.result):
            self._delete({before.result})
        self._discard(set())

    def put_down(self, progress: Progress) -> dict[str, Any]:
        if progress.save is None or self._stored_at == self._iteration:
            return {}
        # Two names take turns: what the row names is whole at every moment.
        number = 1 if self._left and self._left.name == checkpoints.name(self.job.attempt, 0) else 0
        name = checkpoints.name(self.job.attempt, number)
        before = self._left or Left(name=name, live=Painting(), frames=[])
        left = before.model_copy(update={"name": name, "live": self._told, "frames": self._run})
        self.clients.blobs.put(self._key(left.name), checkpoint_file.encode(progress.save(), checkpoint_file.fingerprint(self.job)))
        # Workers that die again and again are no reason to give up a picture that gets on.
        advances = {"crashes": 0} if self._told.iteration > before.live.iteration else {}
        return {"checkpoint": left.model_dump(mode="json"), **advances}

    def held(self, outcome: Outcome, columns: dict[str, Any]) -> dict[str, Any]:
        """A paused job has its best picture at hand, so that it can end without a worker."""
        left = Left.model_validate(columns["checkpoint"]) if columns else self._left
        if left is None or not self._frames.count:
            return columns
        picture = {"result": self._stored(outcome), "facts": self._facts(outcome), "held_at": left.live.iteration, "held_live": left.live}
        left = left.model_copy(update={**picture, "frames": self._run})
        return {**columns, "checkpoint": left.model_dump(mode="json")}

    @property
    def is_ending(self) -> bool:
        return self._left is not None and self._left.ending is not None

    def to_end(self, reason: str) -> tuple[Painting, dict[str, Any]] | None:
        if self._unusable and self._stored_at is None:
            return None
        return checkpoints.to_end(self.job, self._left, reason)

    def salvaged(self, reason: str = "") -> tuple[Painting, dict[str, Any]] | None:
        return checkpoints.held_of(self._left, reason)

    def surpassed(self) -> tuple[Painting, dict[str, Any]] | None:
        # What was stored could not be gone on from, so that the picture of the pause shows more.
        is_behind = self._left is not None and self._iteration < (self._left.held_at or 0)
        return checkpoints.held_of(self._left, self._reason) if is_behind else None

    def _preview(self, progress: Progress) -> dict[str, Any]:
        """Store a preview when one is due. Numbers go on, so that URLs never repeat."""
        moment = time.monotonic()
        due = moment - self._last_preview >= self.clients.settings.preview_seconds or progress.stage == "finish"
        if progress.preview is None or not due:
            return {}
        self._last_preview = moment
        name = pictures.preview_name(self.job.attempt, self._frames.count + 1)
        self.clients.blobs.put(self._key(name), encode.preview(progress.preview))
        self._discard(self._frames.add(Frame(progress.iteration, name)))
        return {"preview": name}

    def has_something(self, progress: Progress) -> bool:
        return progress.preview is not None or self._frames.count > 0

    def is_coming_back(self, progress: Progress) -> bool:
        return self._resume is not None and not self.has_something(progress)

    def is_finishing(self, progress: Progress) -> bool:
        return progress.stage == "finish"

    def cut_short(self, live: Live, reason: str) -> Painting:
        self._reason = reason
        return checkpoints.explained(self._told, reason)

    def result(self, outcome: Outcome, *, cancelled: bool, stopped: bool) -> dict[str, Any] | None:
        if cancelled and not self._frames.count and self._resume is None:
            return None
        name = self._stored(outcome)
        return {"result": name, "facts": self._facts(outcome), "frames": self._run, "stopped_early": stopped}

    def follow_up(self, session: Session, job: Job) -> Job | None:
        """A finished picture gets its verdict, but not one of a dataset, nor one that its owner has thrown away."""
        if job.result is None or job.parent is not None or job.deleted_at is not None:
            return None
        verdict, queued = repository.ensure_verdict(session, job)
        return verdict if queued else None

    def ended(self, row: Job) -> None:
        self._ended = row

    def close(self) -> None:
        if self._ended:
            checkpoints.forget(self.clients.blobs, self._ended)
        kept = {frame.name for frame in self._frames.run[-1:]} | {
            str(frame["name"]) for frame in (self._ended and self._ended.frames) or []
        }
        self._delete((self._frames.names | self._passed) - kept - self._named)

    @property
    def _keeps_run(self) -> bool:
        """Of a dataset's pictures there may be thousands, and nobody scrubs through their making."""
        return self.job.parent is None

    @property
    def _run(self) -> list[dict[str, Any]]:
        return [asdict(frame) for frame in self._frames.run] if self._keeps_run else []

    @property
    def _named(self) -> set[str]:
        """Frames that the row's checkpoint names, for an attempt after this one."""
        return {str(frame["name"]) for frame in self._left.frames} if self._left and not self._ended else set()

    def _discard(self, names: set[str]) -> None:
        """Delete frames, but those that the row's checkpoint names only after the next one."""
        passed = self._passed | names
        self._passed = passed & self._named
        self._delete(passed - self._passed)

    def _stored(self, outcome: Outcome) -> str:
        name, picture = pictures.result_name(self.job.attempt), outcome.picture
        finish = Finish.usual(self._commission.params)
        if self.job.parent is not None and finish != Finish():
            # A dataset's pictures are read as they lie: nobody finishes them afterwards.
            scale = np.float32(255 if picture.dtype == np.uint8 else 1)
            picture = finishing.finished_on(picture.astype(np.float32) / scale, self._commission.content, finish)
        self.clients.blobs.put(self._key(name), encode.png(picture) if picture.dtype == np.uint8 else encode.png16(picture))
        return name

    def _facts(self, outcome: Outcome) -> dict[str, Any]:
        told = self._recorder.facts
        notes = checkpoints.noted(told["notes"], self._reason)
        return {**outcome.facts, **told, "notes": notes, **self._began, "settings": dict(self._in_effect)}

    def _key(self, name: str) -> str:
        return pictures.key(self.job.id, name)

    def _delete(self, names: set[str]) -> None:
        for name in names:
            self.clients.blobs.delete(self._key(name))
