"""One picture out of a form: a file, or a sample by its name."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.errors import InputError, PictureError
from app.imaging.decode import DecoderPool
from app.imaging.normalise import Decoded
from app.imaging.opening import Opening
from app.jobs.pictures import is_region
from app.web.samples import Samples
from app.web.uploads import Form, cut_off, too_large


@dataclass(frozen=True)
class PictureReader:
    samples: Samples
    decoders: DecoderPool
    max_bytes: int

    def opening(self) -> Opening:
        """Return what opens the pictures of one form."""
        return Opening(self.decoders)

    def read(self, form: Form, role: str, opening: Opening) -> tuple[str, Decoded] | None:
        """Return the name and the decoded picture of a field, or None where the form has neither a file nor a sample.

        Raises:
            InputError: there is one, but it cannot be taken; names the field.
        """
        upload = form.files.get(role)
        if upload is not None and upload.too_large:
            raise too_large(self.max_bytes, role)
        if form.cut_off_at == role:
            raise cut_off(role)
        if upload is not None:
            data = upload.read()
            if not data:
                raise PictureError("This file is empty. Choose another one.", field=role)
            return upload.name, opening.decode(data, field=role, region=is_region(role))
        if sample := form.fields.get(f"{role}_sample"):
            title, data = self._sample(role, sample)
            return title, opening.decode(data, field=role)
        if form.fields.get(role):
            raise PictureError(f"Send {role!r} as a file, not as text.", field=role)
        return None

    def _sample(self, role: str, name: str) -> tuple[str, bytes]:
        try:
            # Each of several paintings may be any of the samples.
            return self.samples.read(role.rstrip("234"), name)
        except InputError as error:
            error.field = f"{role}_sample"
            raise
