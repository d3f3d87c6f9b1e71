"""What the pages of all studies share: where one stands, in words, from its row and its newest event."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Generic, Self, TypeVar

from app.jobs.models import Job, State
from app.lab.experiment_events import ExperimentEvent, ShortSplit
from app.web.option import Option

STATES = {
    State.QUEUED: "Waiting",
    State.RUNNING: "Running",
    State.DONE: "Done",
    State.FAILED: "Failed",
    State.CANCELLED: "Cancelled",
}

R = TypeVar("R")


@dataclass(frozen=True)
class Study(ABC, Generic[R]):
    """A study of the Lab; ``found`` is its report, read from its file only for the page that shows it.

    Attributes:
        NOUN: what it is called in a sentence.
        FOLDER: where its pages and its API lie.
        STAGES: each stage of its work in words.
        BODY: the partial that is drawn again when its look changes.
        MOVING: event and partial of what moves in between.
    """

    job: Job
    event: ExperimentEvent
    found: R | None = None

    NOUN: ClassVar[str]
    FOLDER: ClassVar[str]
    STAGES: ClassVar[Mapping[str, str]]
    BODY: ClassVar[str]
    MOVING: ClassVar[Mapping[str, str]]

    @property
    def id(self) -> str:
        return self.job.id

    @property
    def url(self) -> str:
        return f"/lab/{self.FOLDER}/{self.job.id}"

    @property
    def api(self) -> str:
        return f"/api{self.url}"

    @property
    @abstractmethod
    def name(self) -> str:
        """What is done, without the dataset."""

    @property
    @abstractmethod
    def title(self) -> str: ...

    @property
    def details(self) -> str:
        """What tells it apart from others of its name."""
        return ""

    @property
    def label(self) -> str:
        """Its title with what tells it apart."""
        return f"{self.name}, {self.details}: {self.dataset[1]}" if self.details else self.title

    @property
    def answer(self) -> str:
        """What a list says in words, where figures do not say it all."""
        return ""

    @property
    def headline(self) -> ShortSplit | None:
        """The figures that a list shows."""
        return None

    @property
    def dataset(self) -> tuple[str, str]:
        """Id and name of what it is about."""
        about = self.job.inputs["dataset"]
        return str(about["id"]), str(about["name"])

    @property
    def live(self) -> bool:
        return self.event.state in (State.QUEUED, State.RUNNING)

    @property
    def stopped(self) -> bool:
        return self.job.stopped_early

    @property
    def state(self) -> str:
        return "Stopped early" if self.stopped else STATES[self.event.state]

    @property
    def look(self) -> str:
        """What decides which parts are on the page; only when it changes are all of them drawn again."""
        return f"{self.event.state}{'-stopping' if self.event.stopping else ''}"

    @property
    def percent(self) -> int:
        return int(self.event.percent)

    @property
    def begun(self) -> bool:
        """Its worker has told of a first step: before, there is no time to tell."""
        return self.event.state == State.RUNNING and self.event.stage is not None

    @property
    def stage(self) -> str:
        if self.event.silent:
            return f"The worker does not answer. If it stays away, the {self.NOUN} begins again by itself"
        if self.event.stopping:
            return "Stopping after this step"
        if self.event.state == State.QUEUED:
            return "Waiting for its turn"
        return self.STAGES.get(self.event.stage or "", "Starting")

    @property
    def where(self) -> str:
        """The part of the work that goes on, in words."""
        if self.event.state != State.RUNNING:
            return ""
        return f"{self.event.described} of {self.event.pictures}" if self.event.stage == "describe" else self._running

    @property
    def said(self) -> str:
        """Its state as a sentence, for whoever cannot see it."""
        return {
            State.QUEUED: f"The {self.NOUN} waits for its turn.",
            State.RUNNING: f"The {self.NOUN} has begun.",
            State.DONE: f"The {self.NOUN} is finished. {self._outcome}".strip(),
            State.FAILED: f"The {self.NOUN} failed. {self.event.error or ''}".strip(),
            State.CANCELLED: f"The {self.NOUN} was cancelled.",
        }[self.event.state]

    @property
    @abstractmethod
    def reported(self) -> bool:
        """There is a report of it."""

    @property
    @abstractmethod
    def options(self) -> list[Option]:
        """Every parameter with its value."""

    def shown(self, event: ExperimentEvent) -> Self:
        return replace(self, event=event)

    @property
    @abstractmethod
    def _running(self) -> str:
        """The run that goes on, in words, once pictures are described."""

    @property
    @abstractmethod
    def _outcome(self) -> str:
        """What came of it, in a sentence, or nothing."""
