"""What OpenAPI says of the forms by which jobs are made; the forms themselves are read while they stream in."""

from __future__ import annotations

from typing import Any

from app.core.specs import DEFAULT_PRESET, PRESETS, StyleParams
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
    properties.update(StyleParams.model_json_schema()["properties"])
    iterations = StyleParams.model_fields["iterations"]
    properties["iterations"] = {
        "type": "string",
        "description": f"{iterations.description} Numbers with commas between.",
        "default": as_text(iterations.default),
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


def _body(properties: dict[str, Any]) -> dict[str, Any]:
    # A form without files may also be sent as HTML forms without files are.
    without_files = {name: one for name, one in properties.items() if one.get("format") != "binary"}
    content = {"multipart/form-data": properties, "application/x-www-form-urlencoded": without_files}
    return {"required": True, "content": {kind: {"schema": {"type": "object", "properties": taken}} for kind, taken in content.items()}}
