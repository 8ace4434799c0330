"""Refusals about people and sign-in, worded so that a stranger learns nothing from them."""

from __future__ import annotations

from tallystick.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)


class SignInRefusedError(UnauthenticatedError):
    """What was given opens no account: unknown, disabled, wrong or used up, all answered alike."""

    code = "sign-in-refused"
    advice = "Check what you typed and try again; an administrator can see why in the log."


class SignInSlowedError(UnavailableError):
    """Too many tries failed from here; the next one is looked at after a while."""

    code = "sign-in-slowed"
    advice = "Wait as long as the answer says. A device that has signed in before is not slowed by the tries of others."


class SignInBusyError(UnavailableError):
    """More people are signing in at this moment than passwords can be checked for."""

    code = "sign-in-busy"
    advice = "Try again in a few seconds."


class LocalSignInOffError(ForbiddenError):
    """Passwords open no accounts here: people come in through the identity provider."""

    code = "local-sign-in-off"
    advice = (
        "Sign in through the identity provider. Beside the data directory, `tallystick settings set sign_in.local on` puts "
        "passwords on again."
    )


class DomainRefusedError(SignInRefusedError):
    """The provider vouches for somebody whose address is in none of the domains for which accounts are made."""

    code = "domain-refused"
    advice = "Ask an administrator: the settings list the domains of new accounts."


class SessionInvalidError(UnauthenticatedError):
    """The session is not in force: unknown, ended, idle for too long, or over."""

    code = "session-invalid"
    advice = "Sign in again."


class ReauthenticationNeededError(ForbiddenError):
    """Nobody has shown for some minutes that it is still the same person."""

    code = "reauthentication-needed"
    advice = "Confirm that it is you, and send it again."


class LinkInvalidError(ForbiddenError):
    """The link is not in force: unknown, used, replaced or too old."""

    code = "link-invalid"
    advice = "Ask for a new one: `tallystick setup-link` for the first account, an administrator for an invitation."


class SetupDoneError(ConflictError):
    """Somebody can sign in already, so that no first account is left to be made."""

    code = "setup-done"
    advice = "Ask an administrator for an invitation."


class PersonUnknownError(NotFoundError):
    """There is no such person."""

    code = "person-unknown"
    advice = "`tallystick person list` names everybody."


class SessionUnknownError(NotFoundError):
    """There is no such session of yours."""

    code = "session-unknown"
    advice = "Your account page lists the sessions that are open."


class PersonInvalidError(InvalidInputError):
    """A handle, name or e-mail address is not written as such."""

    code = "person-invalid"
    advice = (
        "A handle is 1 to 32 small letters, digits, dots, dashes and underscores, beginning with a letter or digit; "
        "a name has 1 to 128 characters; an e-mail address has an @."
    )


class HandleTakenError(ConflictError):
    """Somebody else has this handle."""

    code = "handle-taken"
    advice = "Choose another handle."


class PasswordWeakError(InvalidInputError):
    """The password could be guessed, or is too long."""

    code = "password-weak"
    advice = "Use at least 12 characters that are neither a common password nor your name; four random words do well."


class PersonStateError(ConflictError):
    """The account is not in the state that this needs."""

    code = "person-state"
    advice = "Look at the person again; somebody else may have changed it."


class NotAPersonError(ForbiddenError):
    """Only a person who signed in has an account of her own."""

    code = "not-a-person"
    advice = "Sign in on the pages; a token has no account."


class SecondFactorError(ConflictError):
    """The second factor is not in the state that this needs."""

    code = "second-factor-state"
    advice = "Look at your account page: it says whether a second factor is on."


class CodeWrongError(InvalidInputError):
    """The six digits do not fit the seed at this time."""

    code = "code-wrong"
    advice = "Type the code that the authenticator shows now; the clocks of both sides must agree within a minute."


class ProviderUnreachableError(UnavailableError):
    """The identity provider does not answer, or not in a way that can be used."""

    code = "provider-unreachable"
    advice = "Try again in a minute; accounts with a password can sign in meanwhile."


class ProviderMissingError(NotFoundError):
    """No identity provider is configured."""

    code = "provider-missing"
    advice = "Sign in with your password; an operator configures a provider with oidc.issuer."
