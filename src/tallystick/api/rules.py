"""The register of detection rules: written, tested, approved by another, enabled; tried on history, and explained."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter

from tallystick.access.grants.errors import OwnDecisionError
from tallystick.access.scopes import parse_scope
from tallystick.api.commands import BODY_PROBLEMS, COMMAND, need_caller
from tallystick.api.openapi import PROBLEMS
from tallystick.api.rules_tried import (
    BacktestView,
    CheckView,
    ExplainedView,
    SampleView,
    backtest_view,
    check_view,
    explained_view,
    sample_views,
)
from tallystick.api.rules_views import ImportView, RuleDetail, RulesView, detail_view, import_view, rule_view
from tallystick.api.services import Services, caller_of
from tallystick.detect.errors import RuleChangedError, RuleStateError, RuleTextError, RuleUnknownError
from tallystick.detect.importing import FILES_MAX, File
from tallystick.detect.model import TEXT_BYTES_MAX
from tallystick.errors import PermissionMissingError

_READING: Final[dict[str, Any]] = {"guards": [need_caller], "sync_to_thread": True, "tags": ["rules"]}
#: A text may need six bytes for each of its characters, as JSON that others write.
_CHANGING: Final[dict[str, Any]] = {
    **COMMAND,
    "request_max_body_size": 6 * TEXT_BYTES_MAX + (64 << 10),
    "tags": ["rules"],
}
_IMPORT_BYTES_MAX: Final = 16 << 20
_KNOWN: Final = {403: PermissionMissingError.code, 404: RuleUnknownError.code}
_WRITTEN: Final = {403: PermissionMissingError.code, 409: RuleStateError.code, 422: RuleTextError.code, **BODY_PROBLEMS}
_STEPPED: Final = {**_KNOWN, 409: RuleStateError.code, 422: "rule-invalid", **BODY_PROBLEMS}
_DECIDED: Final = {**_STEPPED, 403: OwnDecisionError.code, 409: RuleChangedError.code}
Id = Annotated[str, PathParameter(description="The id of a rule.")]
_Digest = Annotated[str, msgspec.Meta(description="SHA-256 of the text that is meant.")]


class RuleText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The text of a rule."""

    text: str


class NewRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule to be written; it watches what happens in its scope once it is enabled."""

    text: str
    scope: Annotated[str, msgspec.Meta(description="A path such as acme/payments; / is everything.")] = "/"
    reason: str = ""


class RuleChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A newer text, and the version that it was made from."""

    text: str
    version: int
    reason: str = ""


class RuleDecision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A decision about exactly one text."""

    digest: _Digest
    reason: str = ""


class RuleDigest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The text that is to be in force."""

    digest: _Digest


class RuleReason(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a rule stops to watch."""

    reason: str


class RuleFileBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of rules, by its path in the folder that it comes from."""

    path: str
    text: str


class RuleFiles(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Files of rules that others wrote. `link` is where they come from, `license` what allows to use them."""

    files: Annotated[list[RuleFileBody], msgspec.Meta(max_length=FILES_MAX)]
    link: str = ""
    license: str = ""
    scope: str = "/"


class BacktestQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Over which time a rule is tried: `start` and `end` as in a search, such as -7d or 2026-03-01."""

    start: str = "-7d"
    end: str = "now"
    version: int | None = None


class ExplainQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """On which event a rule is explained: its index or its id."""

    event: str
    version: int | None = None


class Tested(msgspec.Struct, frozen=True, kw_only=True):
    """What came of each sample."""

    samples: list[SampleView]
    passed: bool


@get("/api/v1/rules", opt={PROBLEMS: {403: PermissionMissingError.code}}, summary="Detection rules", **_READING)
def list_rules(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> RulesView:
    """Return the rules that the caller may see, with where they stand and what they did. The look is recorded."""
    found = services.rules.reading.rules(caller_of(request, services))
    return RulesView(rules=[rule_view(each) for each in found])


@post("/api/v1/rules", opt={PROBLEMS: _WRITTEN}, summary="Write a detection rule", **_CHANGING)
def draft_rule(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[NewRule]
) -> RuleDetail:
    """Write a rule. It does not watch before its samples pass and somebody else approved it."""
    caller = caller_of(request, services)
    made = services.rules.service.draft(caller, _bytes(data.text), parse_scope(data.scope), reason=data.reason)
    return detail_view(services.rules.reading.rule(caller, made))


@post("/api/v1/rules/check", opt={PROBLEMS: _WRITTEN}, status_code=200, summary="Check a text", **_CHANGING)
def check_rule(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[RuleText]
) -> CheckView:
    """Return what a text says and what comes of its samples; nothing is recorded."""
    return check_view(*services.rules.service.check(caller_of(request, services), _bytes(data.text)))


@post(
    "/api/v1/rules/import",
    opt={PROBLEMS: _WRITTEN},
    status_code=200,
    summary="Import rules of others",
    **{**_CHANGING, "request_max_body_size": _IMPORT_BYTES_MAX},
)
def import_rules(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[RuleFiles]
) -> ImportView:
    """Keep rules that others wrote as drafts, with author and licence, and say what was refused and where."""
    files = [File(each.path, _bytes(each.text)) for each in data.files]
    caller = caller_of(request, services)
    return import_view(services.rules.importing.keep(caller, files, parse_scope(data.scope), data.link, data.license))


@get("/api/v1/rules/{rule_id:str}", opt={PROBLEMS: _KNOWN}, summary="One detection rule", **_READING)
def get_rule(request: Request[Any, Any, Any], services: NamedDependency[Services], rule_id: Id) -> RuleDetail:
    """Return a rule with its versions and its history. The look is recorded."""
    return detail_view(services.rules.reading.rule(caller_of(request, services), rule_id))


@post(
    "/api/v1/rules/{rule_id:str}/change",
    opt={PROBLEMS: {**_WRITTEN, **_KNOWN}},
    status_code=200,
    summary="Change a rule",
    **_CHANGING,
)
def change_rule(
    request: Request[Any, Any, Any], services: NamedDependency[Services], rule_id: Id, data: JSONBody[RuleChange]
) -> RuleDetail:
    """Write a newer version; what watches stays until the new one is enabled."""
    caller = caller_of(request, services)
    services.rules.service.change(caller, rule_id, _bytes(data.text), data.version, data.reason)
    return detail_view(services.rules.reading.rule(caller, rule_id))


@post("/api/v1/rules/{rule_id:str}/test", opt={PROBLEMS: _STEPPED}, status_code=200, summary="Test a rule", **_CHANGING)
def test_rule(request: Request[Any, Any, Any], services: NamedDependency[Services], rule_id: Id) -> Tested:
    """Run the newest version on its samples; what came of it is on record."""
    results = services.rules.service.test(caller_of(request, services), rule_id)
    return Tested(samples=sample_views(results), passed=all(each.passed for each in results))


@post(
    "/api/v1/rules/{rule_id:str}/approve",
    opt={PROBLEMS: _DECIDED},
    status_code=204,
    summary="Approve a rule",
    **_CHANGING,
)
def approve_rule(
    request: Request[Any, Any, Any], services: NamedDependency[Services], rule_id: Id, data: JSONBody[RuleDecision]
) -> None:
    """Approve exactly the text with this digest, which somebody else wrote."""
    services.rules.service.approve(caller_of(request, services), rule_id, data.digest, data.reason)


@post(
    "/api/v1/rules/{rule_id:str}/reject",
    opt={PROBLEMS: _DECIDED},
    status_code=204,
    summary="Reject a rule",
    **_CHANGING,
)
def reject_rule(
    request: Request[Any, Any, Any], services: NamedDependency[Services], rule_id: Id, data: JSONBody[RuleDecision]
) -> None:
    """Refuse a text that somebody else wrote."""
    services.rules.service.reject(caller_of(request, services), rule_id, data.digest, data.reason)


@post(
    "/api/v1/rules/{rule_id:str}/enable",
    opt={PROBLEMS: _STEPPED},
    status_code=204,
    summary="Enable a rule",
    **_CHANGING,
)
def enable_rule(
    request: Request[Any, Any, Any], services: NamedDependency[Services], rule_id: Id, data: JSONBody[RuleDigest]
) -> None:
    """Put an approved text in force; its samples are run once more."""
    services.rules.service.enable(caller_of(request, services), rule_id, data.digest)


@post(
    "/api/v1/rules/{rule_id:str}/disable",
    opt={PROBLEMS: _STEPPED},
    status_code=204,
    summary="Disable a rule",
    **_CHANGING,
)
def disable_rule(
    request: Request[Any, Any, Any], services: NamedDependency[Services], rule_id: Id, data: JSONBody[RuleReason]
) -> None:
    """Stop a rule from watching."""
    services.rules.service.disable(caller_of(request, services), rule_id, data.reason)


@post(
    "/api/v1/rules/{rule_id:str}/retire",
    opt={PROBLEMS: _STEPPED},
    status_code=204,
    summary="Retire a rule",
    **_CHANGING,
)
def retire_rule(
    request: Request[Any, Any, Any], services: NamedDependency[Services], rule_id: Id, data: JSONBody[RuleReason]
) -> None:
    """End a rule for good; its versions and history stay."""
    services.rules.service.retire(caller_of(request, services), rule_id, data.reason)


@post(
    "/api/v1/rules/{rule_id:str}/backtest",
    opt={PROBLEMS: _STEPPED},
    status_code=200,
    summary="Try a rule on history",
    **_CHANGING,
)
def backtest_rule(
    request: Request[Any, Any, Any], services: NamedDependency[Services], rule_id: Id, data: JSONBody[BacktestQuestion]
) -> BacktestView:
    """Return how often a version would have fired over a time, for whom, and on what. The reading is recorded."""
    caller = caller_of(request, services)
    return backtest_view(services.rules.backtests.run(caller, rule_id, data.start, data.end, version=data.version))


@post(
    "/api/v1/rules/{rule_id:str}/explain",
    opt={PROBLEMS: _STEPPED},
    status_code=200,
    summary="Explain a rule on an event",
    **_CHANGING,
)
def explain_rule(
    request: Request[Any, Any, Any], services: NamedDependency[Services], rule_id: Id, data: JSONBody[ExplainQuestion]
) -> ExplainedView:
    """Return why a version matches an event or does not. The reading is recorded."""
    caller = caller_of(request, services)
    return explained_view(services.rules.backtests.explain(caller, rule_id, data.event, version=data.version))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


RULE_ROUTES: Final = (
    list_rules,
    draft_rule,
    check_rule,
    import_rules,
    get_rule,
    change_rule,
    test_rule,
    approve_rule,
    reject_rule,
    enable_rule,
    disable_rule,
    retire_rule,
    backtest_rule,
    explain_rule,
)
