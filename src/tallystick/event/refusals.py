"""Every way in which an event or a batch is refused at the door; each says what to do about it.

All carry the place: `item` in the batch, `pointer` into the event, `line` and `column` in what was sent.
"""

from __future__ import annotations

from tallystick.errors import InvalidInputError, TooLargeError


class MalformedJsonError(InvalidInputError):
    """The text is not JSON."""

    code = "malformed-json"
    advice = "Send one JSON object, one JSON array of objects, or one object per line."


class BadUtf8Error(InvalidInputError):
    """The bytes are not UTF-8."""

    code = "bad-utf8"
    advice = "Encode the text as UTF-8 before sending it."


class ByteOrderMarkError(InvalidInputError):
    """The text begins with a byte order mark."""

    code = "byte-order-mark"
    advice = "Write the text as UTF-8 without a byte order mark."


class DuplicateMemberError(InvalidInputError):
    """An object has two members of one name, so that two readers could see two values."""

    code = "duplicate-member"
    advice = "Keep one of the two members, or rename one."


class LoneSurrogateError(InvalidInputError):
    """Text holds half of a surrogate pair, which is not a character."""

    code = "lone-surrogate"
    advice = "Cut text between characters, not inside an escape pair such as \\ud83d\\ude00."


class NotANumberError(InvalidInputError):
    """NaN or an infinity stands where JSON has no such number."""

    code = "not-a-number"
    advice = "Send null or a text instead."


class NumberTooLargeError(InvalidInputError):
    """A number of magnitude 2^53 or more, whose value readers do not agree about."""

    code = "number-too-large"
    advice = "Send the number as text."


class TooDeepError(TooLargeError):
    """Objects and arrays are nested deeper than the limit."""

    code = "too-deep"
    advice = "Flatten the value, or send the inner part as text."


class MemberNameTooLongError(TooLargeError):
    """A member's name is longer than the limit."""

    code = "member-name-too-long"
    advice = "Shorten the name; long text belongs in values."


class EventTooLargeError(TooLargeError):
    """One event is larger than the limit."""

    code = "event-too-large"
    advice = "Keep documents elsewhere and send their digest, or ask the operator to raise the limit."


class BatchTooLargeError(TooLargeError):
    """The batch has more events or bytes than the limit."""

    code = "batch-too-large"
    advice = "Send the events in smaller batches."


class EmptyBatchError(InvalidInputError):
    """There is no event in what was sent."""

    code = "empty-batch"
    advice = "Send at least one event."


class UnknownMemberError(InvalidInputError):
    """The event has a member that events do not have."""

    code = "unknown-member"
    advice = "Put anything that has no member of its own into `metadata`."


class MissingMemberError(InvalidInputError):
    """A member that every event needs is not there."""

    code = "missing-member"
    advice = "See the reference page of the event for its required members."


class WrongTypeError(InvalidInputError):
    """A value is of another JSON type than its member takes."""

    code = "wrong-type"
    advice = "Send the type that the message names."


class UnknownValueError(InvalidInputError):
    """A value is none of those its member takes."""

    code = "unknown-value"
    advice = "Send one of the values that the message lists."


class BadTimeError(InvalidInputError):
    """`occurred_at` is not an RFC 3339 time."""

    code = "bad-time"
    advice = "Send a time such as 2026-03-01T12:00:00.000000Z."


class TimeWithoutZoneError(BadTimeError):
    """`occurred_at` does not say its zone."""

    code = "time-without-zone"
    advice = "End the time with Z or an offset such as +02:00."


class LeapSecondError(BadTimeError):
    """`occurred_at` names second 60, which most programs cannot represent."""

    code = "leap-second"
    advice = "Send second 59 of the same minute, or smear the second as your time source does."


class FutureTimeError(BadTimeError):
    """`occurred_at` is further ahead of the server's clock than the limit."""

    code = "time-in-the-future"
    advice = "Synchronise the sender's clock, and check that the zone is right."


class BadIdentifierError(InvalidInputError):
    """An identifier is empty, too long, or holds control or invisible characters that could disguise it."""

    code = "bad-identifier"
    advice = "Send the identifier as your system stores it, without control or formatting characters."


class BadActionError(InvalidInputError):
    """The action's name is not written as actions are."""

    code = "bad-action"
    advice = "Use lower-case letters, digits, `_`, `.` and `-`, at most 128, such as `release.updated`."


class UndeclaredActionError(InvalidInputError):
    """The source is strict and the action is not in the catalogue."""

    code = "undeclared-action"
    advice = "Declare the action in the operator's catalogue, or make the source not strict."


class ProductActionError(InvalidInputError):
    """The action is one that only the product itself may record."""

    code = "product-action"
    advice = "Choose an action of your own; the product records its own actions itself."


class BadScopeError(InvalidInputError):
    """The scope is not written as scopes are."""

    code = "bad-scope"
    advice = (
        "Join segments of letters, digits and `._~@+-` with `/`, at most 512 characters, such as `acme/payments/api`."
    )


class ScopeNotAllowedError(InvalidInputError):
    """The source may not record events in this scope."""

    code = "scope-not-allowed"
    advice = "Send a scope at or below the source's own, or ask the operator to widen the source."


class BadTargetsError(InvalidInputError):
    """There is no target, or both `target` and `targets`."""

    code = "bad-targets"
    advice = "Send either `target` with one object or `targets` with at least one."


class BadEventIdError(InvalidInputError):
    """The event's id is not a UUID."""

    code = "bad-event-id"
    advice = "Send a UUID such as 018f3a7e-4b6c-7d8e-9f00-112233445566, or leave the id out."


class DuplicateIdError(InvalidInputError):
    """Two events of one batch have the same id."""

    code = "duplicate-id"
    advice = "Give each event its own id; to retry, send the batch again as it was."


class MetadataSchemaError(InvalidInputError):
    """The source is strict and the metadata is not as the catalogue describes it for this action."""

    code = "metadata-schema"
    advice = "Compare the metadata with the action's page in the catalogue."
