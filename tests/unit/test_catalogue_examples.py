"""Examples of catalogued actions: events that a strict source may send just so."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tallystick.event.admission import Admission
from tallystick.event.catalogue import CatalogueFile, load_shipped
from tallystick.event.catalogue_example import example_of
from tallystick.event.pseudonym import Pseudonyms
from tallystick.ledger.genesis import PRODUCT

SHIPPED = load_shipped()
OWN = """\
format: 1
category: application
actions:
  invoice.approved:
    description: An invoice was approved.
    message: "Approved {target.id}"
    metadata:
      amount: {type: number, minimum: 10}
      state: {enum: [open, paid]}
      number: {type: string, pattern: "^[0-9]{6}$"%s}
    required: [number]
    since: "1.0.0"
"""


@pytest.mark.parametrize("name", sorted(SHIPPED.types))
def test_the_example_of_every_shipped_action_is_accepted_from_a_strict_source(name: str) -> None:
    example = example_of(SHIPPED.types[name])
    assert example is not None
    # Only the product may send all of them; strictness is what is tested here.
    strict = replace(PRODUCT, strict=True)
    admission = Admission(SHIPPED, Pseudonyms(bytes(32)))
    admission.admit(json.dumps(example).encode(), strict, now_us=1_800_000_000_000_000)  # raises when it refuses
    assert set(example.get("metadata", {})) == set(SHIPPED.types[name].metadata_schema.get("properties", {}))


def test_an_example_in_a_schema_is_the_one_that_is_shown() -> None:
    own = SHIPPED.extended([CatalogueFile("own", (OWN % ', examples: ["004711"]').encode())])
    example = example_of(own.types["invoice.approved"])
    assert example is not None
    assert example["metadata"] == {"amount": 10, "state": "open", "number": "004711"}


def test_no_example_is_made_up_that_the_schema_would_refuse() -> None:
    own = SHIPPED.extended([CatalogueFile("own", (OWN % "").encode())])
    assert example_of(own.types["invoice.approved"]) is None
