"""The API's documentation, taken from its OpenAPI description."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Entry:
    """A parameter, header or form field."""

    name: str
    place: str
    kind: str
    help: str


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    anchor: str
    summary: str
    help: str
    entries: tuple[Entry, ...]
    responses: tuple[tuple[str, str], ...]
    example: str | None


def operations(openapi: dict[str, Any]) -> list[Operation]:
    """Return every operation with its parameters, answers and an example answer, in the API's order."""
    schemas = openapi.get("components", {}).get("schemas", {})
    return [_operation(method, path, spec, schemas) for path, methods in openapi["paths"].items() for method, spec in methods.items()]


def _operation(method: str, path: str, spec: dict[str, Any], schemas: dict[str, Any]) -> Operation:
    entries = [
        Entry(one["name"], one["in"], _kind(one["schema"]), one.get("description", ""))
        for one in spec.get("parameters", [])
        if one["in"] != "path"
    ]
    # Each way of sending the form has the same fields, some of them fewer.
    fields = {
        name: (one, "body" if kind == "application/json" else "form")
        for kind, content in spec.get("requestBody", {}).get("content", {}).items()
        for name, one in _named(content["schema"], schemas)["properties"].items()
    }
    entries += [Entry(name, place, _kind(one), one.get("description", "")) for name, (one, place) in fields.items()]
    responses = tuple((status, answer["description"]) for status, answer in spec["responses"].items())
    success: dict[str, Any] = next((answer for status, answer in spec["responses"].items() if status.startswith("2")), {})
    return Operation(
        method.upper(),
        path,
        f"{method}{path.translate(str.maketrans('/{}', '---'))}",
        spec.get("summary", path),
        spec.get("description", ""),
        tuple(entries),
        responses,
        _example(success, schemas),
    )


def _named(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the schema that a reference names, or the schema itself."""
    named: dict[str, Any] = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
    return named


def _example(answer: dict[str, Any], schemas: dict[str, Any]) -> str | None:
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    name = schema.get("$ref", "").rpartition("/")[2]
    example = schemas.get(name, {}).get("example")
    return None if example is None else json.dumps(example, indent=2, ensure_ascii=False)


def _kind(schema: dict[str, Any]) -> str:
    """Return a schema in a few words: "number, 0.05 to 20, default 1"."""
    if "anyOf" in schema:
        schema = {**schema, **next(one for one in schema["anyOf"] if one.get("type") != "null")}
    words = [" | ".join(map(str, schema["enum"])) if "enum" in schema else str(schema.get("format") or schema.get("type", "value"))]
    if "minimum" in schema and "maximum" in schema:
        words.append(f"{schema['minimum']:g} to {schema['maximum']:g}" if schema["maximum"] < 1e6 else f"from {schema['minimum']:g}")
    if schema.get("default") not in (None, "", []):
        words.append(f"default {schema['default']}")
    return ", ".join(words)
