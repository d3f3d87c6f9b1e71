"""The form of a new dataset as data: what is offered, what was filled in, and the messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.core.errors import PentimentoError
from app.core.specs import PRESETS, StyleParams
from app.jobs.models import Job
from app.web.dataset_form import CHANGES, DEFAULT_GENERATOR
from app.web.form import GROUPS, ROLES, option
from app.web.job_view import JobView, view
from app.web.option import Option
from app.web.submission import RejectedForm
from app.web.uploads import Form

# Features are taken at 299 pixels: more would be thrown away.
_SIZE = "320"
_TITLES = {"content": "Contents", "style": "Styles"}


@dataclass(frozen=True)
class Offer:
    """A preset as a generator, with the seconds that a picture took here, by its longer side."""

    name: str
    title: str
    help: str
    seconds: Mapping[int, float]


@dataclass
class DatasetForm:
    """Everything the form shows. ``errors`` is by field name; "" is the form as a whole.

    Attributes:
        jobs: finished ones whose pictures may be taken over.
        measured: seconds a picture took here, by preset and longer side.
    """

    jobs: Sequence[Job] = ()
    measured: Mapping[tuple[str, int], float] = field(default_factory=dict)
    presets: Sequence[str] = (DEFAULT_GENERATOR,)
    values: dict[str, str] = field(default_factory=lambda: {"size": _SIZE})
    samples: Mapping[str, Sequence[str]] = field(default_factory=dict)
    taken: Sequence[str] = ()
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def roles(self) -> dict[str, str]:
        return _TITLES

    @property
    def offers(self) -> list[Offer]:
        return [
            Offer(one.name, one.title, one.help, {side: seconds for (name, side), seconds in self.measured.items() if name == one.name})
            for one in PRESETS.values()
        ]

    @property
    def size(self) -> Option:
        return option("size", self.values.get("size", ""))

    @property
    def groups(self) -> list[tuple[str, list[Option]]]:
        """Parameters of all generators: an empty one is as the preset has it."""
        shown = [
            (title, [name for name in names if name in CHANGES and name not in ("size", "iterations")]) for title, names in GROUPS.items()
        ]
        return [(title, [option(name, self.values.get(name, "")) for name in names]) for title, names in shown]

    @property
    def options_open(self) -> bool:
        """The fold stands open where something inside needs attention."""
        return any(name in StyleParams.model_fields and name != "size" for name in self.errors)

    @property
    def done(self) -> list[JobView]:
        return [view(job) for job in self.jobs]

    @property
    def wrong(self) -> list[tuple[str, str]]:
        """Each wrong field's id on the page with its message, as they follow each other there."""
        places = {
            **{name: name for role in ROLES for name in (role, f"{role}_sample")},
            "archive": "archive",
            "job": "job-error",
            "preset": "preset-error",
            "strengths": "strengths",
            "size": "size",
            **{one.name: one.id for _, options in self.groups for one in options},
        }
        return [(place.removesuffix("_sample"), self.errors[name]) for name, place in places.items() if name in self.errors]

    @property
    def first_wrong(self) -> str:
        return next((place for place, _ in self.wrong), "")


def refused(form: Form, error: PentimentoError, jobs: Sequence[Job], measured: Mapping[tuple[str, int], float]) -> DatasetForm:
    """Return the form as it was filled in, with the messages of ``error``."""
    state = DatasetForm(
        jobs=jobs,
        measured=measured,
        presets=form.values.get("preset", []) or (DEFAULT_GENERATOR,),
        values={name: form.fields[name] for name in (*CHANGES, "name", "strengths") if name in form.fields},
        samples={role: form.values.get(f"{role}_sample", []) for role in ROLES},
        taken=form.values.get("job", []),
    )
    for one in error.errors if isinstance(error, RejectedForm) else [error]:
        state.errors.setdefault(one.field or "", one.message)
    return state
