"""Refusals of access, worded so that a stranger learns nothing from them."""

from __future__ import annotations

from tallystick.errors import ForbiddenError, InvalidInputError, UnauthenticatedError


class TokenMissingError(UnauthenticatedError):
    """The request carries no token."""

    code = "token-missing"
    advice = "Send `Authorization: Bearer TOKEN`; `tallystick token create` makes one."


class TokenInvalidError(UnauthenticatedError):
    """The token is not one that is in force: unknown, wrong, expired or revoked."""

    code = "token-invalid"
    advice = "Ask the operator for a new token; one that has expired or was revoked does not come back."


class WriteForbiddenError(ForbiddenError):
    """The token allows reading only."""

    code = "write-forbidden"
    advice = "Use a token made with --can write."


class ReadForbiddenError(ForbiddenError):
    """The token allows writing only."""

    code = "read-forbidden"
    advice = "Use a token made with --can read."


class ScopeInvalidError(InvalidInputError):
    """The text is not a scope."""

    code = "scope-invalid"
    advice = "Write a path such as acme/payments, without a slash at either end; / alone is everything."
