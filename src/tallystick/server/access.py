"""The rooms of access put together: what a person may do comes from grants, what a leaver loses from every room."""

from __future__ import annotations

import contextlib
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from tallystick.access.grants.history import History
from tallystick.access.grants.roles import RoleService
from tallystick.access.grants.service import GrantService
from tallystick.access.grants.upkeep import GrantUpkeep
from tallystick.access.model import Caller
from tallystick.access.people.oidc_provider import Provider, ProviderSettings
from tallystick.access.people.policy import SignInPolicy
from tallystick.access.people.room import PeopleRoom, open_people
from tallystick.access.people.sessions import Limits
from tallystick.access.setting_acts import setting_changed
from tallystick.access.sources.follower import SourceFollower
from tallystick.access.sources.ports import Standing
from tallystick.access.sources.service import SourceService
from tallystick.access.sources.tokens import TokenService
from tallystick.config import Settings
from tallystick.search.recorder import ReadRecorder
from tallystick.server.ground import Ground
from tallystick.server.handlers import HANDLERS
from tallystick.settings import SettingsService, Value
from tallystick.settings.service import SettingsPorts


@dataclass(frozen=True, slots=True)
class Access:
    """Who may do what, room by room, and the settings that it goes by."""

    settings: SettingsService
    sources: SourceService
    tokens: TokenService
    roles: RoleService
    grants: GrantService
    room: PeopleRoom

    def require_fresh(self, caller: Caller) -> None:
        """Ask who comes with a session to prove again who they are; a token has nothing to prove it with."""
        if caller.session is not None:
            self.room.sessions.require_fresh(caller)


def open_access(ground: Ground, recorder: ReadRecorder, held: ExitStack) -> Access:
    """Return the rooms of access, entered into `held`."""
    settings, book = ground.settings, ground.book
    projection, commands, now = book.projection, book.commands, book.now_us
    follower = held.enter_context(
        SourceFollower(ground.ledger.snapshot, ground.ledger.origin, ground.segments, settings.data, now)
    )

    def require_fresh(caller: Caller) -> None:
        access.require_fresh(caller)

    ports = SettingsPorts(setting_changed, recorder.looked, require_fresh, partial(_objection, settings))
    kept = SettingsService(projection, commands, now, ports)
    roles = RoleService(projection, commands, now, recorder)
    roles.publish_built_in()
    history, longest = History(HANDLERS, ground.read_product), partial(kept.count, "break_glass.minutes")
    grants = GrantService(projection, commands, now, recorder, history, longest)

    def standing_of(person: str, now_us: int, /) -> Standing | None:
        found = access.room.sessions.standing(person, now_us)
        return None if found is None else Standing(found.name, found.rights, found.aliases)

    tokens = TokenService(projection, commands, book.secrets, now, standing_of, grants.lasting)
    provider = _provider(ground, held)
    room = open_people(
        book,
        grants.rights_of,
        grants.bootstrap_events,
        recorder,
        (tokens.revocations, grants.leaving_events),
        grants.exceeding_events,
        partial(_session_limits, kept),
        provider,
        settings.public_url,
        _sign_in_policy(kept, provider),
    )
    held.callback(room.close)
    held.enter_context(GrantUpkeep(grants))
    access: Access = Access(kept, SourceService(projection, commands, now, follower), tokens, roles, grants, room)
    return access


def _provider(ground: Ground, held: ExitStack) -> Provider | None:
    told = ground.settings.oidc
    if told is None:
        return None
    known = ProviderSettings(told.issuer, told.client_id, told.client_secret, told.scopes, told.groups_claim, told.name)
    return held.enter_context(contextlib.closing(Provider(known, ground.clock)))


def _session_limits(kept: SettingsService) -> Limits:
    """Return how long sessions last, as the settings have it now."""
    return Limits(
        absolute_s=kept.count("session.absolute_hours") * 3600,
        idle_s=kept.count("session.idle_minutes") * 60,
        fresh_s=kept.count("session.fresh_minutes") * 60,
    )


def _objection(settings: Settings, name: str, value: Value) -> str | None:
    """Return what speaks against a setting as this installation stands."""
    if name == "sign_in.local" and value is False and settings.oidc is None:
        return "it cannot be off while no identity provider is configured: nobody could sign in"
    return None


def _sign_in_policy(kept: SettingsService, provider: Provider | None) -> SignInPolicy:
    """Return which ways lead in, as the settings have it now; without a provider passwords always do."""
    return SignInPolicy(
        local=lambda: provider is None or kept.switch("sign_in.local"),
        domains=partial(kept.names, "sign_in.domains"),
    )
