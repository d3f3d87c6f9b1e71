"""What OpenAPI says of the forms by which jobs are made; the forms themselves are read while they stream in."""

from __future__ import annotations

from typing import Any

from app.core.specs import DEFAULT_PRESET, PRESETS, StyleParams
from app.jobs import pictures
from app.jobs.given import MOST_WEIGHT, USUAL_WEIGHT
from app.web.option import as_text


def request_body() -> dict[str, Any]:
    """Return the request body of ``POST /api/jobs``, made from the parameters' specification."""
    properties: dict[str, Any] = {
        "content": {"type": "string", "format": "binary", "description": "The photograph: JPEG, PNG or WebP."},
        "style": {"type": "string", "format": "binary", "description": "The painting: JPEG, PNG or WebP."},
        "content_sample": {"type": "string", "description": "Name of a sample photograph, in place of `content`.", "example": "chelsea"},
        "style_sample": {"type": "string", "description": "Name of a sample painting, in place of `style`."},
        "content_kept": {"type": "string", "description": "Id of a job of yours whose photograph is used again."},
        "style_kept": {"type": "string", "description": "Id of a job of yours whose painting is used again."},
        "preset": {
            "type": "string",
            "enum": list(PRESETS),
            "default": DEFAULT_PRESET,
            "description": "Parameters to begin with. "
            + " ".join(f"`{preset.name}` ({preset.title}): {preset.help}" for preset in PRESETS.values()),
        },
    }
    for number, role in enumerate(pictures.STYLES, 1):
        if role != "style":
            for part in ("", "_sample", "_kept"):
                described = properties[f"style{part}"]
                properties[f"{role}{part}"] = {**described, "description": f"Painting {number} of a mixture, as `style{part}`."}
        weight = {"type": "number", "default": USUAL_WEIGHT, "maximum": MOST_WEIGHT}
        properties[f"{role}_weight"] = {**weight, "description": f"Of painting {number} among several, above 0; relative to the others."}
        where = {
            "type": "string",
            "format": "binary",
            "description": f"Where painting {number} rules: white there, black or transparent elsewhere; of any size from 32 pixels.",
        }
        properties[pictures.mask_of(role)] = where
        taken = f"Which part of painting {number} is taken, colours included: white there, black or transparent elsewhere; of any size from 32 pixels."
        properties[pictures.part_of(role)] = {**where, "description": taken}
    properties[pictures.PROTECT] = {
        "type": "string",
        "format": "binary",
        "description": "Where the photograph stays as it is: white there, black or transparent elsewhere; of any size from 32 pixels.",
    }
    for region in (*map(pictures.mask_of, pictures.STYLES), *map(pictures.part_of, pictures.STYLES), pictures.PROTECT):
        properties[f"{region}_kept"] = {"type": "string", "description": "Id of a job of yours whose region is used again."}
    usual = PRESETS[DEFAULT_PRESET].params.model_dump()
    properties.update({name: {**one, "default": usual[name]} for name, one in StyleParams.model_json_schema()["properties"].items()})
    iterations = StyleParams.model_fields["iterations"]
    properties["iterations"] = {
        "type": "string",
        "description": f"{iterations.description} Numbers with commas between.",
        "default": as_text(usual["iterations"]),
        "example": "40,20",
    }
    return _body(properties)


def picture_body() -> dict[str, Any]:
    """Return the request body of ``POST /api/verdicts``."""
    return _body(
        {
            "picture": {"type": "string", "format": "binary", "description": "The picture: JPEG, PNG or WebP."},
            "picture_sample": {"type": "string", "description": "Name of a sample picture, in place of `picture`.", "example": "chelsea"},
        }
    )


def dataset_body() -> dict[str, Any]:
    """Return the request body of ``POST /api/lab/datasets``."""

    def several(of: dict[str, Any], description: str) -> dict[str, Any]:
        return {"type": "array", "items": of, "description": description}

    file, name = {"type": "string", "format": "binary"}, {"type": "string"}
    properties: dict[str, Any] = {
        "kind": {"type": "string", "enum": ["stylised", "labelled"], "default": "stylised", "description": "What the pictures are for."},
        "name": {"type": "string", "description": "For its owner; default: from what was sent."},
        "content": several(file, "Pictures to be stylised: JPEG, PNG or WebP."),
        "style": several(file, "Pictures whose style they get."),
        "content_sample": several(name, "Names of sample photographs."),
        "style_sample": several(name, "Names of sample paintings."),
        "archive": file
        | {
            "description": "A zip file: folders `contents` and `styles`, or for a labelled dataset `class/` or `domain/class/`. "
            "Files that cannot be taken are left out and named with the reason."
        },
        "job": several(name, "Ids of finished jobs of yours, whose pictures are taken over."),
        "preset": several({"type": "string", "enum": list(PRESETS)}, "Each is a generator; default: instant."),
        "strengths": {"type": "string", "description": "Numbers with commas between: each preset with each of them.", "example": "0.5,2"},
    }
    parameters = StyleParams.model_json_schema()["properties"]
    properties.update({name: {**one} for name, one in parameters.items() if name not in ("strength", "iterations")})
    return {"required": True, "content": {"multipart/form-data": {"schema": {"type": "object", "properties": properties}}}}


def _body(properties: dict[str, Any]) -> dict[str, Any]:
    # A form without files may also be sent as HTML forms without files are.
    without_files = {name: one for name, one in properties.items() if one.get("format") != "binary"}
    content = {"multipart/form-data": properties, "application/x-www-form-urlencoded": without_files}
    return {"required": True, "content": {kind: {"schema": {"type": "object", "properties": taken}} for kind, taken in content.items()}}
