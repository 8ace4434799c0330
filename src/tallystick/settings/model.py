"""The closed list of settings, what each may be, and what one is now."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from tallystick.event.identifier import is_scope, is_within
from tallystick.event.visible import show
from tallystick.settings.errors import SettingValueError

Value = int | str | bool | tuple[str, ...]
Kind = Literal["count", "text", "switch", "domains", "reach"]
DOMAINS_MAX: Final = 100
SCOPES_MAX: Final = 200
_DOMAIN: Final = re.compile(
    r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])", re.ASCII
)
_SWITCH: Final = {"on": True, "off": False}


@dataclass(frozen=True, slots=True)
class SettingType:
    """One setting: `least` and `most` bound a count, and `most` the characters of a text. `unit` is what a count counts.

    A reach is off, on, or a list of scopes in which something is on.
    """

    name: str
    title: str
    description: str
    kind: Kind
    default: Value
    unit: str = ""
    least: int = 0
    most: int = 0

    def parse(self, text: str) -> Value:
        """Return the value that a form's text says; raises SettingValueError."""
        match self.kind:
            case "count":
                if not (text.isascii() and text.isdigit() and len(text) <= len(str(self.most))):
                    raise self.refuse(f"{show(text, 40)!r} is not a whole number")
                return self.check(int(text))
            case "switch":
                if text not in _SWITCH:
                    raise self.refuse(f"{show(text, 40)!r} is neither on nor off")
                return _SWITCH[text]
            case "domains":
                return self.check(tuple(text.replace(",", " ").lower().split()))
            case "reach":
                words = tuple(text.replace(",", " ").split())
                return self.check(words[0] if len(words) == 1 and words[0] in _SWITCH else words)
            case "text":
                return self.check(text)

    def check(self, value: object) -> Value:
        """Return a value in its settled form; raises SettingValueError."""
        match self.kind, value:
            case "count", int(number) if not isinstance(value, bool):
                if not self.least <= number <= self.most:
                    raise self.refuse(f"{number} {self.unit} is not from {self.least} to {self.most}")
                return number
            case "switch", bool(on):
                return on
            case "text", str(text):
                return self._check_text(text)
            case "reach", str(word) if word in _SWITCH:
                return word
            case "reach", list() | tuple():
                return self._check_scopes(tuple(value))
            case "domains", list() | tuple():
                return self._check_domains(tuple(value))
        raise self.refuse(f"it is not a {self.kind}")

    def format(self, value: Value) -> str:
        """Return the text that `parse` reads back."""
        if isinstance(value, bool):
            return "on" if value else "off"
        return " ".join(value) if isinstance(value, tuple) else str(value)

    def refuse(self, why: str) -> SettingValueError:
        """Return the error that names this setting."""
        return SettingValueError(f"{self.title}: {why}", pointer=f"/{self.name}", advice=self.description)

    def _check_text(self, text: str) -> str:
        text = " ".join(text.split())
        if len(text) > self.most or not text.isprintable():
            raise self.refuse(f"it has up to {self.most} printable characters")
        return text

    def _check_scopes(self, scopes: tuple[object, ...]) -> tuple[str, ...]:
        for scope in scopes:
            if not isinstance(scope, str) or not is_scope(scope):
                raise self.refuse(f"{show(str(scope), 80)!r} is neither on, off, nor a scope such as acme/payments")
        if not 1 <= len(scopes) <= SCOPES_MAX:
            raise self.refuse(f"it is on, off, or lists 1 to {SCOPES_MAX} scopes")
        return tuple(sorted({str(scope) for scope in scopes}))

    def _check_domains(self, names: tuple[object, ...]) -> tuple[str, ...]:
        for name in names:
            if not isinstance(name, str) or not _DOMAIN.fullmatch(name):
                raise self.refuse(f"{show(str(name), 80)!r} is not the name of a domain such as example.org")
        if len(names) > DOMAINS_MAX:
            raise self.refuse(f"it lists at most {DOMAINS_MAX} domains")
        return tuple(sorted({str(name) for name in names}))


@dataclass(frozen=True, slots=True)
class Held:
    """A setting as it is now. Where nobody ever changed it, it has its default and the last three are None."""

    type: SettingType
    value: Value
    changed_at: int | None = None
    changed_by: str | None = None
    changed_index: int | None = None


_LIST: Final = (
    SettingType(
        "organisation.name",
        "Organisation",
        "The name of your organisation, shown beside the product's on every page. Empty shows none.",
        "text",
        "",
        most=60,
    ),
    SettingType(
        "session.idle_minutes",
        "Idle limit of a session",
        "A session ends after so many minutes without a request.",
        "count",
        30,
        unit="minutes",
        least=1,
        most=1440,
    ),
    SettingType(
        "session.absolute_hours",
        "Absolute limit of a session",
        "A session ends so many hours after sign-in, whatever happens in it.",
        "count",
        12,
        unit="hours",
        least=1,
        most=168,
    ),
    SettingType(
        "session.fresh_minutes",
        "Fresh sign-in",
        "Dangerous acts, such as changing a setting, ask again for the password when it was last given longer ago.",
        "count",
        10,
        unit="minutes",
        least=1,
        most=60,
    ),
    SettingType(
        "break_glass.minutes",
        "Emergency access",
        "Who takes access in an emergency takes it for so many minutes at most.",
        "count",
        60,
        unit="minutes",
        least=5,
        most=480,
    ),
    SettingType(
        "exports.kept_days",
        "Finished exports",
        "The file of a finished export can be fetched for so many days, and is deleted then.",
        "count",
        7,
        unit="days",
        least=1,
        most=90,
    ),
    SettingType(
        "sign_in.local",
        "Sign-in with a password",
        "Off lets people in through the identity provider alone, and needs one. The operator can put it on again beside the "
        "data directory, with tallystick settings set.",
        "switch",
        default=True,
    ),
    SettingType(
        "sign_in.domains",
        "E-mail domains of new accounts",
        "The identity provider makes an account for who comes the first time only with an address, which it has verified, of "
        "one of these domains. Empty lets in whoever the provider does.",
        "domains",
        (),
    ),
    SettingType(
        "security_policy_events",
        "Events of security policies",
        "Where changes of security policies are read and recorded: on, off, or a list of scopes with all below them, for "
        "a step-by-step roll-out. Where it is off, policies stay as they are; what changed meanwhile is recorded once it is on.",
        "reach",
        "on",
    ),
    SettingType(
        "systems.review_days",
        "Review of declarations",
        "A declaration of what is critical in a system is due for review when it was approved longer ago.",
        "count",
        365,
        unit="days",
        least=1,
        most=366,
    ),
    SettingType(
        "exceptions.days_max",
        "Longest exception",
        "An exception from a policy, a rule, a retention, a declaration or a review lasts so many days at most; to go on is "
        "a new decision.",
        "count",
        365,
        unit="days",
        least=1,
        most=366,
    ),
    SettingType(
        "exceptions.warning_days",
        "Warning before an exception ends",
        "An alert tells so many days ahead that an exception ends; of a short one, in the second half of its time.",
        "count",
        14,
        unit="days",
        least=1,
        most=90,
    ),
    *(
        SettingType(
            f"alerts.{severity}_{what}",
            f"{severity.capitalize()} alerts: time to {title}",
            f"An alert of severity {severity} that opens from now on is overdue when nobody {done} it for so many {unit}.",
            "count",
            default,
            unit=unit,
            least=1,
            most=most,
        )
        for severity, minutes, hours in (
            ("critical", 15, 24),
            ("high", 60, 72),
            ("medium", 1440, 168),
            ("low", 10080, 720),
        )
        for what, title, done, unit, default, most in (
            ("acknowledge_minutes", "acknowledge", "acknowledged", "minutes", minutes, 43200),
            ("close_hours", "close", "closed", "hours", hours, 8760),
        )
    ),
    SettingType(
        "retention.run_hour",
        "Hour of the retention run",
        "Once a day, in this hour (UTC), content whose retention has passed is destroyed. A run that was missed is made up "
        "for at the start.",
        "count",
        3,
        unit="o'clock",
        least=0,
        most=23,
    ),
    SettingType(
        "alerts.silence_hours_max",
        "Longest silence",
        "A silence keeps alerts quiet for so many hours at most; to go on is another decision, with another reason.",
        "count",
        168,
        unit="hours",
        least=1,
        most=2160,
    ),
    SettingType(
        "alerts.second_person",
        "Second person for grave alerts",
        "On lets nobody close an alert of severity high or critical alone: one person asks with verdict and reason, and "
        "another one approves.",
        "switch",
        default=False,
    ),
)


def reaches(value: Value, scope: str) -> bool:
    """Return whether something whose reach is `value` is on in a scope."""
    return value == "on" or (isinstance(value, tuple) and any(is_within(scope, each) for each in value))


#: Every setting by its name, in the order in which they are shown.
SETTINGS: Final[Mapping[str, SettingType]] = {each.name: each for each in _LIST}
