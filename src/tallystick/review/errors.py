"""What can be wrong with a duty or a review."""

from __future__ import annotations

from tallystick.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, TooLargeError


class DutyNotFoundError(NotFoundError):
    """There is no such duty, or the caller may not know that there is."""

    code = "duty-not-found"
    advice = "Check the id; duties are shown to who holds reviews.read in their scope."


class DutyInvalidError(InvalidInputError):
    """A duty cannot be taken as it was given."""

    code = "duty-invalid"
    advice = "The guide on reviews states what a duty may hold."


class DutyRetiredError(ConflictError):
    """The duty was retired: nothing opens for it any more."""

    code = "duty-retired"
    advice = "Create another duty; what was reviewed under this one stays."


class ReviewNotFoundError(NotFoundError):
    """There is no such review, section or follow-up, or the caller may not know that there is."""

    code = "review-not-found"
    advice = "Check the id; reviews are shown to who holds reviews.read in their scope."


class ReviewClosedError(ConflictError):
    """The review is signed or waived: nothing of it changes any more."""

    code = "review-closed"
    advice = "Note what came to light later in the review that is open now."


class SnapshotChangedError(ConflictError):
    """A mark or a signature names another snapshot than the review's."""

    code = "review-snapshot-changed"
    advice = "Load the review again: marks and signatures bind to the digest of its snapshot."


class ReviewIncompleteError(ConflictError):
    """Sections wait for a mark, or for one by somebody whom their events are not about."""

    code = "review-incomplete"
    advice = "The review lists what is still to be marked, and by whom it cannot be."


class OwnReviewError(ForbiddenError):
    """The caller would review what she did, or what was done to her, alone."""

    code = "review-own-events"
    advice = "Somebody else who may sign reviews marks this; the rest you can mark."


class ReviewerNotNamedError(ForbiddenError):
    """The duty names who reviews, and the caller is not one of them."""

    code = "reviewer-not-named"
    advice = "The duty's page names its reviewers; whoever keeps the duties can change them."


class LateReasonMissingError(InvalidInputError):
    """The review is signed after it was due, and nothing says why."""

    code = "late-reason-missing"
    advice = "State the reason: the review is recorded as late with it."


class ReviewInvalidError(InvalidInputError):
    """A mark, a decision or a follow-up cannot be taken as it was given."""

    code = "review-invalid"
    advice = "The guide on reviews states what each field may hold."


class ReviewTooLargeError(TooLargeError):
    """A package would hold more events than one may."""

    code = "review-package-too-large"
    advice = "Export the events of single sections by the query that each states."
