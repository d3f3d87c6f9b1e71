"""From a received form to a dataset: files, a zip, samples, finished jobs, and the generators."""

from __future__ import annotations

import io
from typing import cast

from app.core.errors import InputError, NotReady, ParameterErrors, PentimentoError
from app.core.specs import StyleParams
from app.jobs.models import Job
from app.jobs.service import JobService
from app.lab.arrivals import Kind, Order, Sent
from app.lab.datasets import DatasetService
from app.lab.generators import Generator, generators, read_strengths
from app.lab.models import LABELLED, STYLISED, Dataset
from app.web.dataset_view import counted
from app.web.form import ROLES
from app.web.samples import Samples
from app.web.submission import RejectedForm
from app.web.uploads import Form, Upload, too_large

DEFAULT_GENERATOR = "instant"
_KINDS = (STYLISED, LABELLED)
# What is said once for the whole dataset; strength is asked for as a list.
CHANGES = tuple(name for name in StyleParams.model_fields if name != "strength")


class DatasetDesk:
    """Takes datasets; the page and the API take the same form."""

    def __init__(self, service: DatasetService, jobs: JobService, samples: Samples, max_bytes: int) -> None:
        self._service = service
        self._jobs = jobs
        self._samples = samples
        self._max_bytes = max_bytes

    def submit(self, form: Form, owner: str) -> Dataset:
        """Make a dataset of what the form holds.

        Raises:
            RejectedForm: with every error found.
            TooMany: the owner's datasets hold as many pictures as allowed.
        """
        self._service.admit(owner)
        return self._service.create(owner, self.read(form, owner))

    def read(self, form: Form, owner: str) -> Order:
        errors: list[PentimentoError] = []
        files: list[Sent] = []
        jobs: list[Job] = []
        made: tuple[Generator, ...] = ()
        kind = form.fields.get("kind") or STYLISED
        if kind not in _KINDS:
            errors.append(InputError(f"A dataset is one of: {', '.join(_KINDS)}. Received: {kind!r}.", field="kind"))
        for role in ROLES:
            try:
                files += self._files(form, role)
            except InputError as error:
                errors.append(error)
        archive: Upload | None = None
        try:
            archive = self._archive(form)
        except InputError as error:
            errors.append(error)
        try:
            jobs = [self._job(owner, job_id) for job_id in dict.fromkeys(form.values.get("job", [])) if job_id]
        except PentimentoError as error:
            error.field = "job"
            errors.append(error)
        if kind == STYLISED and (files or form.files.get("archive")):
            strengths: tuple[float, ...] = ()
            try:
                strengths = read_strengths(form.fields.get("strengths", ""))
            except InputError as error:
                errors.append(error)
            try:
                made = self.generators(form, strengths)
            except ParameterErrors as error:
                errors.extend(error.errors)
        if errors:
            raise RejectedForm(errors)
        name = (form.fields.get("name") or "").strip()[:120] or _name(files, archive)
        return Order(cast("Kind", kind), name, made, files, archive.file if archive else None, jobs)

    def generators(self, form: Form, strengths: tuple[float, ...]) -> tuple[Generator, ...]:
        presets = [name for name in form.values.get("preset", []) if name] or [DEFAULT_GENERATOR]
        given = {name: form.fields[name].strip() for name in CHANGES if form.fields.get(name, "").strip()}
        return generators(list(dict.fromkeys(presets)), strengths, given)

    def _files(self, form: Form, role: str) -> list[Sent]:
        found = []
        if form.cut_off_at == role:
            raise too_large(self._max_bytes, role)
        for upload in form.uploads.get(role, []):
            if upload.too_large or upload.size > self._max_bytes:
                raise InputError(f"{upload.name}: {too_large(self._max_bytes, role).message}", field=role)
            found.append(Sent("content" if role == "content" else "style", upload.name, upload.file))
        for name in dict.fromkeys(form.values.get(f"{role}_sample", [])):
            if name:
                title, data = self._samples.read(role, name)
                found.append(Sent("content" if role == "content" else "style", title, io.BytesIO(data)))
        return found

    def _archive(self, form: Form) -> Upload | None:
        upload = form.files.get("archive")
        if form.cut_off_at == "archive" or (upload is not None and upload.too_large):
            raise InputError("This zip file is larger than is taken here. Send fewer pictures at a time.", field="archive")
        return upload

    def _job(self, owner: str, job_id: str) -> Job:
        job = self._jobs.get(owner, job_id)
        if job.result is None:
            raise NotReady("A job that is taken over has to be finished. Wait for it, or leave it out.")
        return job


def _name(files: list[Sent], archive: Upload | None) -> str:
    if archive is not None:
        return archive.name.rpartition(".")[0] or archive.name
    contents, styles = (sum(sent.role == role for sent in files) for role in ("content", "style"))
    return f"{counted(contents, 'content')} × {counted(styles, 'style')}" if files else "Finished pictures"
