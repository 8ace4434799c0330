"""The OpenAPI document, taken at its word: generated requests to every operation, as callers of different rights.

Whatever is sent, no answer is a server error, every answer is one that the document describes, and what was planted in
a scope that the caller may not read is in none of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import schemathesis
from hypothesis import settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.installation import Installation, installation, sample

from tallystick.api.app import ROUTES
from tallystick.api.openapi import describe_api

schema = schemathesis.openapi.from_dict(msgspec.json.decode(msgspec.json.encode(describe_api(ROUTES))))


def no_server_error(_context: Any, response: Any, _case: Any) -> None:
    """Hold what is asked above: no answer says that something broke; to be asked to wait (503) is none of these."""
    assert response.status_code < 500 or response.status_code == 503, response.text


CHECKS = [no_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
CANARY = "canary7f3k2m9q4t"
EXAMPLES = 8
SENT = ("method", "url", "params", "headers", "json", "data", "content")


@schemathesis.serializer("application/x-ndjson")
def write_lines(_: Any, value: Any) -> bytes:
    return b"\n".join(msgspec.json.encode(each) for each in (value if isinstance(value, list) else [value]))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("house")) as opened:
        secret = sample(
            scope=f"secret/{CANARY}",
            actor={"id": f"actor-{CANARY}", "type": "user", "email": f"{CANARY}@example.org"},
            target={"id": f"target-{CANARY}", "type": "application", "name": CANARY},
            metadata={CANARY: CANARY},
            context={"request_id": f"r-{CANARY}"},
        )
        opened.post([sample(), sample(scope="acme/payments"), secret]).raise_for_status()
        yield opened


def send(house: Installation, case: Any, headers: dict[str, str]) -> Any:
    """Return the answer to a generated request; a generated authorization does not replace the caller's."""
    request = case.as_transport_kwargs()
    own = {name: value for name, value in request["headers"].items() if name.lower() != "authorization"}
    request["headers"] = {**own, **headers}
    if isinstance(request.get("data"), str | bytes):
        request["content"] = request.pop("data")
    return house.http.request(**{name: request[name] for name in SENT if name in request})


@schema.parametrize()
@settings(max_examples=EXAMPLES, derandomize=True, database=None, deadline=None)
def test_whoever_may_do_everything_gets_documented_answers_and_never_a_server_error(
    case: Any, house: Installation
) -> None:
    case.validate_response(send(house, case, house.token()), checks=CHECKS)


@schema.parametrize()
@settings(max_examples=EXAMPLES, derandomize=True, database=None, deadline=None)
def test_a_reader_of_one_scope_learns_nothing_of_another_whatever_is_asked(case: Any, house: Installation) -> None:
    answer = send(house, case, house.token("read", "acme", "narrow"))
    case.validate_response(answer, checks=CHECKS)
    # A caller may be told her own words again; the canary is in no word that is generated.
    assert CANARY not in answer.text


@schema.parametrize()
@settings(max_examples=EXAMPLES, derandomize=True, database=None, deadline=None)
def test_a_stranger_gets_documented_refusals_and_learns_nothing(case: Any, house: Installation) -> None:
    answer = send(house, case, {})
    case.validate_response(answer, checks=CHECKS)
    assert CANARY not in answer.text
