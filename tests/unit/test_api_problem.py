"""Every error the product knows becomes a problem document; everything else becomes an incident number and no more."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar, get
from litestar.testing import TestClient

import tallystick
from tallystick import errors
from tallystick.api.problem import MEDIA_TYPE, STATUS_OF, error_handlers, problem_of, respond, status_of
from tallystick.errors import (
    InvalidInputError,
    NotFoundError,
    PermissionMissingError,
    StorageFullError,
    TallystickError,
    TooLargeError,
    UnavailableError,
)

FAMILIES = {
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, TallystickError) and not issubclass(kind, PermissionMissingError)
}
ADVICE_COMES_WITH_THE_ERROR = {"category-unknown", "server-refused", "setting-invalid", "unknown-map"}
"""Codes whose advice depends on the case, so that every raise gives it."""


def _load_everything() -> None:
    for module in pkgutil.walk_packages(tallystick.__path__, "tallystick."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def _below(kind: type[TallystickError]) -> Iterator[type[TallystickError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


_load_everything()
CONCRETE = sorted(
    (
        kind
        for kind in {*_below(TallystickError)} - FAMILIES
        if kind.__module__.startswith("tallystick.") and not kind.__module__.startswith("tallystick.testing")
    ),
    key=lambda kind: kind.code,
)


def _made(kind: type[TallystickError]) -> TallystickError:
    """Return an error of a class, whatever its own constructor asks for."""
    error = kind.__new__(kind)
    TallystickError.__init__(error, "what went wrong")
    for name in ("pointer", "line", "column", "item"):
        if isinstance(error, InvalidInputError):
            setattr(error, name, None)
    return error


@pytest.mark.parametrize("kind", CONCRETE, ids=lambda kind: kind.__name__)
def test_every_error_has_a_code_advice_a_meaning_and_a_status(kind: type[TallystickError]) -> None:
    assert "code" in vars(kind), "a class without a code of its own cannot be told from its family"
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", kind.code)
    assert kind.advice or kind.code in ADVICE_COMES_WITH_THE_ERROR
    assert (kind.__doc__ or "").split("\n\n")[0].strip().endswith(".")
    problem = problem_of(_made(kind))
    assert 400 <= problem.status < 600
    assert (problem.code, problem.type) == (kind.code, f"urn:tallystick:problem:{kind.code}")
    assert problem.detail == "what went wrong"


def test_no_two_errors_share_a_code_but_a_class_and_its_parent() -> None:
    first: dict[str, type[TallystickError]] = {}
    for kind in sorted((*CONCRETE, *FAMILIES), key=lambda kind: len(kind.__mro__)):
        assert issubclass(kind, first.setdefault(kind.code, kind)), kind


def test_every_family_has_the_status_that_its_meaning_calls_for() -> None:
    assert set(STATUS_OF) == FAMILIES - {TallystickError}
    assert {family.code: int(status_of(family)) for family in FAMILIES} == {
        "error": 500,
        "invalid-input": 422,
        "too-large": 413,
        "unauthenticated": 401,
        "forbidden": 403,
        "not-found": 404,
        "conflict": 409,
        "unavailable": 503,
        "storage-full": 507,
        "configuration": 500,
        "corruption": 500,
        "verification-failed": 500,
    }


def test_the_narrowest_family_decides() -> None:
    assert status_of(TooLargeError) != status_of(InvalidInputError)
    order = list(STATUS_OF)
    for at, family in enumerate(order):
        assert not any(issubclass(family, wider) for wider in order[:at])


def test_a_problem_says_where_in_the_input_it_lies_and_leaves_out_what_is_not_known() -> None:
    error = InvalidInputError("no", pointer="/scope", line=3, column=9, item=2, advice="write it so")
    document = json.loads(respond(problem_of(error)).content)
    assert {name: document[name] for name in ("pointer", "line", "column", "item", "advice")} == {
        "pointer": "/scope",
        "line": 3,
        "column": 9,
        "item": 2,
        "advice": "write it so",
    }
    assert "incident" not in document
    assert "pointer" not in json.loads(respond(problem_of(NotFoundError("no"))).content)


@get("/fails")
async def fails() -> None:
    secret = "hunter2"
    raise RuntimeError(f"the password is {secret}")


def test_a_bug_of_ours_is_answered_with_an_incident_number_and_nothing_internal() -> None:
    app = Litestar([fails], exception_handlers=error_handlers(), openapi_config=None, logging_config=None)
    with TestClient(app, raise_server_exceptions=False) as http:
        answers = [http.get("/fails") for _ in range(2)]
    documents: list[dict[str, Any]] = [answer.json() for answer in answers]
    for answer, document in zip(answers, documents, strict=True):
        assert answer.status_code == document["status"] == 500
        assert answer.headers["content-type"].startswith(MEDIA_TYPE)
        assert (document["code"], document["detail"]) == ("unexpected", "something went wrong on our side")
        assert re.fullmatch(r"[0-9a-f]{12}", document["incident"])
        assert not re.search(r"hunter2|RuntimeError|Traceback|\.py", answer.text)
    assert documents[0]["incident"] != documents[1]["incident"]


@pytest.mark.parametrize("family", [UnavailableError, StorageFullError])
def test_what_passes_by_itself_is_a_server_error_that_clients_repeat(family: type[TallystickError]) -> None:
    assert int(status_of(family)) in {503, 507}
