"""From a received form to a job: both pictures and the parameters, or what is wrong at which field."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.errors import InputError, NotFound, ParameterErrors, PentimentoError, PictureError
from app.core.ids import is_id
from app.core.specs import DEFAULT_PRESET, PRESETS, StyleParams, resolve
from app.imaging.normalise import Decoded
from app.jobs import pictures
from app.jobs.models import Job
from app.jobs.service import JobService
from app.web.form import ROLES, FormState, Kept, changes, values_of
from app.web.given_picture import PictureReader
from app.web.uploads import Form

_NOT_PARAMETERS = frozenset({"preset", "shown_preset", *(f"{role}{part}" for role in ROLES for part in ("", "_sample", "_kept"))})


class RejectedForm(InputError):
    """Everything that is wrong with a form at once, each error naming its field."""

    def __init__(self, errors: list[PentimentoError]) -> None:
        super().__init__(errors[0].message, field=errors[0].field)
        self.errors = errors
        self.status = errors[0].status
        self.code = errors[0].code


@dataclass(frozen=True)
class Submission:
    content: tuple[str, Decoded]
    style: tuple[str, Decoded]
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
        for role in ROLES:
            try:
                given[role] = self._picture(form, role, owner)
            except InputError as error:
                errors.append(error)
        try:
            params = resolve(preset, self._changes(form))
        except ParameterErrors as error:
            errors.extend(error.errors)
        if errors or params is None:
            raise RejectedForm(errors)
        return Submission(given["content"], given["style"], preset, params)

    def submit(self, form: Form, owner: str, newcomer: bool) -> Job:
        self._service.admit(owner)
        read = self.read(form, None if newcomer else owner)
        return self._service.submit(owner, read.content, read.style, read.preset, read.params)

    def state(self, form: Form, owner: str | None, error: PentimentoError) -> FormState:
        """Return the form as it was filled in, with the messages of ``error``."""
        state = FormState(values=self._changes(form))
        preset = form.fields.get("preset", "")
        state.preset = preset if preset in PRESETS else DEFAULT_PRESET
        for role in ROLES:
            name = form.fields.get(f"{role}_sample", "")
            if name in self._reader.samples.by_role.get(role, {}):
                state.samples[role] = name
            kept = form.fields.get(f"{role}_kept", "")
            if kept and owner is not None:
                state.kept.update(self._keep(kept, role, owner))
        for one in error.errors if isinstance(error, RejectedForm) else [error]:
            state.errors.setdefault(one.field or "", one.message)
        return state

    def again(self, job: Job) -> FormState:
        """Return the form that would make ``job`` once more."""
        params = StyleParams.model_validate(job.params)
        values = changes(values_of(params), job.preset)
        kept = {role: _kept(job, role) for role in ROLES}
        preset = job.preset if job.preset in PRESETS else DEFAULT_PRESET
        return FormState(preset=preset, values=values, kept=kept)

    def _changes(self, form: Form) -> dict[str, str]:
        options = {name: value for name, value in form.fields.items() if name not in _NOT_PARAMETERS}
        if "shown_preset" in form.fields:
            return changes(options, form.fields["shown_preset"])
        return {name: value for name, value in options.items() if value.strip() or name == "iterations"}

    def _picture(self, form: Form, role: str, owner: str | None) -> tuple[str, Decoded]:
        given = self._reader.read(form, role)
        if given is not None:
            return given
        if kept := form.fields.get(f"{role}_kept"):
            return self._kept_picture(kept, role, owner)
        raise PictureError(f"Choose a {ROLES[role].lower()}: a file of your own or one of the samples.", field=role)

    def _kept_picture(self, reference: str, role: str, owner: str | None) -> tuple[str, Decoded]:
        gone = PictureError("The picture you used before is gone. Choose it again.", field=role)
        if owner is None or not is_id(reference):
            raise gone
        try:
            job = self._service.get(owner, reference)
            png = self._service.picture(owner, reference, pictures.input_name(role))
            thumbnail = self._service.picture(owner, reference, pictures.thumbnail_name(role))
        except NotFound as error:
            raise gone from error
        facts = job.inputs[role]
        # Our own file, decoded before: it is neither decoded nor measured again.
        return str(facts["name"]), Decoded(int(facts["width"]), int(facts["height"]), png, thumbnail)

    def _keep(self, reference: str, role: str, owner: str) -> dict[str, Kept]:
        try:
            return {role: _kept(self._service.get(owner, reference), role)}
        except NotFound:
            return {}


def _kept(job: Job, role: str) -> Kept:
    return Kept(job.id, str(job.inputs[role]["name"]), f"/api/jobs/{job.id}/pictures/{pictures.thumbnail_name(role)}")
