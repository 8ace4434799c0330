"""When a section counts as reviewed."""

from __future__ import annotations

from tallystick.review.complete import about_her, digest_of_marks, standing_of
from tallystick.review.model import Form, Item, Mark, Section


def section(form: Form = "events", count: int = 3) -> Section:
    return Section(section="readers", form=form, count=count, digest="0" * 64)


def mark(person: str, *own: int | str, item: str = "", index: int = 1, verdict: str = "no finding") -> Mark:
    return Mark("readers", item, person, None, verdict, None, own, 0, index)


def test_a_section_that_nobody_marked_waits() -> None:
    assert not standing_of(section(), [], []).done


def test_one_mark_is_enough_where_nothing_is_about_who_made_it() -> None:
    assert standing_of(section(), [mark("ana")], []).done


def test_events_about_who_marked_it_wait_for_somebody_else() -> None:
    found = standing_of(section(), [mark("ana", 4, 7)], [])
    assert not found.done
    assert "2 of it" in found.waiting


def test_two_who_read_the_log_can_mark_it_for_each_other() -> None:
    assert standing_of(section(), [mark("ana", 4), mark("bo", 7)], []).done


def test_an_event_about_both_who_marked_waits_for_a_third() -> None:
    marks = [mark("ana", 4, 9), mark("bo", 7, 9)]
    assert not standing_of(section(), marks, []).done
    assert standing_of(section(), [*marks, mark("cy")], []).done


def test_a_mark_of_another_section_counts_for_nothing() -> None:
    other = Section(section="alerts", form="events", count=0, digest="0" * 64)
    assert not standing_of(other, [mark("ana")], []).done


def test_items_are_decided_one_by_one() -> None:
    items = [Item("readers", "a", {"item": "a"}), Item("readers", "b", {"item": "b"})]
    one = standing_of(section("decisions", 2), [mark("ana", item="a")], items)
    assert (one.done, one.waiting) == (False, "1 of 2 are not decided")
    both = [mark("ana", item="a"), mark("ana", item="b")]
    assert standing_of(section("decisions", 2), both, items).done


def test_a_section_without_items_needs_no_decision() -> None:
    assert standing_of(section("decisions", 0), [], []).done


def test_an_item_is_about_whoever_is_among_its_people() -> None:
    items = [
        Item("readers", "a", {"people": ["p-1", "p-2"]}),
        Item("readers", "b", {}),
        Item("x", "c", {"people": ["p-1"]}),
    ]
    assert about_her("readers", items, {"p-1", "ana"}) == ("a",)


def test_another_verdict_or_another_mark_gives_another_digest() -> None:
    marks = [mark("ana"), mark("bo", index=2)]
    digests = {
        digest_of_marks(marks),
        digest_of_marks(marks[:1]),
        digest_of_marks([marks[0], mark("bo", index=2, verdict="finding")]),
    }
    assert len(digests) == 3
