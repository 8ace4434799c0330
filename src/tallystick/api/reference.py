"""The reference pages of the HTTP API and of its figures, made from the OpenAPI document and `METRICS`.

`tools/write_reference.py` writes them; a test says when they are stale.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from tallystick.api.app import ROUTES
from tallystick.api.metrics import METRICS
from tallystick.api.openapi import describe_api

MADE: Final = "Made by `tools/write_reference.py`; change the code, not this page."
_API_HEAD: Final = """
Every route but those marked *public* wants `Authorization: Bearer TOKEN`; `tallystick token create` makes tokens. A parameter
that a route does not know, or that is given twice, is refused. Refusals are problem documents (RFC 9457,
`application/problem+json`) with a stable `code`, the place in the input where there is one, and advice; [errors](errors.md)
lists the codes. A 503 and a 507 pass by themselves: repeat the request after `Retry-After`. The running server serves this
page for programs as OpenAPI 3.1 at `/api/v1/openapi.json`, with the shape of every answer.
"""
_METRICS_HEAD: Final = """
`GET /metrics` serves these in the Prometheus text format to any token; they hold no event data. What to alert on stands in
the [guide to operating](../guide/operating.md).
"""


def render_api() -> str:
    """Return `docs/reference/api.md`."""
    document = describe_api(ROUTES)
    operations = [
        (method.upper(), path, each)
        for path, methods in sorted(document["paths"].items(), key=lambda item: (not item[0].startswith("/api"), item))
        for method, each in sorted(methods.items())
    ]
    routes = [
        (f"`{method} {path}`", each["summary"], "public" if each.get("security") == [] else "")
        for method, path, each in operations
    ]
    parts = [f"# HTTP API\n\n{MADE}\n{_API_HEAD}", table(("route", "what for", "token"), routes)]
    schemas = document["components"]["schemas"]
    parts += [_operation(method, path, each, schemas) for method, path, each in operations]
    return "\n".join(parts)


def render_metrics_page() -> str:
    """Return `docs/reference/metrics.md`."""
    rows = [(f"`{name}`", meaning) for name, meaning in METRICS.items()]
    return f"# Figures for Prometheus\n\n{MADE}\n{_METRICS_HEAD}\n" + table(("name", "meaning"), rows)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; a bar in a cell does not end it."""
    lines = [headings, ["---"] * len(headings), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(' '.join(cell.split()) for cell in line)} |\n" for line in lines)


def _operation(method: str, path: str, operation: dict[str, Any], schemas: dict[str, Any]) -> str:
    parts = [f"## {method} {path}\n", operation["description"].strip() + "\n"]
    if parameters := operation.get("parameters"):
        rows = [(f"`{each['name']}`", each["in"], _type(each["schema"]), each["description"]) for each in parameters]
        parts.append(table(("parameter", "in", "type", "meaning"), rows))
    if body := operation.get("requestBody"):
        parts.append(f"Body ({_media(body)}){_body(body, schemas)}")
    answers, refusals = [], []
    for status, response in sorted(operation["responses"].items()):
        content = response.get("content", {})
        if "application/problem+json" in content:
            refusals += [f"{status} `{code}`" for code in content["application/problem+json"]["examples"]]
        else:
            answers.append((status, _media(response), _shape(response), response["description"]))
    parts.append(table(("status", "type", "shape", "meaning"), answers))
    parts.append(f"Refusals, for example: {', '.join(refusals)}.\n")
    return "\n".join(parts)


def _body(body: dict[str, Any], schemas: dict[str, Any]) -> str:
    """Return what a body holds: in its own words where it has them, else as a table of its fields."""
    if "description" in body:
        return f": {body['description']}\n"
    shape = schemas[_reference(body["content"]["application/json"]["schema"])]
    required = set(shape.get("required", ()))
    rows = [
        (f"`{name}`", _type(each), "yes" if name in required else "", each.get("description", ""))
        for name, each in _fields("", shape, schemas)
    ]
    return ":\n\n" + table(("field", "type", "required", "meaning"), rows)


def _fields(prefix: str, shape: dict[str, Any], schemas: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, each in shape["properties"].items():
        inner = schemas.get(_reference(each), each)
        if "properties" in inner:
            yield from _fields(f"{prefix}{name}.", inner, schemas)
        else:
            yield prefix + name, inner  # of a choice, its words


def _reference(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _type(schema: dict[str, Any]) -> str:
    kinds = [each.get("type", "any") for each in schema.get("oneOf", [schema]) if each.get("type") != "null"]
    if words := schema.get("enum"):
        return " or ".join(f"`{word}`" for word in words)
    limits = [f"{name} {schema[key]:g}" for name, key in (("from", "minimum"), ("to", "maximum")) if key in schema]
    if schema.get("default", "") != "":
        limits.append(f"default {str(schema['default']).lower()}")
    return " ".join([*kinds, *limits])


def _media(described: dict[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in described.get("content", {}))


def _shape(response: dict[str, Any]) -> str:
    names = {each["schema"].get("$ref", "").rpartition("/")[2] for each in response.get("content", {}).values()}
    return ", ".join(f"`{name}`" for name in sorted(names - {""}))
