"""What differs between kinds of jobs, while the life around them is the same."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy.orm import Session

from app.infra.clients import Clients
from app.jobs.events import Event, Live
from app.jobs.models import Job

# What an engine is given, what it tells while it works, and what it gives back.
A = TypeVar("A")
P = TypeVar("P")
O = TypeVar("O")  # noqa: E741 - the outcome


class Kind(ABC, Generic[A, P, O]):
    """One attempt at a job, as its kind sees it: made when the job is claimed, closed when the attempt ends.

    Attributes:
        name: the jobs it takes, and their queue.
        too_large: told when memory runs out.
        broken: told when something unforeseen happens; the log has the rest.
        empty: told when the engine stopped before it had anything.
    """

    name: ClassVar[str]
    too_large: ClassVar[str]
    broken: ClassVar[str]
    empty: ClassVar[str]

    def __init__(self, clients: Clients, job: Job) -> None:
        self.clients = clients
        self.job = job

    @abstractmethod
    def assignment(self) -> A:
        """Read what the engine is given."""

    def begin(self) -> Live:
        """Return the figures to begin with: those of an earlier attempt where this one goes on from it."""
        return Live()

    @abstractmethod
    def live(self, progress: P) -> Live:
        """Return the figures of the newest event. Called for each record, in order."""

    @abstractmethod
    def snapshot(self, job: Job) -> Event:
        """Return the row as an event."""

    @abstractmethod
    def result(self, outcome: O, *, cancelled: bool, stopped: bool) -> dict[str, Any] | None:
        """Store what was made and return the row's columns, or None where nothing is to be kept. May be called again."""

    def cut_short(self, live: Live, reason: str) -> Live:
        """Note why the job ends before its time, which ``result`` is to tell, and return ``live`` with it where a kind has notes."""
        return live

    def keep(self, progress: P) -> dict[str, Any]:
        """Store what should be seen at once and return the row's columns; nothing for most records."""
        return {}

    def kept(self, row: Job) -> None:
        """Put away what ``row``, just written, names no more."""

    def put_down(self, progress: P) -> dict[str, Any]:
        """Store the state after this step for the next attempt, and return the row's columns; nothing where that begins anew."""
        return {}

    def held(self, outcome: O, columns: dict[str, Any]) -> dict[str, Any]:
        """Store the picture so far of a job that pauses; ``columns`` are those of ``put_down``. May be called again."""
        return columns

    @property
    def is_ending(self) -> bool:
        """Whether this attempt was only to end the job with what another has stored."""
        return False

    def to_end(self, reason: str) -> tuple[Live, dict[str, Any]] | None:
        """Return figures and the row's columns with which another attempt ends the job with what this one has stored; None: that is nothing.

        Args:
            reason: why this attempt gets no further, which that one is to tell.
        """
        return None

    def salvaged(self, reason: str = "") -> tuple[Live, dict[str, Any]] | None:
        """Return figures and the row's columns of what an earlier attempt made, for one that comes to nothing; None: there is nothing.

        Args:
            reason: to be told beside it, where it is not what was asked for.
        """
        return None

    def surpassed(self) -> tuple[Live, dict[str, Any]] | None:
        """Return what ``salvaged`` does where that shows more than this attempt has made; else None."""
        return None

    def has_something(self, progress: P) -> bool:
        """Tell whether stopping now would leave something: until then a stop waits."""
        return True

    def is_coming_back(self, progress: P) -> bool:
        """Tell whether what an earlier attempt made is about to be there again: until then a cancel waits."""
        return False

    def is_finishing(self, progress: P) -> bool:
        """Tell whether the work is as good as done: too late to stop, and a pity to give back."""
        return False

    def follow_up(self, session: Session, job: Job) -> Job | None:
        """Add the job that follows from this one's end, in the transaction that ends it."""
        return None

    def ended(self, row: Job) -> None:
        """The job has ended, as ``row`` says; that is committed."""

    def close(self) -> None:
        """Put away what only a running attempt needs."""
