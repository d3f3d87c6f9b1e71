"""A verdict as the page shows it: its row and newest event, its cards, and the run it tells of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from app.core.verdicts import ROLES, FrameScore, Judgement, Role, Verdict
from app.jobs import pictures
from app.jobs.models import Job, State
from app.jobs.verdict_events import VerdictEvent, snapshot
from app.web import heat, run_plot
from app.web.detector_words import shipped_digest
from app.web.judgement_view import DECISIONS, Card, percent
from app.web.result_size import result_size
from app.web.run_plot import RunPlot

STAGES = {"prepare": "Waking the detector", "judge": "Looking at the pictures", "frames": "Looking back over the run"}
_SAID = {
    State.QUEUED: "The verdict waits for its turn.",
    State.RUNNING: "The verdict is being made.",
    State.CANCELLED: "There is no verdict.",
}


@dataclass(frozen=True)
class Frame:
    """A kept picture of the run."""

    iteration: int
    picture: str
    percent: str
    decision: str

    @property
    def said(self) -> str:
        return f"Iteration {self.iteration}: {self.percent}, {self.decision}"


@dataclass(frozen=True)
class VerdictView:
    """``job`` is the verdict's own row, ``about`` the row whose pictures were judged: another one, or the same."""

    job: Job
    about: Job
    event: VerdictEvent

    @property
    def id(self) -> str:
        return self.job.id

    @property
    def url(self) -> str:
        return f"/verdicts/{self.job.id}"

    @property
    def page(self) -> str:
        """The page it is shown on."""
        return self.url if self.alone else f"/jobs/{self.about.id}"

    @property
    def download(self) -> str:
        return f"/api/verdicts/{self.job.id}/report"

    @property
    def live(self) -> bool:
        return self.event.state in (State.QUEUED, State.RUNNING)

    @property
    def look(self) -> str:
        """What decides which parts are on the page; only when it changes are all of them drawn again."""
        return self.event.state

    @property
    def alone(self) -> bool:
        """A picture that was given alone, not those of a job."""
        return self.job.parent is None

    @property
    def title(self) -> str:
        """What was judged, by name."""
        shown = [pictures.ALONE] if self.alone else ["content", *pictures.styles_of(self.about)]
        return " × ".join(str(self.about.inputs[role]["name"]) for role in shown)

    @property
    def heading(self) -> str:
        """The verdict in a word or two."""
        if self.verdict:
            return self.cards[-1].decision
        return {State.FAILED: "Failed", State.CANCELLED: "Cancelled"}.get(self.event.state, "Being judged")

    @property
    def thumbnail(self) -> str:
        return pictures.url(self.about, pictures.thumbnail_name(pictures.ALONE))

    @property
    def result_size(self) -> tuple[int, int]:
        return result_size(self.about)

    @property
    def percent(self) -> int:
        return int(self.event.percent)

    @property
    def stage(self) -> str:
        if self.event.silent:
            return "The judge does not answer. If it stays away, the verdict begins again by itself"
        if self.event.state == State.QUEUED:
            return "Waiting for its turn"
        return STAGES[self.event.stage or "prepare"]

    @property
    def ramp(self) -> list[float]:
        """Strengths in which maps are drawn, for their legend."""
        return heat.RAMP

    @cached_property
    def verdict(self) -> Verdict | None:
        """What was said, once it was."""
        return Verdict.model_validate(self.job.report) if self.event.state == State.DONE and self.job.report else None

    @property
    def by_own_detector(self) -> bool:
        """Tell whether a detector of the Lab spoke: what the shipped one states of itself is then not its own."""
        return self.verdict is not None and any(one.detector != shipped_digest() for one in self.verdict.judgements.values())

    @property
    def banded(self) -> bool:
        """Tell whether the detector leaves a band of probabilities undecided."""
        return self.verdict is not None and any(one.band.low < one.band.high for one in self.verdict.judgements.values())

    @cached_property
    def cards(self) -> list[Card]:
        """One for each picture, in order; without a judgement until there is one."""
        judgements: Mapping[Role, Judgement] = self.verdict.judgements if self.verdict else {}
        scale = heat.scale_of(judgement.evidence for judgement in judgements.values())
        made = []
        for role, (name, picture, size) in self._pictures().items():
            judgement = judgements.get(role)
            drawn = heat.draw(judgement.evidence, scale) if judgement else None
            made.append(Card(role, name, picture, size, judgement, drawn))
        return made

    @property
    def said(self) -> str:
        """The verdict in a few words, for whoever cannot see it."""
        if self.event.state == State.FAILED:
            return f"The verdict failed. {self.event.error or ''}".strip()
        told = [card for card in self.cards if card.judgement]
        if not told:
            return _SAID.get(self.event.state, "There is no verdict.")
        return f"Verdict: {told[-1].decision.lower()}, {told[-1].percent}."

    @cached_property
    def frames(self) -> list[Frame]:
        if self.verdict is None:
            return []
        band = next(iter(self.verdict.judgements.values())).band
        return [
            Frame(
                frame.iteration,
                pictures.url(self.about, frame.name),
                percent(frame.probability),
                DECISIONS[band.decide(frame.probability)].lower(),
            )
            for frame in self._scores
        ]

    @property
    def plot(self) -> RunPlot | None:
        if self.verdict is None:
            return None
        band = next(iter(self.verdict.judgements.values())).band
        return run_plot.draw(self._scores, band, self.verdict.became)

    @property
    def turning(self) -> str:
        """Where the run became stylised, in words."""
        became = self.verdict.became if self.verdict else None
        if became is None:
            return "None of its steps to the end counts as stylised."
        if became == self._scores[0].iteration:
            return "Stylised from its first picture on."
        return f"Becomes stylised at iteration {became}."

    @property
    def _scores(self) -> tuple[FrameScore, ...]:
        return self.verdict.frames if self.verdict else ()

    def _pictures(self) -> dict[Role, tuple[str, str, tuple[int, int]]]:
        """Return name, address and size of each picture that is judged."""
        about, found = self.about, {}
        for role in ROLES:
            if role in about.inputs:
                facts = about.inputs[role]
                # A picture that stands alone is shown large, the others small.
                stored = pictures.input_name(role) if self.alone else pictures.thumbnail_name(role)
                found[role] = str(facts["name"]), pictures.url(about, stored), (int(facts["width"]), int(facts["height"]))
            elif role == "result" and about.result:
                found[role] = "", pictures.url(about, about.result), result_size(about)
        return found

    def shown(self, event: VerdictEvent) -> VerdictView:
        return VerdictView(self.job, self.about, event)


def view(job: Job, about: Job, event: VerdictEvent | None = None) -> VerdictView:
    return VerdictView(job, about, event or snapshot(job))
