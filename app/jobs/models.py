"""A job's row, whatever its kind. It is the truth; messages and streams only point at it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Boolean, Float, Index, Integer, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.database import Base

# A job's kind names its queue; its task is named beside it.
STYLIZE = "stylize"
VERDICT = "verdict"
EXPERIMENT = "experiment"
TASKS = {kind: f"pentimento.{kind}" for kind in (STYLIZE, VERDICT, EXPERIMENT)}


class State(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


TERMINAL = frozenset({State.DONE, State.FAILED, State.CANCELLED})


class Job(Base):
    __tablename__ = "jobs"
    __table_args__ = (
        Index(None, "kind", "state", "created_at"),
        Index(None, "owner", "created_at"),
        Index(None, "parent"),
        Index(None, "continues"),
        # At most one verdict a job, whoever commits it.
        Index("uq_jobs_verdict", "parent", unique=True, sqlite_where=text("kind = 'verdict'"), postgresql_where=text("kind = 'verdict'")),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    owner: Mapped[str] = mapped_column(String(32))
    # What it belongs to: a verdict to its picture's job, a dataset's picture to its batch.
    parent: Mapped[str | None] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16), default=State.QUEUED)

    preset: Mapped[str] = mapped_column(String(32))
    params: Mapped[dict[str, Any]] = mapped_column(JSON)
    # {"content": {"name", "width", "height", "sha256"}, "style": {…}}; a picture given alone is called "picture".
    # With "key" and "thumbnail" the files lie in a dataset instead of the job's own folder.
    inputs: Mapped[dict[str, Any]] = mapped_column(JSON)

    # Fencing: every write of a worker names the attempt of its claim.
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    crashes: Mapped[int] = mapped_column(Integer, default=0)
    lease_until: Mapped[float | None] = mapped_column(Float)
    stop_requested: Mapped[bool] = mapped_column(Boolean, default=False)
    cancel_requested: Mapped[bool] = mapped_column(Boolean, default=False)
    pause_requested: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    # Where the next attempt goes on, see ``app.jobs.checkpoints``.
    checkpoint: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    # The job whose result this one began from.
    continues: Mapped[str | None] = mapped_column(String(32))

    # The live part of the newest event, so that a reload shows what was there.
    progress: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    preview: Mapped[str | None] = mapped_column(String(64))
    result: Mapped[str | None] = mapped_column(String(64))
    # Pictures kept of the run, in order: [{"iteration", "name"}].
    frames: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    # What a finished verdict or experiment says.
    report: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    # What the receipt states about the engine: weights, versions, precision, iterations.
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    stopped_early: Mapped[bool] = mapped_column(Boolean, default=False)
    error: Mapped[str | None] = mapped_column(Text)

    # Seconds since 1970 by the database's clock.
    created_at: Mapped[float] = mapped_column(Float)
    started_at: Mapped[float | None] = mapped_column(Float)
    finished_at: Mapped[float | None] = mapped_column(Float)
    deleted_at: Mapped[float | None] = mapped_column(Float)
    # When it was last brought back: its age counts from then.
    restored_at: Mapped[float | None] = mapped_column(Float)

    @property
    def terminal(self) -> bool:
        return self.state in TERMINAL
