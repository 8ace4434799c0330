"""Which ways lead in, as the settings of the installation have it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tallystick.access.people.errors import DomainRefusedError, LocalSignInOffError


@dataclass(frozen=True, slots=True)
class SignInPolicy:
    """Asked each time, so that a change counts at once. `local` says whether passwords open accounts, `domains` lists what
    the address of an account that a provider makes ends in; empty is anything.
    """

    local: Callable[[], bool] = lambda: True
    domains: Callable[[], tuple[str, ...]] = tuple

    def require_local(self) -> None:
        """Raise LocalSignInOffError unless passwords open accounts."""
        if not self.local():
            raise LocalSignInOffError("signing in with a password is switched off")

    def require_domain(self, claims: Mapping[str, Any]) -> None:
        """Raise DomainRefusedError unless an account may be made for who the provider says this is."""
        domains, email = self.domains(), claims.get("email")
        if not domains:
            return
        is_known = isinstance(email, str) and claims.get("email_verified") is True
        if not is_known or str(email).rpartition("@")[2].lower() not in domains:
            raise DomainRefusedError("this does not sign anybody in")
