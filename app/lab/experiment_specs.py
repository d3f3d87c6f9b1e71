"""An experiment's spec from a preset and what is changed of it, with everything that is wrong told at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from app.core.errors import ParameterError, ParameterErrors
from app.core.experiments import DEFAULT_EXPERIMENT, EXPERIMENT_PRESETS, ExperimentSpec, TrainParams

TRAINING = "training"


def resolve(preset: str = DEFAULT_EXPERIMENT, changes: Mapping[str, Any] | None = None) -> ExperimentSpec:
    """Return the preset's spec with ``changes`` applied.

    Args:
        changes: by field name; those of the contrastive stage in a mapping under ``training``, or
            flat with names such as ``training.epochs``, as a form has them.

    Raises:
        ParameterErrors: unknown preset, unknown names or values out of range; one error for each field.
    """
    errors = []
    if preset not in EXPERIMENT_PRESETS:
        errors.append(
            ParameterError(f"There is no experiment called {preset!r}. Choose one of: {', '.join(EXPERIMENT_PRESETS)}.", field="preset")
        )
    base = EXPERIMENT_PRESETS.get(preset, EXPERIMENT_PRESETS[DEFAULT_EXPERIMENT]).spec.model_dump()
    plain = {name: value for name, value in (changes or {}).items() if name != TRAINING and not name.startswith(f"{TRAINING}.")}
    nested = (changes or {}).get(TRAINING) or {}
    if not isinstance(nested, Mapping):
        raise ParameterErrors([ParameterError(f"The contrastive stage is a set of named values. Received: {nested!r}.", field=TRAINING)])
    flat = {name.partition(".")[2]: value for name, value in (changes or {}).items() if name.startswith(f"{TRAINING}.")}
    try:
        spec = ExperimentSpec.model_validate({**base, **plain, TRAINING: {**base[TRAINING], **nested, **flat}})
    except ValidationError as error:
        raise ParameterErrors([*errors, *_in_words(error)]) from error
    if spec.training.objective == "none" and spec.classify != "features":
        errors.append(
            ParameterError(
                "Classify: without a contrastive stage there is no embedding. Choose an objective, or classify the features. "
                f"Received: {spec.classify!r}.",
                field="classify",
            )
        )
    if errors:
        raise ParameterErrors(errors)
    return spec


def _in_words(error: ValidationError) -> list[ParameterError]:
    """Return one error a field."""
    found: dict[str, ParameterError] = {}
    for one in error.errors():
        place = [str(part) for part in one["loc"] if isinstance(part, str)]
        model = TrainParams if place[0] == TRAINING and len(place) > 1 else ExperimentSpec
        name = ".".join(place[:2]) if model is TrainParams else place[0]
        field = model.model_fields.get(place[1] if model is TrainParams else place[0])
        if field is None:
            said = f"There is no parameter called {name!r}."
        else:
            reason = str(one["ctx"]["error"]) if one["type"] == "value_error" else one["msg"][:1].lower() + one["msg"][1:]
            said = f"{field.title or name}: {reason}. Received: {one['input']!r}."
        found.setdefault(name, ParameterError(said, field=name))
    return list(found.values())
