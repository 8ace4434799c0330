"""The OpenAPI document says everything a client needs: what to send, what comes back, and how each route refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.api.app import ROUTES
from tallystick.api.openapi import describe_api
from tallystick.api.problem import MEDIA_TYPE

DOCUMENT = describe_api(ROUTES)
OPERATIONS = [(path, method, each) for path, methods in DOCUMENT["paths"].items() for method, each in methods.items()]
NAMES = [f"{method} {path}" for path, method, _ in OPERATIONS]


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=NAMES)
def test_a_route_says_what_it_is_for_what_it_takes_and_what_it_answers(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    assert operation["summary"]
    assert operation["description"].strip().endswith(".")
    assert operation["tags"]
    for parameter in operation.get("parameters", ()):
        assert parameter["description"], parameter["name"]
        assert parameter["schema"]
    body = operation.get("requestBody", {})
    assert not body or method in {"post", "put", "patch"}
    assert all(
        each.keys() & {"schema", "examples"} for each in body.get("content", {}).values() if "description" not in body
    )
    assert min(operation["responses"]) < "400"
    for status, response in operation["responses"].items():
        if status < "400":
            assert response["description"]
            assert (status == "204") == ("content" not in response)
            assert all(each["schema"] for each in response.get("content", {}).values())


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=NAMES)
def test_a_route_describes_its_refusals_as_problems(path: str, method: str, operation: dict[str, Any]) -> None:
    refusals = {status: each for status, each in operation["responses"].items() if status >= "400"}
    assert any(status < "500" for status in refusals)
    assert operation.get("security") == [] or "401" in refusals
    for status, response in refusals.items():
        if (path, status) == ("/readyz", "503"):
            assert set(response["content"]) == {"application/json"}, "the state of the ledger, the same as when ready"
            continue
        content = response["content"][MEDIA_TYPE]
        assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
        for code, example in content["examples"].items():
            assert example["value"]["code"] == code
            assert example["value"]["status"] == int(status)


def test_the_body_of_a_post_is_described_in_both_its_forms() -> None:
    body = DOCUMENT["paths"]["/api/v1/events"]["post"]["requestBody"]
    assert body["required"] is True
    assert set(body["content"]) == {"application/json", "application/x-ndjson"}
    assert body["content"]["application/json"]["examples"]["event"]["value"]["action"] == "user.signed_in"


def test_every_reference_in_the_document_leads_somewhere() -> None:
    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [each for inner in value.values() for each in references(inner)]
        return [each for inner in value for each in references(inner)] if isinstance(value, list) else []

    schemas = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert set(references(DOCUMENT)) <= schemas
