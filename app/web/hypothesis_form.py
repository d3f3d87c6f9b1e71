"""The form of a hypothesis's study as data, and from a received form to a study."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from pydantic import ValidationError

from app.core.errors import InputError, ParameterError, PentimentoError
from app.core.features import FEATURES
from app.core.hypothesis import HypothesisSpec
from app.imaging.decode import DecoderPool
from app.imaging.normalise import Decoded
from app.imaging.opening import Opening
from app.jobs.models import Job
from app.lab.hypotheses import PARTS, HypothesisService
from app.web.option import Option, as_text, from_spec
from app.web.samples import Sample, Samples
from app.web.submission import RejectedForm
from app.web.uploads import Form, Upload, too_large

FIELDS = HypothesisSpec.model_fields
PART_TITLES = {"seen": "Styles to train with", "unseen": "Styles kept for the test"}
_GROUPS: dict[str, tuple[str, ...]] = {
    "Pictures": ("train_domain", "features", "per_class", "test_share"),
    "Augmentation": ("copies", "size", "strength"),
    "Training": ("rounds", "batch_size", "classify"),
    "How it is tested": ("seeds", "seed", "resamples"),
}
_WORDS = {**{name: one.title for name, one in FEATURES.items()}, "embedding": "The embedding"}


@dataclass
class HypothesisForm:
    """Everything the form shows. ``errors`` as in ``FormState``; ``samples`` are those chosen, by part."""

    dataset: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    samples: Mapping[str, Sequence[str]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def groups(self) -> list[tuple[str, list[Option]]]:
        named = {name for names in _GROUPS.values() for name in names}
        groups = [(title, [self._option(name) for name in names]) for title, names in _GROUPS.items()]
        groups[-1][1].extend(self._option(name) for name in FIELDS if name not in named)
        return groups

    @property
    def options_open(self) -> bool:
        """The fold stands open where something inside needs attention, or is not as usual."""
        return any(name in FIELDS for name in self.errors) or any(value != _usual(name) for name, value in self.values.items())

    @property
    def wrong(self) -> list[tuple[str, str]]:
        """Each wrong field's id on the page with its message, as they follow each other there.

        The archive is sent by a form of its own, which has its error beside its only field.
        """
        places = ["dataset", *PARTS, *(one.id for _, options in self.groups for one in options)]
        return [(name, self.errors[name]) for name in places if name in self.errors]

    @property
    def archive_error(self) -> str:
        return self.errors.get("archive", "")

    @property
    def first_wrong(self) -> str:
        return next((name for name, _ in self.wrong), "")

    def _option(self, name: str) -> Option:
        return from_spec(name, FIELDS[name], self.values.get(name, _usual(name)), _WORDS)


class HypothesisDesk:
    """Takes studies of the hypothesis; the page and the API take the same form."""

    def __init__(self, service: HypothesisService, samples: Samples, decoders: DecoderPool, max_bytes: int) -> None:
        self._service = service
        self._samples = samples
        self._decoders = decoders
        self._max_bytes = max_bytes

    def submit(self, form: Form, owner: str) -> Job:
        """Queue the study that a form asks for; without styles the samples are used, half of them for the test.

        Raises:
            RejectedForm: with every error found.
        """
        self._service.admit(owner)
        errors: list[PentimentoError] = []
        dataset = form.fields.get("dataset", "")
        if not dataset:
            errors.append(InputError("Choose a dataset of labelled folders.", field="dataset"))
        spec = HypothesisSpec()
        try:
            spec = HypothesisSpec.model_validate({name: form.fields[name].strip() for name in FIELDS if form.fields.get(name, "").strip()})
        except ValidationError as error:
            errors.extend(_in_words(error))
        styles: dict[str, list[tuple[str, Callable[[], Decoded]]]] = {}
        opening = Opening(self._decoders)
        usual = self.halves() if not any(form.uploads.get(part) or form.fields.get(f"{part}_sample") for part in PARTS) else {}
        for part in PARTS:
            try:
                styles[part] = self._styles(form, part, usual.get(part, []), opening)
            except InputError as error:
                errors.append(error)
        if errors:
            raise RejectedForm(errors)
        return self._service.ask(owner, dataset, spec, styles)

    def state(self, form: Form, error: PentimentoError) -> HypothesisForm:
        """Return the form as it was filled in, with the messages of ``error``."""
        values = {name: form.fields[name].strip() for name in FIELDS if name in form.fields}
        shown = HypothesisForm(form.fields.get("dataset", ""), values, {part: form.values.get(f"{part}_sample", []) for part in PARTS})
        for one in error.errors if isinstance(error, RejectedForm) else [error]:
            shown.errors.setdefault(one.field or "", one.message)
        return shown

    def refused(self, form: Form, error: PentimentoError) -> HypothesisForm:
        """Return the form beside an archive that was refused, with what was chosen in it, or as it is at first."""
        if any(f"{part}_sample" in form.values for part in PARTS):
            shown = self.state(form, error)
        else:
            shown = HypothesisForm(form.fields.get("dataset", ""), samples=self.halves())
        shown.errors = {"archive": error.message}
        return shown

    def halves(self) -> dict[str, list[str]]:
        """Return names of the sample styles, every second one kept for the test."""
        offered: list[Sample] = self._samples.of("style")
        return {part: [one.name for one in offered[place :: len(PARTS)]] for place, part in enumerate(PARTS)}

    def _styles(self, form: Form, part: str, usual: Sequence[str], opening: Opening) -> list[tuple[str, Callable[[], Decoded]]]:
        """Return name and picture of each, of which none has been read yet."""
        if form.cut_off_at == part:
            raise too_large(self._max_bytes, part)
        found: list[tuple[str, Callable[[], Decoded]]] = []
        for upload in form.uploads.get(part, []):
            if upload.too_large or upload.size > self._max_bytes:
                raise InputError(f"{upload.name}: {too_large(self._max_bytes, part).message}", field=part)
            found.append((upload.name, partial(_opened, opening, upload, part)))
        names = dict.fromkeys([*form.values.get(f"{part}_sample", []), *usual])
        found += [(self._samples.find("style", name).title, partial(self._sample, opening, name, part)) for name in names if name]
        return found

    def _sample(self, opening: Opening, name: str, part: str) -> Decoded:
        return opening.decode(self._samples.read("style", name)[1], field=part)


def _opened(opening: Opening, upload: Upload, part: str) -> Decoded:
    return opening.decode(upload.read(), field=part)


def _usual(name: str) -> str:
    return as_text(FIELDS[name].default)


def _in_words(error: ValidationError) -> list[PentimentoError]:
    """Return one error a field."""
    found: dict[str, PentimentoError] = {}
    for one in error.errors():
        name = str(one["loc"][0])
        said = f"{FIELDS[name].title}: {one['msg'][:1].lower()}{one['msg'][1:]}. Received: {one['input']!r}."
        found.setdefault(name, ParameterError(said, field=name))
    return list(found.values())
