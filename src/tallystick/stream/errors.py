"""What can be wrong with destinations and with sending."""

from __future__ import annotations

from tallystick.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)


class DestinationUnknownError(NotFoundError):
    """There is no such destination, or the caller may not see it."""

    code = "destination-unknown"
    advice = "List the destinations that you may see; one that is deleted is gone once it has what it was due."


class DestinationInvalidError(InvalidInputError):
    """A destination cannot be set up as it was given."""

    code = "destination-invalid"
    advice = "The guide on streaming lists what a destination may have."


class DestinationsFullError(ConflictError):
    """There are as many destinations as one installation may have."""

    code = "destinations-full"
    advice = "Delete one that is not needed."


class DestinationStateError(ConflictError):
    """The destination does not stand as this needs it: paused, deleted, or being rotated."""

    code = "destination-state"
    advice = "Look at the destination first; somebody may have been faster."


class AddressRefusedError(InvalidInputError):
    """The destination's name leads to an address that nothing may be sent to."""

    code = "address-refused"
    advice = "An operator may allow a network with `stream.networks`; addresses of this machine are refused otherwise."


class SendFailedError(UnavailableError):
    """The destination did not answer; nothing is lost, it is tried again."""

    code = "send-failed"
    advice = "The page of the destination says what it answered, and when it is tried again."


class GitlabTokenError(UnauthenticatedError):
    """The verification token is missing, or is not the one that was set for this source."""

    code = "gitlab-token-invalid"
    advice = "Copy the verification token from the destination in GitLab into the page of the source."


class SecretMissingError(UnavailableError):
    """The secrets of a destination are not in `secrets.db`, or are not those that the log names: nothing is sent."""

    code = "stream-secret-missing"
    advice = "Change the destination and give its secrets again; a restored `secrets.db` may lack them."


class GitlabBodyError(InvalidInputError):
    """What came is not the body of one audit event as GitLab streams them."""

    code = "gitlab-body-invalid"
    advice = "One JSON object a request, as GitLab's audit event streaming sends it; the guide on GitLab shows one."
