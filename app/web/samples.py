"""The sample pictures that ship with the page."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

from pydantic import BaseModel

from app.core.errors import InputError


class Sample(BaseModel):
    """One picture: its file below ``static/samples``, what a person reads, what a screen reader says, where it is from."""

    file: str
    title: str
    alt: str
    source: str
    licence: str

    @property
    def name(self) -> str:
        return PurePosixPath(self.file).stem

    @property
    def url(self) -> str:
        return f"/static/samples/{self.file}"


class Samples:
    """The catalogue, by role ("content", "style", or "picture" for any of them) and name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        path = folder / "samples.json"
        listed: dict[str, list[dict[str, str]]] = json.loads(path.read_text()) if path.exists() else {}
        self.by_role = {role: {sample.name: sample for sample in map(Sample.model_validate, entries)} for role, entries in listed.items()}
        self.by_role["picture"] = {name: sample for samples in self.by_role.values() for name, sample in samples.items()}

    def of(self, role: str) -> list[Sample]:
        return list(self.by_role.get(role, {}).values())

    def find(self, role: str, name: str) -> Sample:
        sample = self.by_role.get(role, {}).get(name)
        if sample is None:
            offered = ", ".join(self.by_role.get(role, {}))
            raise InputError(f"There is no sample called {name!r}. Choose one of: {offered}.", field=f"{role}_sample")
        return sample

    def read(self, role: str, name: str) -> tuple[str, bytes]:
        """Return the sample's title and its bytes."""
        sample = self.find(role, name)
        return sample.title, (self._folder / sample.file).read_bytes()
