"""From a received form to a job: both pictures and the parameters, or what is wrong at which field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.core.errors import InputError, NotFound, ParameterError, ParameterErrors, PentimentoError, PictureError, TooSlow
from app.core.ids import is_id
from app.core.specs import DEFAULT_PRESET, PRESETS, StyleParams, resolve
from app.imaging import encode
from app.imaging.normalise import Decoded
from app.imaging.opening import Opening
from app.jobs import pictures
from app.jobs.commissions import region
from app.jobs.given import MOST_WEIGHT, Given
from app.jobs.models import Job
from app.jobs.service import JobService
from app.web.form import OPTIONAL, PICTURES, ROLES, WEIGHTS, FormState, Kept, changes, values_of
from app.web.given_picture import PictureReader
from app.web.option import as_text
from app.web.uploads import Form

# How much of a painting its part has to mark: less says nothing about a style.
_LEAST_PART = 0.001
_PARTS = frozenset(map(pictures.part_of, pictures.STYLES))
_NOT_PARAMETERS = frozenset(
    {
        "preset",
        "shown_preset",
        *WEIGHTS.values(),
        *(f"{role}{part}" for role in PICTURES for part in ("", "_sample", "_kept")),
        *(f"{role}_without" for role in OPTIONAL),
    }
)


class RejectedForm(InputError):
    """Everything that is wrong with a form at once, each error naming its field."""

    def __init__(self, errors: list[PentimentoError]) -> None:
        super().__init__(errors[0].message, field=errors[0].field)
        self.errors = errors
        self.status = errors[0].status
        self.code = errors[0].code


@dataclass(frozen=True)
class Submission:
    given: Given
    preset: str
    params: StyleParams


class Reception:
    """Reads submissions; the page and the API take the same ones."""

    def __init__(self, service: JobService, reader: PictureReader) -> None:
        self._service = service
        self._reader = reader

    def read(self, form: Form, owner: str | None) -> Submission:
        """Return the submission.

        Raises:
            RejectedForm: with every error found.
        """
        errors: list[PentimentoError] = []
        preset = form.fields.get("preset") or DEFAULT_PRESET
        params: StyleParams | None = None
        given: dict[str, tuple[str, Decoded]] = {}
        opening = self._reader.opening()
        for role in PICTURES:
            try:
                found = self._picture(form, role, owner, opening)
                if found is None and role in ROLES:
                    raise PictureError(f"Choose a {ROLES[role].lower()}: a file of your own or one of the samples.", field=role)
                if found is not None and role in _PARTS and region(encode.read_rgb(found[1].thumbnail_jpeg)).mean() < _LEAST_PART:
                    raise PictureError("Next to nothing of the painting is marked. Mark more of it in white, or remove this.", field=role)
                if found is not None:
                    given[role] = found
            except TooSlow as error:
                # Each of the others may take as long.
                errors.append(error)
                break
            except InputError as error:
                errors.append(error)
        weights, wrong = _weights(form)
        errors.extend([*wrong, *_homeless(given)])
        try:
            params = resolve(preset, self._changes(form))
        except ParameterErrors as error:
            errors.extend(error.errors)
        if errors or params is None:
            raise RejectedForm(errors)
        return Submission(Given(given, weights), preset, params)

    def submit(self, form: Form, owner: str, newcomer: bool) -> Job:
        self._service.admit(owner)
        read = self.read(form, None if newcomer else owner)
        return self._service.submit(owner, read.given, read.preset, read.params)

    def state(self, form: Form, owner: str | None, error: PentimentoError) -> FormState:
        """Return the form as it was filled in, with the messages of ``error``."""
        state = FormState(values=self._changes(form))
        state.weights = {role: form.fields[name] for role, name in WEIGHTS.items() if name in form.fields}
        preset = form.fields.get("preset", "")
        state.preset = preset if preset in PRESETS else DEFAULT_PRESET
        for role in PICTURES:
            if _given_up(form, role):
                continue
            name = form.fields.get(f"{role}_sample", "")
            if name in self._reader.samples.by_role.get(role.rstrip("234"), {}):
                state.samples[role] = name
            kept = form.fields.get(f"{role}_kept", "")
            if kept and owner is not None:
                state.kept.update(self._keep(kept, role, owner))
        for one in error.errors if isinstance(error, RejectedForm) else [error]:
            state.errors.setdefault(one.field or "", one.message)
        return state

    def again(self, job: Job) -> FormState:
        """Return the form that would make ``job`` once more, from the beginning: of one that went on, as long as its first picture took."""
        effort = {name: as_text(value) for name, value in self._service.effort(job).items()}
        values = changes({**values_of(StyleParams.model_validate(job.params)), **effort}, job.preset)
        kept = {role: _kept(job, role) for role in pictures.given(job)}
        weights = {role: as_text(job.inputs[role]["weight"]) for role in pictures.styles_of(job) if "weight" in job.inputs[role]}
        preset = job.preset if job.preset in PRESETS else DEFAULT_PRESET
        return FormState(preset=preset, values=values, kept=kept, weights=weights)

    def _changes(self, form: Form) -> dict[str, str]:
        options = {name: value for name, value in form.fields.items() if name not in _NOT_PARAMETERS}
        if "shown_preset" in form.fields:
            return changes(options, form.fields["shown_preset"])
        return {name: value for name, value in options.items() if value.strip() or name == "iterations"}

    def _picture(self, form: Form, role: str, owner: str | None, opening: Opening) -> tuple[str, Decoded] | None:
        if _given_up(form, role):
            return None
        given = self._reader.read(form, role, opening)
        if given is not None:
            return given
        kept = form.fields.get(f"{role}_kept")
        return self._kept_picture(kept, role, owner) if kept else None

    def _kept_picture(self, reference: str, role: str, owner: str | None) -> tuple[str, Decoded]:
        gone = PictureError("The picture you used before is gone. Choose it again.", field=role)
        if owner is None or not is_id(reference):
            raise gone
        try:
            job = self._service.get(owner, reference)
            if role not in job.inputs:
                raise gone
            picture = self._decoded(job, role)
            if role == "content" and pictures.ALPHA in job.inputs:
                picture = replace(picture, alpha=self._decoded(job, pictures.ALPHA))
        except NotFound as error:
            raise gone from error
        return str(job.inputs[role]["name"]), picture

    def _decoded(self, job: Job, role: str) -> Decoded:
        """Return our own file, decoded before: it is neither decoded nor measured again."""
        facts = job.inputs[role]
        png, thumbnail = (
            self._service.picture(job.owner, job.id, name) for name in (pictures.input_name(role), pictures.thumbnail_name(role))
        )
        return Decoded(int(facts["width"]), int(facts["height"]), png, thumbnail)

    def _keep(self, reference: str, role: str, owner: str) -> dict[str, Kept]:
        try:
            job = self._service.get(owner, reference)
        except NotFound:
            return {}
        return {role: _kept(job, role)} if role in job.inputs else {}


def _given_up(form: Form, role: str) -> bool:
    """Return whether a picture is to be left out, though the form still names it: its own tick, or that of the painting it is a region of."""
    if role not in OPTIONAL or role in form.files:
        return False
    painting = pictures.painting_of(role)
    return bool(form.fields.get(f"{role}_without")) or (painting is not None and _given_up(form, painting))


def _kept(job: Job, role: str) -> Kept:
    small, whole = (pictures.url(job, name) for name in (pictures.thumbnail_name(role), pictures.input_name(role)))
    return Kept(job.id, str(job.inputs[role]["name"]), small, whole)


def _weights(form: Form) -> tuple[dict[str, float], list[InputError]]:
    """Return the weights of paintings by role, and what is wrong with others."""
    found: dict[str, float] = {}
    wrong: list[InputError] = []
    for role, name in WEIGHTS.items():
        if not (text := form.fields.get(name, "").strip()):
            continue
        try:
            weight = float(text)
        except ValueError:
            weight = 0.0
        if 0 < weight <= MOST_WEIGHT:
            found[role] = weight
        else:
            wrong.append(ParameterError(f"Weight: give a number above 0, up to {MOST_WEIGHT:g}. Received: {text!r}.", field=name))
    return found, wrong


def _homeless(given: Mapping[str, object]) -> list[InputError]:
    """Return what is wrong where a region is of a painting that is not there."""
    return [
        PictureError("This region is of a painting that is not chosen. Choose the painting, or remove its region.", field=role)
        for role in given
        if (painting := pictures.painting_of(role)) in pictures.STYLES[1:] and painting not in given
    ]
