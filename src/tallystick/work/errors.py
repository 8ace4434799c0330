"""What can be wrong with views and exports."""

from __future__ import annotations

from tallystick.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError


class ViewNotFoundError(NotFoundError):
    """There is no such saved view, or it is not yours to see."""

    code = "view-not-found"
    advice = "It may have been deleted, or be shared in a scope that you may not read."


class ViewInvalidError(InvalidInputError):
    """A view cannot be saved as it was given."""

    code = "view-invalid"
    advice = "A name has 1 to 100 characters, columns are field names, and a person keeps at most 200 views."


class ExportNotFoundError(NotFoundError):
    """There is no such export, or it is not yours."""

    code = "export-not-found"
    advice = "Exports are shown to who asked for them; files are deleted after the days that the settings say."


class ExportNotReadyError(ConflictError):
    """The export has no file: it is not finished, it failed, or the file is deleted."""

    code = "export-not-ready"
    advice = "Wait until it is finished, or ask for it again."


class ExportsWaitingError(UnavailableError):
    """One person has too many exports waiting."""

    code = "exports-waiting"
    advice = "Wait until one of yours is finished, or cancel one."
