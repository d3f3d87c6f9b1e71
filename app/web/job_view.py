"""A job as the page shows it: its row and newest event, put into words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from app.core.finish import Finish
from app.core.specs import PRESETS, StyleParams
from app.imaging.receipt import Receipt
from app.jobs import pictures
from app.jobs.finishing import usual
from app.jobs.going_on import can_be_changed, can_have_more, larger_than
from app.jobs.job_events import JobEvent, picture_url, snapshot
from app.jobs.models import TERMINAL, Job, State
from app.jobs.receipts import receipt_of
from app.web.balance import BALANCE, MORE, Slider, paintings, parameters
from app.web.curves import Curve, draw
from app.web.form import CHOICES, PAINTINGS, PICTURES, option, values_of
from app.web.option import Option, as_text, from_spec
from app.web.result_size import result_size
from app.web.verdict_view import VerdictView

STAGES = {
    "prepare": "Preparing the pictures",
    "adain": "Laying the first colours",
    "refine": "Refining the brush work",
    "finish": "Finishing",
}
CURVES: tuple[tuple[str, Literal["content", "style"]], ...] = (("Content", "content"), ("Style", "style"))
# Of the finished picture on the page: a larger one is there to be downloaded.
_SHOWN_SIDE = 2048


@dataclass(frozen=True)
class JobView:
    job: Job
    event: JobEvent
    verdict: VerdictView | None = None
    asked: Finish | None = None
    lineage: tuple[tuple[str, str], ...] = ()

    @property
    def id(self) -> str:
        return self.job.id

    @property
    def url(self) -> str:
        return f"/jobs/{self.job.id}"

    @property
    def larger(self) -> int | None:
        """The longer side that the picture can be painted at from here, if there is one."""
        return larger_than(int(self.job.params["size"]))

    @property
    def more(self) -> bool:
        """Whether more iterations would paint anything."""
        return can_have_more(self.job)

    @property
    def steerable(self) -> bool:
        return can_be_changed(self.job)

    @property
    def sliders(self) -> list[Slider]:
        return [*parameters(StyleParams.model_validate(self.job.params), BALANCE), *paintings(self.job)]

    @property
    def more_sliders(self) -> list[Slider]:
        """Those that stand under a fold."""
        return parameters(StyleParams.model_validate(self.job.params), MORE)

    @property
    def changes(self) -> list[str]:
        """What was changed on the way, in words."""
        titles = {name: spec.title or name for name, spec in StyleParams.model_fields.items()}
        for number, role in enumerate(pictures.styles_of(self.job), start=1):
            titles[f"weight_{number}"] = f"Weight of the {PAINTINGS[role].lower()}"
        return [
            f"{titles.get(one.name, one.name)} {one.before:.3g} → {one.after:.3g} from iteration {one.iteration}"
            for one in self.event.changes
        ]

    @property
    def look(self) -> str:
        """What decides which parts are on the page; only when it changes are all of them drawn again."""
        flags = {"stopping": self.event.stopping, "pausing": self.event.pausing, "picture": bool(self.event.preview)}
        followed = [f"changed-{one.iteration}" for one in self.event.changes[-1:]]
        return "-".join([self.event.state, *(name for name, holds in flags.items() if holds), *followed])

    @property
    def live(self) -> bool:
        return self.event.state not in TERMINAL

    @property
    def recoloured(self) -> bool:
        """Whether the finished picture has other colours than what is seen on the way."""
        return usual(self.job).colours == "photograph"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the result, so that its place is kept free."""
        return result_size(self.job)

    @property
    def title(self) -> str:
        return f"{self.job.inputs['content']['name']} × {self.paintings}"

    @property
    def paintings(self) -> str:
        """The paintings' names: "waves", "waves and night", "waves, night and poppies"."""
        *others, last = (str(self.job.inputs[role]["name"]) for role in pictures.styles_of(self.job))
        return f"{', '.join(others)} and {last}" if others else last

    @property
    def given(self) -> list[tuple[str, str, str]]:
        """What it was made of: title, thumbnail and what is to be said of each picture."""
        return [(PICTURES[role], self.thumbnail(role), _said(self.job, role)) for role in pictures.given(self.job)]

    @property
    def preset(self) -> str:
        known = PRESETS.get(self.job.preset)
        return known.title if known else self.job.preset

    @property
    def stage(self) -> str:
        if self.event.silent:
            return "The painter does not answer. If it stays away, the picture goes on from its last checkpoint"
        if self.event.stopping:
            return "Waiting for a painter to end it" if self.event.state == State.QUEUED else "Stopping after this step"
        if self.event.pausing:
            return "Pausing after this step"
        if self.event.state == State.PAUSED:
            return "Paused"
        if self.event.state == State.QUEUED:
            return "Waiting for its turn"
        return STAGES.get(self.event.stage or "", "Starting")

    @property
    def curves(self) -> list[tuple[str, str, Curve]]:
        drawn = ((title, term, draw(self.event.curve, term, self.event.iterations)) for title, term in CURVES)
        return [(title, term, curve) for title, term, curve in drawn if curve is not None]

    @property
    def percent(self) -> int:
        return int(self.event.percent)

    @property
    def before(self) -> str:
        return picture_url(self.id, pictures.input_name("content"))

    @property
    def finish(self) -> Finish:
        """How the picture is shown: as it was asked for, or as its parameters say."""
        return self.asked or usual(self.job)

    @property
    def finish_options(self) -> list[Option]:
        values = {name: as_text(value) for name, value in self.finish.model_dump().items()}
        return [from_spec(name, spec, values[name], CHOICES) for name, spec in Finish.model_fields.items()]

    @property
    def finished(self) -> str:
        """Where the finished picture is; a size or a format may follow. Names the stored one, so that another is asked for anew."""
        return f"/api/jobs/{self.id}/finished?strength={self.finish.strength:g}&colours={self.finish.colours}&of={self.job.result}"

    @property
    def after(self) -> str | None:
        return f"{self.finished}&side={_SHOWN_SIDE}" if self.job.result else None

    @property
    def picture(self) -> str | None:
        """The newest picture there is."""
        return self.after or self.event.preview

    def thumbnail(self, role: str) -> str:
        return picture_url(self.id, pictures.thumbnail_name(role))

    @property
    def options(self) -> list[Option]:
        params = self.receipt.parameters if self.job.result else StyleParams.model_validate(self.job.params)
        return [option(name, value) for name, value in values_of(params).items()]

    @property
    def receipt(self) -> Receipt:
        return receipt_of(self.job, self.verdict.job if self.verdict else None)

    def shown(self, event: JobEvent) -> JobView:
        return replace(self, event=event)


def _said(job: Job, role: str) -> str:
    """Return a picture's name; of a painting among several its share, too."""
    facts = job.inputs[role]
    total = sum(float(job.inputs[style].get("weight", 0.0)) for style in pictures.styles_of(job))
    return f"{facts['name']}, {float(facts['weight']) / total:.0%}" if "weight" in facts and total else str(facts["name"])


def view(job: Job, event: JobEvent | None = None, verdict: VerdictView | None = None) -> JobView:
    return JobView(job, event or snapshot(job), verdict)
