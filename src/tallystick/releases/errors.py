"""What can be wrong with a release."""

from __future__ import annotations

from tallystick.errors import ConflictError, CorruptionError, InvalidInputError, NotFoundError, TooLargeError


class ReleaseNotFoundError(NotFoundError):
    """There is no such release, or the caller may not know that there is."""

    code = "release-not-found"
    advice = "Check the id; releases are shown to who holds releases.read in their scope."


class ArtifactNotFoundError(NotFoundError):
    """The release has no such asset or evidence."""

    code = "release-artifact-not-found"
    advice = "The release's page lists its assets and evidence; an asset may have been removed."


class ReleaseInvalidError(InvalidInputError):
    """A release, a milestone or an asset cannot be taken as it was given."""

    code = "release-invalid"
    advice = "The guide on releases states what each field may hold."


class ReleaseTooLargeError(TooLargeError):
    """A description, a list or a file is larger than a release may hold."""

    code = "release-too-large"
    advice = "Put what is large into a file that the release links to."


class MilestoneUnknownError(InvalidInputError):
    """A milestone is named that the scope does not know."""

    code = "milestone-unknown"
    advice = "Register it first, or ask for it to be made along the way (create_milestones)."


class MilestoneExistsError(ConflictError):
    """The scope has a milestone of this title already."""

    code = "milestone-exists"
    advice = "Use the one that is there."


class ReleaseExistsError(ConflictError):
    """The scope has a release with this tag."""

    code = "release-exists"
    advice = "Edit the release that is there, or choose another tag."


class ReleaseChangedError(ConflictError):
    """Somebody else changed the release after it was looked at."""

    code = "release-changed"
    advice = "Look at the release as it is now, and make the change again if it is still wanted."


class ReleaseDeletedError(ConflictError):
    """The release is deleted; what is left are its events and its evidence."""

    code = "release-deleted"
    advice = "Make a new release; its tag is free again."


class AssetExistsError(ConflictError):
    """The release has an asset of this name."""

    code = "asset-exists"
    advice = "Remove the asset first, or give the new one another name."


class DigestMismatchError(InvalidInputError):
    """The bytes are not those of the digest that was given."""

    code = "digest-mismatch"
    advice = "Send the file again; if it happens again, the file is not the one that the digest was made of."


class ObjectDamagedError(CorruptionError):
    """A stored file is gone, or is not what was stored; nothing of it is handed out."""

    code = "object-damaged"
    advice = "Bring the file back from a backup; its name below data/objects is its SHA-256."
