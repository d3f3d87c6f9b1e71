"""The form as data: its fields with their values, ranges, help and messages."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.core.specs import DEFAULT_PRESET, PRESETS, Preset, StyleParams
from app.jobs.given import USUAL_WEIGHT
from app.jobs.pictures import PROTECT, mask_of, part_of
from app.web.option import Option, as_text, from_spec

ROLES = {"content": "Photograph", "style": "Painting"}
MORE_PAINTINGS = {"style2": "Second painting", "style3": "Third painting", "style4": "Fourth painting"}
PAINTINGS = {"style": "Painting", **MORE_PAINTINGS}
# Pictures that say where something goes, or is taken from.
_OF_A_PAINTING = ((mask_of, "Where the {} goes"), (part_of, "The part of the {} to paint like"))
REGIONS = {
    PROTECT: "Keep as it is",
    **{of(role): words.format(title.lower()) for role, title in PAINTINGS.items() for of, words in _OF_A_PAINTING},
}
# What may be given up again of a form that is filled in.
OPTIONAL = {**MORE_PAINTINGS, **REGIONS}
PICTURES = {**ROLES, **OPTIONAL}
WEIGHTS = {role: f"{role}_weight" for role in PAINTINGS}
# Where each option stands; one that is not named here is shown under the last heading.
GROUPS: dict[str, tuple[str, ...]] = {
    "Picture": ("size", "aspect", "colours", "seed"),
    "Balance": ("strength", "content_weight", "tv", "style_scale"),
    "What is taken from the painting": ("style_relu1_1", "style_relu2_1", "style_relu3_1", "style_relu4_1", "style_relu5_1"),
    "How it is painted": ("levels", "iterations", "enlarging", "plateau", "optimiser", "learning_rate", "init", "content_layer"),
}
CHOICES = {
    "painting": "The painting's",
    "photograph": "The photograph's",
    "matched": "Matched to the photograph",
    "only": "Colours only",
    "keep": "Keep proportions",
    "square": "Square",
    "lbfgs": "L-BFGS",
    "adam": "Adam",
    "adain": "Instant picture (AdaIN)",
    "content": "Photograph",
    "noise": "Noise",
}


@dataclass(frozen=True)
class Kept:
    """A picture the visitor gave before, so that it need not be chosen again: its addresses, small and whole."""

    reference: str
    name: str
    thumbnail: str
    whole: str


@dataclass
class FormState:
    """Everything the form shows. ``errors`` is by field name; "" is the form as a whole."""

    preset: str = DEFAULT_PRESET
    values: dict[str, str] = field(default_factory=dict)
    samples: dict[str, str] = field(default_factory=dict)
    kept: dict[str, Kept] = field(default_factory=dict)
    weights: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def weight(self, role: str) -> str:
        return self.weights.get(role, as_text(USUAL_WEIGHT))

    def holds(self, role: str) -> bool:
        """Whether there is anything to be seen of a picture: itself, or what is wrong with it."""
        said = role in self.errors or f"{role}_sample" in self.errors or WEIGHTS.get(role) in self.errors
        return role in self.samples or role in self.kept or said

    @property
    def mixing_open(self) -> bool:
        return any(self.holds(role) for role in MORE_PAINTINGS)

    @property
    def regions_open(self) -> bool:
        return any(self.holds(role) for role in REGIONS)

    @property
    def groups(self) -> list[tuple[str, list[Option]]]:
        shown = {**values_of(PRESETS[self.preset].params), **self.values}
        named = [name for names in GROUPS.values() for name in names]
        rest = tuple(name for name in StyleParams.model_fields if name not in named)
        groups = list(GROUPS.items())
        groups[-1] = (groups[-1][0], groups[-1][1] + rest)
        return [(title, [option(name, shown[name]) for name in names]) for title, names in groups]

    @property
    def options_open(self) -> bool:
        """The fold stands open where something inside needs attention, or is not as the preset has it."""
        usual = values_of(PRESETS[self.preset].params)
        wrong = any(name in StyleParams.model_fields for name in self.errors)
        return wrong or any(value != usual.get(name) for name, value in self.values.items())

    @property
    def places(self) -> list[str]:
        """The ids of the fields that have a message on the page, as they follow each other there."""
        options = (option.name for _, options in self.groups for option in options)
        return [*ROLES, *MORE_PAINTINGS, *WEIGHTS.values(), *REGIONS, "preset", *options]

    @property
    def wrong(self) -> list[tuple[str, str]]:
        """Each wrong field's id on the page with its message, as they follow each other there; "" where it has no place."""
        places = self.places
        found = [(name.removesuffix("_sample"), message) for name, message in self.errors.items() if name]
        found = [(name if name in places else "", message) for name, message in found]
        return sorted(found, key=lambda one: places.index(one[0]) if one[0] else len(places))

    @property
    def first_wrong(self) -> str:
        """The id of the field that a visitor has to look at first."""
        return next((name for name, _ in self.wrong), "")


def option(name: str, value: str) -> Option:
    """Return the control of a parameter, made from its specification."""
    return from_spec(name, StyleParams.model_fields[name], value, CHOICES)


def values_of(params: StyleParams) -> dict[str, str]:
    """Return the parameters as a form shows them."""
    return {name: as_text(value) for name, value in params.model_dump().items()}


def changes(submitted: dict[str, str], shown_preset: str) -> dict[str, str]:
    """Return what the visitor changed in the options, relative to the preset they were filled from.

    Without JavaScript the options keep the old preset's values when another one is chosen,
    and must not override it. A number left empty means the preset's.
    """
    before = values_of(PRESETS[shown_preset].params) if shown_preset in PRESETS else {}
    given = {name: value.strip() for name, value in submitted.items() if name in StyleParams.model_fields}
    return {name: value for name, value in given.items() if value != before.get(name) and (value or name == "iterations")}


def presets() -> list[tuple[Preset, dict[str, str]]]:
    """Return each preset with the values it fills in."""
    return [(preset, values_of(preset.params)) for preset in PRESETS.values()]
