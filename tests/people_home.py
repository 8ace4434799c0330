"""An installation in which people sign in: real files, real log, and a clock that moves when told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.installation import settings

from tallystick.access.model import Caller
from tallystick.access.people.model import Profile, SignedIn, Visit
from tallystick.api.services import Services
from tallystick.follow.product_log import ProductEvent, product_events
from tallystick.server import Instance, open_instance, segments_of
from tallystick.testing import ManualClock

PASSWORD = "seven green lamps hum"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
HOME_VISIT = Visit("192.0.2.1", AGENT)


@dataclass
class Home:
    """An open installation, its clock, and shortcuts for what most tests begin with."""

    instance: Instance
    clock: ManualClock

    @property
    def services(self) -> Services:
        return self.instance.services

    def set_up(self, handle: str = "ana", visit: Visit = HOME_VISIT) -> SignedIn:
        """Make the first account by the setup link."""
        link = self.services.setup.make()
        profile = Profile(handle, "Ana Silva", f"{handle}@example.org")
        return self.services.setup.complete(link.token, profile, PASSWORD, visit)

    def caller(self, signed_in: SignedIn) -> Caller:
        """Return who acts in a session."""
        return self.services.sessions.authenticate(signed_in.cookie, HOME_VISIT.address)

    def join(self, admin: Caller, handle: str, visit: Visit = HOME_VISIT) -> SignedIn:
        """Invite somebody, who accepts."""
        _, link = self.services.people.invite(admin, Profile(handle, handle.title(), f"{handle}@example.org"))
        signed_in = self.services.people.accept(link.token, PASSWORD, visit)
        assert signed_in is not None
        return signed_in

    def sign_in(self, handle: str = "ana", password: str = PASSWORD, visit: Visit = HOME_VISIT) -> SignedIn:
        """Sign somebody in who has no second factor."""
        step = self.services.signin.password(handle, password, visit)
        assert step.signed_in is not None
        return step.signed_in

    def events(self, action: str = "access.") -> list[ProductEvent]:
        """Return the product's events whose action begins so."""
        found = product_events(self.instance.ledger.snapshot(), segments_of(self.instance.settings), 0)
        return [event for event in found if event.action.startswith(action)]

    def metadata(self, action: str) -> dict[str, Any]:
        """Return what the newest event of an action says."""
        return self.events(action)[-1].metadata


@contextmanager
def people_home(root: Path, clock: ManualClock | None = None) -> Iterator[Home]:
    """Yield an installation below `root`; opened again it goes on."""
    clock = clock or ManualClock()
    with open_instance(settings(root), clock=clock) as instance:
        yield Home(instance, clock)
