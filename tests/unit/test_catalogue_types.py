from __future__ import annotations

import json
from collections import Counter

import pytest

from tallystick.event.catalogue import CATEGORIES, Catalogue, CatalogueFile, load_shipped
from tallystick.event.catalogue_parse import CatalogueError
from tallystick.event.limits import Limits
from tallystick.verify.actions import ONLY_PRODUCT

READING_ACTIONS = [
    "events.streamed",
    "events.searched",
    "event.viewed",
    "events.exported",
    "proof.downloaded",
    "events.tailed",
    "events.pulled",
    "access.looked",
    "export.downloaded",
]
RELEASE_ACTIONS = [
    "release.created",
    "release.updated",
    "release.milestones_changed",
    "release.deleted",
    "release.asset_added",
    "release.asset_removed",
    "release.artifact_downloaded",
    "release.evidence_collected",
    "repository.download_started",
]


def extended(text: str) -> Catalogue:
    return load_shipped().extended([CatalogueFile("own.yaml", text.encode())])


def one_action(**members: object) -> str:
    action = {"description": "What our own system did, and when it says so.", "message": "Did it", **members}
    return json.dumps({"format": 1, "category": "application", "actions": {"own.done": action}})


def test_the_shipped_catalogue_has_no_problems() -> None:
    assert [str(problem) for problem in load_shipped().check()] == []


def test_actions_about_the_ledger_keep_their_facts_for_ever_and_reading_has_its_own_class() -> None:
    classes = {name: load_shipped().types[name].retention_class for name in ONLY_PRODUCT}
    assert {name for name, kind in classes.items() if kind == "reading"} == set(READING_ACTIONS)
    assert set(classes.values()) == {"reading", "ledger-access"}


def test_a_search_by_a_reader_keeps_the_query_out_of_the_facts() -> None:
    for name in set(READING_ACTIONS) - {"export.downloaded"}:  # which names an export and no query
        facts = load_shipped().types[name].facts
        assert "/metadata" not in facts
        assert "/metadata/query" not in facts


def test_each_of_the_five_categories_is_well_described() -> None:
    counts = Counter(kind.category for kind in load_shipped().types.values())
    assert set(counts) == set(CATEGORIES)
    assert min(counts.values()) >= 15


def test_release_and_security_policy_actions_are_there() -> None:
    for name in [*RELEASE_ACTIONS, "security_policy.created", "security_policy.updated", "security_policy.deleted"]:
        assert load_shipped().get(name) is not None


def test_no_two_actions_are_described_in_the_same_words() -> None:
    descriptions = Counter(kind.description for kind in load_shipped().types.values())
    assert [text for text, count in descriptions.items() if count > 1] == []


def test_an_unknown_action_is_undeclared() -> None:
    assert load_shipped().get("vendor.okta.something") is None


def test_definitions_give_the_same_catalogue_back_and_fit_into_one_event() -> None:
    catalogue = load_shipped()
    text = json.dumps(catalogue.definitions())
    assert Catalogue.from_definitions(json.loads(text)).digest == catalogue.digest
    assert len(text) < Limits().event_bytes_max


def test_the_digest_tells_any_difference() -> None:
    with_low, with_high = extended(one_action(severity="low")), extended(one_action(severity="high"))
    assert len({load_shipped().digest, with_low.digest, with_high.digest}) == 3


def test_class_numbers_are_those_of_a_new_ledger() -> None:
    assert dict(load_shipped().class_numbers) == {"ledger-access": 1, "standard": 2, "reading": 3}


def test_metadata_as_a_fact_means_only_what_the_catalogue_describes() -> None:
    kind = extended(one_action(metadata={"ticket": "string"}, facts=["/metadata"])).get("own.done")
    assert kind is not None
    assert kind.facts == ("/metadata/ticket",)


def test_an_operators_file_adds_its_actions() -> None:
    kind = extended(one_action(required=["ticket"], metadata={"ticket": "string", "tags": "string[]"})).get("own.done")
    assert kind is not None
    assert kind.metadata_schema["properties"]["tags"] == {"type": "array", "items": {"type": "string"}}
    assert (kind.origin, kind.severity, kind.retention_class, kind.streamed) == (
        "any",
        "informational",
        "standard",
        True,
    )


@pytest.mark.parametrize(
    ("members", "key", "says"),
    [
        ({"severity": "dire"}, "severity", "not one of"),
        ({"colour": "red"}, "colour", "unknown key"),
        ({"origin": "product"}, "origin", "only the product"),
        ({"message": "Did {target.name"}, "message", "brace"),
        ({"message": "Did [it]"}, "message", "decides"),
        ({"message": ""}, "message", "missing"),
        ({"description": 7}, "description", "missing or not text"),
        ({"facts": ["metadata/x"]}, "facts.0", "not a pointer"),
        ({"facts": ["/raw/secret"]}, "facts.0", "always personal"),
        ({"metadata": {"x": "text"}}, "metadata.x", "neither a schema"),
        ({"required": ["x"]}, "required.0", "not described"),
        ({"retention": "for-ever"}, "retention", "not one of"),
        ({"ocsf": [6003]}, "ocsf", "class number"),
        ({"controls": ["A", "A"]}, "controls", "twice"),
        ({"streamed": "no"}, "streamed", "true or false"),
        ({"since": "soon"}, "since", "version"),
    ],
)
def test_what_is_wrong_in_a_file_is_named_with_its_line_and_key(
    members: dict[str, object], key: str, says: str
) -> None:
    with pytest.raises(CatalogueError) as caught:
        extended(one_action(**members))
    assert caught.value.key.startswith(f"actions.own.done.{key}")
    assert (caught.value.file, caught.value.line) == ("own.yaml", 1)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (
            "format: 1\nactions:\n  release.created: {description: x, message: y}\n",
            3,
            "already defined in releases.yaml",
        ),
        ("format: 1\nactions:\n  Own: {}\n", 3, "dotted lower-case"),
        ("format: 2\nactions: {}\n", 1, "format 1"),
        ("format: 1\nactions: {}\nformat: 1\n", 3, "twice"),
        ("format: 1\nactions: {a.b: &x {}, c.d: *x}\n", 2, "aliases"),
        ("format: 1\nactions: {a.b: !!python/object:os.system {}}\n", 2, "tags"),
        ("format: 1\nactions: {a.b: {since: 2026-01-01}}\n", 2, "quotes"),
        ("format: 1\nother: 1\nactions: {}\n", 2, "unknown key"),
        ("format: [\n", 2, "not YAML"),
        ("", 1, "empty"),
        ("- 1\n", 1, "mapping"),
        ("[" * 200, 1, "nested deeper"),
    ],
)
def test_a_broken_file_is_refused_at_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(CatalogueError, match=says) as caught:
        extended(text)
    assert caught.value.line == line


def test_an_oversized_file_is_refused() -> None:
    with pytest.raises(CatalogueError, match="at most"):
        extended("#" * (1024 * 1024 + 1))


@pytest.mark.parametrize(
    ("members", "key"),
    [
        ({"message": "Did {metadata.ticket}"}, "message"),
        ({"message": "Did {target.colour}"}, "message"),
        ({"message": "Did {weather}"}, "message"),
        ({"facts": ["/metadata/ticket"]}, "facts"),
        ({"ocsf": [9999, 1]}, "ocsf"),
        ({"ocsf": [6003, 77]}, "ocsf"),
        ({"controls": ["SOC2"]}, "controls"),
        ({"description": "Too short."}, "description"),
        ({"metadata": {"x": {"type": "colour"}}}, "metadata"),
    ],
)
def test_check_finds_what_parsing_lets_through(members: dict[str, object], key: str) -> None:
    problems = extended(one_action(**members)).check()
    assert [(problem.action, problem.key, problem.file, problem.line) for problem in problems] == [
        ("own.done", key, "own.yaml", 1)
    ]
