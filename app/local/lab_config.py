"""What `pentimento lab run` reads: a TOML file of folders, generators and the experiment."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.core.errors import InputError
from app.core.experiments import DEFAULT_EXPERIMENT, ExperimentSpec
from app.core.specs import resolve as resolve_style
from app.lab.experiment_specs import resolve
from app.lab.generators import Generator, name_of


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DatasetTable(_Table):
    """Contents and styles to be stylised, or one folder of pictures that are made already."""

    contents: Path | None = Field(None, description="Folder of contents.")
    styles: Path | None = Field(None, description="Folder of styles.")
    folder: Path | None = Field(None, description="Folder with the folders original and stylised, or several such.")


class Config(_Table):
    """The whole file. Folders are relative to it."""

    output: Path = Field(Path("report"), description="Folder of the report's files.")
    work: Path = Field(Path("work"), description="Folder of the pictures made and their features, kept between runs.")
    dataset: DatasetTable
    generators: tuple[dict[str, Any], ...] = Field(({"preset": "instant"},), description="Each a preset and what differs from it.")
    experiment: dict[str, Any] = Field(default_factory=dict, description="A preset and what differs from it.")

    @property
    def spec(self) -> ExperimentSpec:
        """The experiment.

        Raises:
            ParameterErrors: unknown names, or values out of range.
        """
        changes = {name: value for name, value in self.experiment.items() if name != "preset"}
        return resolve(str(self.experiment.get("preset", DEFAULT_EXPERIMENT)), changes)

    @property
    def ways(self) -> tuple[Generator, ...]:
        """The generators, each with a name of its own.

        Raises:
            ParameterErrors: as for ``spec``.
            InputError: two of one name.
        """
        found: dict[str, Generator] = {}
        for table in self.generators:
            preset = str(table.get("preset", "instant"))
            params = resolve_style(preset, {name: value for name, value in table.items() if name not in ("preset", "name")})
            name = str(table.get("name") or name_of(preset, params))
            if name in found:
                raise InputError(
                    f"Two generators are the same. Leave one out, or give each a name. Received: {name!r}.", field="generators"
                )
            found[name] = Generator(name=name, preset=preset, params=params)
        return tuple(found.values())


def read(path: Path) -> Config:
    """Return the file's configuration, its folders made absolute, checked as far as can be without the pictures.

    Raises:
        InputError: no such file, not TOML, or something in it that cannot be.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not well-formed TOML: {error}.") from error
    try:
        config = Config.model_validate(tables)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"{path}: {place}: {first['msg'][:1].lower()}{first['msg'][1:]}. Received: {first['input']!r}.") from error
    dataset = config.dataset
    if (dataset.folder is None) != (dataset.contents is not None and dataset.styles is not None) or (
        dataset.folder is not None and (dataset.contents or dataset.styles)
    ):
        raise InputError(f"{path}: the dataset is either folder, or contents and styles. Received: {tables['dataset']}.")
    base = path.resolve().parent
    absolute = {name: base / folder for name, folder in dataset if folder is not None}
    config = config.model_copy(
        update={"output": base / config.output, "work": base / config.work, "dataset": dataset.model_copy(update=absolute)}
    )
    for name, folder in config.dataset:
        if folder is not None and not folder.is_dir():
            raise InputError(f"{path}: dataset.{name} is no folder. Received: {folder}.")
    # What is wrong with these is told before anything is painted.
    _ = config.spec, config.ways
    return config
