"""The verbs of a review: mark, decide, leave something to be done, sign.

Everything binds to the digest of the snapshot. Time is that of the ledger; nobody can give another.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from tallystick.access.grants.asking import acting_person, is_operator
from tallystick.access.grants.deciding import require_another
from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.event.identifier import hidden_character
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.review import events, rows
from tallystick.review.complete import about_her, digest_of_marks, standing_of
from tallystick.review.errors import (
    LateReasonMissingError,
    OwnReviewError,
    ReviewClosedError,
    ReviewerNotNamedError,
    ReviewIncompleteError,
    ReviewInvalidError,
    ReviewNotFoundError,
    SnapshotChangedError,
)
from tallystick.review.found import own_rows
from tallystick.review.model import TEXT_CHARS_MAX, Item, Review, Section
from tallystick.review.periods import DAY_US
from tallystick.review.ports import ReviewPorts
from tallystick.review.sections import GRANTS, REVOKE, SectionType, sections_of
from tallystick.store.tables.reviews import REVIEW_FOLLOW_UP

FOLLOW_UP_DAYS_MAX = 366
Events = Sequence[Mapping[str, Any]]


class Reviewing:
    """Reviews being done; may be used from any thread. A review that the caller may not see is not there."""

    def __init__(self, projection: Projection, commands: Commands, ports: ReviewPorts) -> None:
        self._projection = projection
        self._commands = commands
        self._ports = ports

    def mark(self, caller: Caller, review_id: str, section: str, digest: str, verdict: str, note: str = "") -> int:
        """Say what was found in a section, and return how many of its events or items the mark says nothing of: those
        that are about the caller.

        Raises ReviewNotFoundError, ReviewClosedError, SnapshotChangedError, ReviewerNotNamedError, ReviewInvalidError,
        OwnReviewError where all of a section is about her.
        """
        caller = acting_person(caller)
        with self._projection.engine.connect() as connection:
            review, found, made = self._markable(connection, caller, review_id, section, digest)
            items = rows.load_items(connection, review.id, section)
        if found.form == "decisions":
            raise ReviewInvalidError("the items of this section are decided one by one", pointer="/section")
        note = _checked_note(made, verdict, note)
        own = self._own(caller, review, found, items)
        relevant = found.count if found.drawn is None else len(found.drawn)
        if own and len(own) == relevant:
            raise OwnReviewError("everything in this section is about you")

        def decide(connection: Connection) -> Events:
            now, _, _ = self._markable(connection, caller, review_id, section, digest)
            return [events.marked(caller, now, section, verdict, note, own, self._ports.now_us())]

        self._commands.run(decide)
        return len(own)

    def decide(
        self, caller: Caller, review_id: str, section: str, item: str, digest: str, verdict: str, note: str = ""
    ) -> None:
        """Decide about one item. A grant that is revoked ends at once, before the decision is on record.

        Raises what `mark` raises, OwnReviewError for an item about the caller, and PermissionMissingError for who may
        not revoke a grant.
        """
        caller = acting_person(caller)
        with self._projection.engine.connect() as connection:
            review, found, made = self._markable(connection, caller, review_id, section, digest)
            items = rows.load_items(connection, review.id, section)
        if found.form != "decisions" or all(each.item != item for each in items):
            raise ReviewNotFoundError(f"the section has no item {item[:80]!r} that is decided")
        note = _checked_note(made, verdict, note)
        if item in about_her(section, items, _ids(caller)):
            raise OwnReviewError("this item is about you")
        if section == GRANTS and verdict == REVOKE:
            # A crash after this leaves a grant that ended by its own event; deciding again puts the decision on record.
            self._ports.revoke(caller, item, note)

        def decide(connection: Connection) -> Events:
            now, _, _ = self._markable(connection, caller, review_id, section, digest)
            return [events.decided(caller, now, section, item, verdict, note, self._ports.now_us())]

        self._commands.run(decide)

    def open_follow_up(
        self, caller: Caller, review_id: str, *, section: str, owner: str, text: str, due_us: int
    ) -> str:
        """Leave something to be done and return its id. It stands in every later review of the duty until it is.

        Raises ReviewNotFoundError, ReviewClosedError, ReviewerNotNamedError, ReviewInvalidError.
        """
        caller = acting_person(caller)
        text, owner = _text(text, "/text", "a follow-up"), owner.strip()
        if not owner or len(owner) > 128 or hidden_character(owner) is not None:
            raise ReviewInvalidError("a follow-up has an owner: the id of a person or a team", pointer="/owner")
        follow_up = f"f-{secrets.token_hex(5)}"

        def decide(connection: Connection) -> Events:
            review = self._reviewable(connection, caller, review_id)
            if section and review.section(section) is None:
                raise ReviewNotFoundError(f"the review has no section {section[:40]!r}")
            now_us = self._ports.now_us()
            if not now_us < due_us <= now_us + FOLLOW_UP_DAYS_MAX * DAY_US:
                raise ReviewInvalidError("a follow-up is due within a year from now", pointer="/due")
            return [events.follow_up_opened(caller, review, follow_up, section, owner, text, due_us, now_us)]

        self._commands.run(decide)
        return follow_up

    def finish_follow_up(self, caller: Caller, follow_up: str, *, outcome: str) -> None:
        """Say that a follow-up is done and what came of it: its owner, or who may sign in its scope.

        Raises ReviewNotFoundError, ReviewClosedError when it is done already, PermissionMissingError.
        """
        caller = acting_person(caller)
        outcome = _text(outcome, "/outcome", "what came of it")

        def decide(connection: Connection) -> Events:
            found = rows.load_follow_ups(connection, REVIEW_FOLLOW_UP.c.follow_up == follow_up)
            if not found or not (
                caller.rights.allows(Permission.REVIEWS_READ, found[0].scope) or found[0].owner == caller.id
            ):
                raise ReviewNotFoundError(f"there is no follow-up {follow_up[:40]} that you may see")
            if found[0].owner != caller.id:
                require(caller, Permission.REVIEWS_SIGN, found[0].scope)
            if found[0].done_at is not None:
                raise ReviewClosedError(f"follow-up {follow_up} is done")
            return [events.follow_up_done(caller, found[0], outcome, self._ports.now_us())]

        self._commands.run(decide)

    def sign(self, caller: Caller, review_id: str, digest: str, *, reason: str = "") -> bool:
        """Sign a review, and return whether it is closed by that: where two must sign, the second closes it.

        Raises what `mark` raises, ReauthenticationNeededError, ReviewIncompleteError, LateReasonMissingError, and
        OwnDecisionError for a second signature that is not another's.
        """
        caller = acting_person(caller)
        closed: list[bool] = []
        if len(reason) > TEXT_CHARS_MAX:
            raise ReviewInvalidError(f"a reason has at most {TEXT_CHARS_MAX:,} characters", pointer="/reason")

        def decide(connection: Connection) -> Events:
            review = self._reviewable(connection, caller, review_id, digest)
            marks = rows.load_marks(connection, [review.id])[review.id]
            items = rows.load_items(connection, review.id)
            missing = [
                f"{each.section}: {stands.waiting}"
                for each in review.sections
                if not (stands := standing_of(each, marks, items)).done
            ]
            if missing:
                raise ReviewIncompleteError(f"the review is not complete: {'; '.join(missing)[:400]}")
            now_us = self._ports.now_us()
            earlier = rows.load_signatures(connection, review.id)
            if earlier:
                signers = {each.person for each in earlier}
                require_another(connection, caller, Permission.REVIEWS_SIGN, review.scope, now_us, signers)
            late = now_us > review.due
            if late and not reason.strip():
                raise LateReasonMissingError("the review was due before, and is signed late")
            last = bool(earlier) or not review.terms.second
            closed[:] = [last]
            place = "second" if earlier else "first"
            self._ports.require_fresh(caller)
            signature = events.signed(
                caller, review, place, digest_of_marks(marks), reason.strip(), last=last, late=late, now_us=now_us
            )
            return [signature]

        self._commands.run(decide)
        return closed[-1]

    def start(self, caller: Caller, review_id: str) -> None:
        """Put it on record that somebody who may sign looks at a review for the first time; otherwise nothing."""

        def decide(connection: Connection) -> Events:
            review = visible_review(connection, caller, review_id)
            if review.closed is not None or review.started_at is not None or not self.may_review(caller, review):
                return []
            return [events.started(caller, review, self._ports.now_us())]

        self._commands.run(decide)

    def may_review(self, caller: Caller, review: Review) -> bool:
        """Return whether the caller is one who reviews this: she may sign, and the duty named her or nobody when it
        opened.
        """
        if caller.type == "service" or not caller.rights.allows(Permission.REVIEWS_SIGN, review.scope):
            return False
        terms = review.terms
        if is_operator(caller) or not (terms.reviewers or terms.role) or caller.id in terms.reviewers:
            return True
        return bool(terms.role) and caller.id in self._ports.holders(terms.role, review.scope, self._ports.now_us())

    def _reviewable(self, connection: Connection, caller: Caller, review_id: str, digest: str | None = None) -> Review:
        """Return an open review that the caller may work on; raises as `mark` does."""
        review = visible_review(connection, caller, review_id)
        require(caller, Permission.REVIEWS_SIGN, review.scope)
        if not self.may_review(caller, review):
            raise ReviewerNotNamedError("this duty is reviewed by others")
        if review.closed is not None:
            raise ReviewClosedError(f"review {review.id} is {review.closed}")
        if digest is not None and digest != review.digest:
            raise SnapshotChangedError("this is not the digest of the review's snapshot")
        return review

    def _markable(
        self, connection: Connection, caller: Caller, review_id: str, section: str, digest: str
    ) -> tuple[Review, Section, SectionType]:
        review = self._reviewable(connection, caller, review_id, digest)
        found = review.section(section)
        if found is None:
            raise ReviewNotFoundError(f"the review has no section {section[:40]!r}")
        if rows.load_signatures(connection, review.id):
            raise ReviewClosedError("the review has a signature: what it was given for stays as it is")
        return review, found, sections_of(review.kind)[section]

    def _own(
        self, caller: Caller, review: Review, section: Section, items: Sequence[Item]
    ) -> tuple[int, ...] | tuple[str, ...]:
        if section.form == "events":
            return own_rows(self._ports.search, section, review.scope, _ids(caller)) if section.count else ()
        return about_her(section.section, items, _ids(caller))


def visible_review(connection: Connection, caller: Caller, review_id: str) -> Review:
    """Return a review that the caller may see; raises ReviewNotFoundError."""
    found = rows.find_review(connection, review_id)
    if found is None or not caller.rights.allows(Permission.REVIEWS_READ, found.scope):
        raise ReviewNotFoundError(f"there is no review {review_id[:48]} that you may see")
    return found


def _ids(caller: Caller) -> frozenset[str]:
    return caller.aliases | {caller.id}


def _checked_note(made: SectionType, verdict: str, note: str) -> str:
    if verdict not in made.verdicts:
        raise ReviewInvalidError(f"a verdict here is one of: {', '.join(made.verdicts)}", pointer="/verdict")
    if verdict == made.remark:
        return _text(note, "/note", f"a note, which {verdict!r} needs,")
    if len(note) > TEXT_CHARS_MAX:
        raise ReviewInvalidError(f"a note has at most {TEXT_CHARS_MAX:,} characters", pointer="/note")
    return note.strip()


def _text(text: str, pointer: str, what: str) -> str:
    text = text.strip()
    if not text or len(text) > TEXT_CHARS_MAX:
        raise ReviewInvalidError(f"{what} has 1 to {TEXT_CHARS_MAX:,} characters", pointer=pointer)
    return text
