"""An experiment's form: what each preset fills in comes back as it was, and every parameter has a control."""

from __future__ import annotations

import pytest

from app.core.experiments import EXPERIMENT_PRESETS, SPLITS, ExperimentSpec
from app.web import experiment_form
from app.web.option import from_spec
from app.web.uploads import Form


def filled(texts: experiment_form.Texts) -> dict[str, list[str]]:
    """Return what a browser sends: nothing of boxes that are not ticked."""
    return {name: list(given) for name, given in texts.items() if given}


@pytest.mark.parametrize("preset", EXPERIMENT_PRESETS)
def test_every_preset_survives_its_own_form(preset: str) -> None:
    texts = experiment_form.texts_of(EXPERIMENT_PRESETS[preset].spec)
    form = Form(values={"dataset": ["x"], "preset": [preset], "shown_preset": ["default"], **filled(texts)})
    assert experiment_form.read(form).spec == EXPERIMENT_PRESETS[preset].spec
    # Without JavaScript the fields still hold the values of the preset that was shown before.
    shown = filled(experiment_form.texts_of(ExperimentSpec()))
    plain = Form(values={"dataset": ["x"], "preset": [preset], "shown_preset": ["default"], **shown})
    assert experiment_form.read(plain).spec == EXPERIMENT_PRESETS[preset].spec


def test_every_parameter_has_a_control_with_title_and_help() -> None:
    options = [option for _, options in experiment_form.ExperimentForm().groups for option in options]
    assert sorted(option.name for option in options) == sorted(experiment_form.FIELDS)
    assert all(option.title and option.help for option in options)
    kinds = {option.name: option.kind for option in options}
    assert (kinds["splits"], kinds["shuffle_labels"], kinds["training.temperature"]) == ("several", "switch", "number")
    assert [value for value, _ in next(option for option in options if option.name == "splits").choices] == list(SPLITS)


def test_open_ends_are_told() -> None:
    fields = experiment_form.FIELDS
    assert from_spec("test_share", fields["test_share"], "", {}).range == "Above 0.05 to below 0.8."
    assert from_spec("seeds", fields["seeds"], "", {}).range == "1 to 50."
    assert from_spec("momentum", fields["training.momentum"], "", {}).range == "0 to below 1."
