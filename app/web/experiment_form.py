"""The form of an experiment as data, and from a received form to an experiment's parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic.fields import FieldInfo

from app.core.errors import ParameterError, ParameterErrors, PentimentoError
from app.core.experiments import (
    CLASSIFIED,
    CLASSIFIERS,
    DEFAULT_EXPERIMENT,
    EXPERIMENT_PRESETS,
    OBJECTIVES,
    PAIRS,
    SPLITS,
    ExperimentPreset,
    ExperimentSpec,
    TrainParams,
)
from app.core.features import FEATURES
from app.lab.experiment_specs import TRAINING, resolve
from app.web.option import Option, as_text, from_spec
from app.web.uploads import Form

Texts = dict[str, tuple[str, ...]]

# Where each parameter stands; one that is not named here is shown under the last heading.
_GROUPS: dict[str, tuple[str, ...]] = {
    "Pictures": ("features",),
    "Contrastive stage": tuple(f"training.{name}" for name in ("objective", "pairs", "epochs", "batch_size", "learning_rate")),
    "Of single objectives": tuple(f"training.{name}" for name in ("temperature", "margin", "momentum", "queue")),
    "Head": tuple(f"training.{name}" for name in ("hidden", "output", "weight_decay")),
    "Classifier": ("classifier", "classify"),
    "How it is tested": ("splits", "test_share", "seeds", "seed", "resamples", "permutations", "shuffle_labels"),
}
_WORDS = {
    **SPLITS,
    **OBJECTIVES,
    **PAIRS,
    **CLASSIFIERS,
    **{name: one.title for name, one in FEATURES.items()},
}
# What a name means depends on where it stands: both feature sets, or embedding and features.
_OWN_WORDS = {"classify": CLASSIFIED}
# An experiment's name tells these already.
_NAMED = ("shuffle_labels", "training.objective")


def _specs() -> dict[str, FieldInfo]:
    """Return every parameter by its name in the form."""
    whole = {name: spec for name, spec in ExperimentSpec.model_fields.items() if name != TRAINING}
    return whole | {f"{TRAINING}.{name}": spec for name, spec in TrainParams.model_fields.items()}


FIELDS = _specs()


@dataclass
class ExperimentForm:
    """Everything the form shows. ``texts`` are values that differ from the preset's; ``errors`` as in ``FormState``."""

    dataset: str = ""
    preset: str = DEFAULT_EXPERIMENT
    texts: Texts = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def groups(self) -> list[tuple[str, list[Option]]]:
        shown = {**texts_of(EXPERIMENT_PRESETS[self.preset].spec), **self.texts}
        named = {name for names in _GROUPS.values() for name in names}
        groups = [(title, [option(name, shown[name]) for name in names]) for title, names in _GROUPS.items()]
        groups[-1][1].extend(option(name, shown[name]) for name in FIELDS if name not in named)
        return groups

    @property
    def options_open(self) -> bool:
        """The fold stands open where something inside needs attention, or is not as the preset has it."""
        return bool(self.texts) or any(name in FIELDS for name in self.errors)

    @property
    def wrong(self) -> list[tuple[str, str]]:
        """Each wrong field's id on the page with its message, as they follow each other there."""
        places = {"dataset": "dataset", "preset": "preset-error"} | {one.name: one.id for _, options in self.groups for one in options}
        return [(place, self.errors[name]) for name, place in places.items() if name in self.errors]

    @property
    def first_wrong(self) -> str:
        return next((name for name, _ in self.wrong), "")


@dataclass(frozen=True)
class Asked:
    """An experiment as it was asked for."""

    dataset: str
    preset: str
    spec: ExperimentSpec


def read(form: Form) -> Asked:
    """Return the experiment that a form asks for: a preset and what was changed of it.

    Raises:
        ParameterErrors: everything that is wrong, each error naming its field.
    """
    errors: list[ParameterError] = []
    dataset, preset = form.fields.get("dataset", ""), form.fields.get("preset") or DEFAULT_EXPERIMENT
    if not dataset:
        errors.append(ParameterError("Choose a dataset.", field="dataset"))
    try:
        spec = resolve(preset, {name: _value(name, texts) for name, texts in changes(form).items()})
    except ParameterErrors as error:
        raise ParameterErrors([*errors, *error.errors]) from error
    if errors:
        raise ParameterErrors(errors)
    return Asked(dataset, preset, spec)


def state(form: Form, error: PentimentoError) -> ExperimentForm:
    """Return the form as it was filled in, with the messages of ``error``."""
    preset = form.fields.get("preset", "")
    shown = ExperimentForm(form.fields.get("dataset", ""), preset if preset in EXPERIMENT_PRESETS else DEFAULT_EXPERIMENT, changes(form))
    for one in error.errors if isinstance(error, ParameterErrors) else [error]:
        shown.errors.setdefault(one.field or "", one.message)
    return shown


def again(dataset: str, preset: str, params: Mapping[str, Any]) -> ExperimentForm:
    """Return the form that would run an experiment once more."""
    known = preset if preset in EXPERIMENT_PRESETS else DEFAULT_EXPERIMENT
    usual, texts = texts_of(EXPERIMENT_PRESETS[known].spec), texts_of(ExperimentSpec.model_validate(params))
    return ExperimentForm(dataset, known, {name: text for name, text in texts.items() if text != usual[name]})


def changes(form: Form) -> Texts:
    """Return what differs from the preset that the form was filled from; nothing of a form that shows no parameters.

    Without JavaScript the parameters keep the old preset's values when another one is chosen,
    and must not override it. A number left empty means the preset's.
    """
    shown = form.fields.get("shown_preset", "")
    if shown not in EXPERIMENT_PRESETS:
        return {}
    usual = texts_of(EXPERIMENT_PRESETS[shown].spec)
    given = {name: tuple(text.strip() for text in form.values.get(name, []) if text.strip()) for name in FIELDS}
    kinds = {name: option(name, ()).kind for name in FIELDS}
    return {name: texts for name, texts in given.items() if texts != usual[name] and (texts or kinds[name] in ("several", "switch"))}


def option(name: str, texts: Sequence[str]) -> Option:
    """Return the control of a parameter, made from its specification."""
    words = {**_WORDS, **_OWN_WORDS.get(name, {})}
    return from_spec(name, FIELDS[name], texts[0] if texts else "", words, tuple(texts))


def texts_of(spec: ExperimentSpec) -> Texts:
    """Return the parameters as a form shows them: of several choices each one, an empty number and a switch that is off as nothing."""
    flat = {**spec.model_dump(), **{f"{TRAINING}.{name}": value for name, value in spec.training.model_dump().items()}}
    return {
        name: tuple(flat[name]) if isinstance(flat[name], tuple) else tuple(text for text in (as_text(flat[name]),) if text)
        for name in FIELDS
    }


def differences(preset: str, spec: ExperimentSpec) -> list[str]:
    """Return what an experiment has otherwise than its preset, in the words of the form."""
    usual = texts_of(EXPERIMENT_PRESETS.get(preset, EXPERIMENT_PRESETS[DEFAULT_EXPERIMENT]).spec)
    changed = {name: texts for name, texts in texts_of(spec).items() if texts != usual[name]}
    return [_difference(option(name, changed[name])) for names in _GROUPS.values() for name in names if name in changed.keys() - {*_NAMED}]


def _difference(one: Option) -> str:
    if one.kind == "several":
        return f"{one.title.lower()}: {len(one.chosen)}"
    return f"{one.title.lower()} {one.said[:1].lower()}{one.said[1:]}"


def presets() -> list[tuple[ExperimentPreset, Texts]]:
    """Return each preset with the values it fills in."""
    return [(preset, texts_of(preset.spec)) for preset in EXPERIMENT_PRESETS.values()]


def _value(name: str, texts: tuple[str, ...]) -> Any:
    kind = option(name, ()).kind
    if kind == "several":
        return texts
    return bool(texts) if kind == "switch" else texts[-1]
