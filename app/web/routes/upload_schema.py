"""What OpenAPI says of the form by which a job is made; the form itself is read while it streams in."""

from __future__ import annotations

from typing import Any

from app.core.specs import DEFAULT_PRESET, PRESETS, StyleParams


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
            "description": "Parameters to begin with. " + " ".join(f"`{preset.name}`: {preset.help}" for preset in PRESETS.values()),
        },
    }
    properties.update(StyleParams.model_json_schema()["properties"])
    properties["iterations"] = {
        "type": "string",
        "description": f"{StyleParams.model_fields['iterations'].description} Numbers with commas between.",
        "default": "60,25",
        "example": "40,20",
    }
    return {"required": True, "content": {"multipart/form-data": {"schema": {"type": "object", "properties": properties}}}}
