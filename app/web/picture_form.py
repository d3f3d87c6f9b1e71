"""The form by which a picture is given alone, to be judged."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.core.errors import InputError, PentimentoError, PictureError
from app.jobs.models import Job
from app.jobs.pictures import ALONE
from app.jobs.verdict_service import VerdictService
from app.web.form import Kept
from app.web.given_picture import PictureReader
from app.web.uploads import Form


@dataclass
class PictureForm:
    """Everything the form shows; ``errors`` as in ``FormState``."""

    samples: dict[str, str] = field(default_factory=dict)
    kept: dict[str, Kept] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """What is wrong with the picture."""
        return self.errors.get(ALONE, self.errors.get(f"{ALONE}_sample", ""))

    @property
    def first_wrong(self) -> str:
        return ALONE if self.message else ""


class VerdictDesk:
    """Takes pictures to be judged; the page and the API take the same form."""

    def __init__(self, service: VerdictService, reader: PictureReader) -> None:
        self._service = service
        self._reader = reader

    def submit(self, form: Form, owner: str) -> Job:
        """Queue a verdict on the form's picture.

        Raises:
            InputError: there is no picture, or not one that can be read.
            TooMany: the owner has enough waiting.
        """
        self._service.admit(owner)
        given = self._reader.read(form, ALONE, self._reader.opening())
        if given is None:
            raise PictureError("Choose a picture: a file of your own or one of the samples.", field=ALONE)
        return self._service.submit(owner, *given)

    def state(self, form: Form, error: PentimentoError) -> PictureForm:
        """Return the form as it was filled in, with the message of ``error``."""
        sample = form.fields.get(f"{ALONE}_sample", "")
        known = {ALONE: sample} if any(sample == one.name for one in self._reader.samples.of(ALONE)) else {}
        place = error.field if isinstance(error, InputError) and error.field else ""
        return PictureForm(samples=known, errors={place: error.message})
