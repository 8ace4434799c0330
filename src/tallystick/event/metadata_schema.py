"""Checks `metadata` against the catalogue's JSON Schema: what strict sources ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tallystick.event.pointer import format_pointer
from tallystick.event.refusals import MetadataSchemaError

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator


class MetadataSchemas:
    """The schemas of the catalogue's actions, each compiled when it is first needed.

    jsonschema is imported only then: an instance without strict sources does not need it.
    """

    def __init__(self) -> None:
        self._validators: dict[str, Draft202012Validator] = {}

    def check(self, action: str, schema: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
        """Raise MetadataSchemaError, with a pointer into the event, unless `metadata` is as the schema says."""
        validator = self._validators.get(action)
        if validator is None:
            from jsonschema import Draft202012Validator

            validator = self._validators[action] = Draft202012Validator(dict(schema))
        errors = sorted(validator.iter_errors(metadata), key=lambda error: list(map(str, error.absolute_path)))
        if errors:
            first = errors[0]
            raise MetadataSchemaError(
                f"the metadata of {action} does not fit: {first.message[:300]}",
                pointer=format_pointer(["metadata", *first.absolute_path]),
            )
