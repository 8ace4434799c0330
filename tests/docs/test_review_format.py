"""The worked example of `docs/format/review.md` is what the program makes."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path

from tallystick.verify.review_format import RowRef, digest_items, digest_marks, digest_rows, draw

PAGE = Path(__file__).parents[2] / "docs" / "format" / "review.md"


def test_the_worked_example_of_a_review_is_made_again() -> None:
    found = re.search(r"```json review\n(.+?)\n```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    told = json.loads(found[1])
    rows = [RowRef(index, uuid.UUID(event).bytes, facts) for index, event, facts in told["rows"]]
    assert digest_rows(rows) == told["digest"]
    assert list(draw(bytes.fromhex(told["seed"]), rows, told["count"])) == told["drawn"]
    assert digest_items(told["items"]) == told["items_digest"]
    assert digest_marks(told["marks"]) == told["marks_digest"]
