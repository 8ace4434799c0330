"""Policies of c2sp.org/tlog-policy: which logs and witnesses a reader trusts, and how many must agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tallystick.errors import InvalidInputError, VerificationError
from tallystick.note.checkpoint import Checkpoint, parse_checkpoint
from tallystick.note.cosignature import CosignatureVerifier, cosigned_at
from tallystick.note.ed25519 import Ed25519Verifier
from tallystick.note.note import open_note
from tallystick.note.policy_lines import Line, PolicyTextError, read_lines
from tallystick.note.vkey import parse_log_vkey, parse_witness_vkey

NONE = "none"


class PolicyError(VerificationError):
    """A checkpoint is not what the policy asks for."""

    code = "policy-not-met"
    advice = "Wait until enough witnesses have cosigned, or ask the log's operator why they do not."


@dataclass(frozen=True, slots=True)
class PolicyLog:
    """A trusted log; its key's name is its origin."""

    key: Ed25519Verifier
    url: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyWitness:
    """A trusted witness; `name` is the policy's own word for it."""

    name: str
    key: CosignatureVerifier
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Has witnessed a checkpoint when at least `threshold` of its members have."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """Whom the reader trusts. `groups` stand in an order in which each names only earlier ones."""

    logs: tuple[PolicyLog, ...] = ()
    witnesses: tuple[PolicyWitness, ...] = ()
    groups: tuple[Group, ...] = ()
    quorum: str = NONE


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a policy makes of a checkpoint whose signatures all verified.

    `log` is the listed log that signed it, None when none did; `cosigned` maps the policy's name of each witness that
    cosigned to its latest time (seconds since 1970); `witnessed` says that at least one witness was asked for and the
    quorum is met, `quorum_met` is also true where the policy asks for none.
    """

    checkpoint: Checkpoint
    log: PolicyLog | None
    quorum_met: bool
    witnessed: bool
    cosigned: Mapping[str, int] = field(default_factory=dict)

    def require(self) -> None:
        """Return when a listed log signed and the quorum is met; raise PolicyError otherwise."""
        if self.log is None:
            raise PolicyError(f"no log of the policy signed the checkpoint of {self.checkpoint.origin}")
        if not self.quorum_met:
            names = ", ".join(self.cosigned) or "no witness"
            raise PolicyError(f"the quorum is not met at size {self.checkpoint.size}: cosigned by {names}")


def check_policy(note: bytes, policy: Policy) -> Verdict:
    """Return who signed the checkpoint note and whether that is enough.

    Raises NoteError when it is no checkpoint, when no listed key signed it, or when the signature of any listed key
    does not verify.
    """
    logs = {log.key: log for log in policy.logs}
    witnesses = {witness.key: witness.name for witness in policy.witnesses}
    opened = open_note(note, [*logs, *witnesses])
    checkpoint = parse_checkpoint(opened.text)
    signed_by: PolicyLog | None = None
    cosigned: dict[str, int] = {}
    for key, signature in opened.signed:
        if isinstance(key, CosignatureVerifier):
            name = witnesses[key]
            cosigned[name] = max(cosigned.get(name, 0), cosigned_at(signature.value, key.name))
        elif isinstance(key, Ed25519Verifier) and key.name == checkpoint.origin:
            signed_by = logs[key]
    met = _quorum_met(policy, set(cosigned))
    return Verdict(checkpoint, signed_by, met, met and policy.quorum != NONE, cosigned)


def _quorum_met(policy: Policy, done: set[str]) -> bool:
    for group in policy.groups:
        if len(done.intersection(group.members)) >= group.threshold:
            done.add(group.name)
    return policy.quorum == NONE or policy.quorum in done


def format_policy(policy: Policy) -> bytes:
    """Return the policy as text, one definition a line."""
    lines = [["log", log.key.vkey, log.url] for log in policy.logs]
    lines += [["witness", witness.name, witness.key.vkey, witness.url] for witness in policy.witnesses]
    lines += [["group", group.name, str(group.threshold), *group.members] for group in policy.groups]
    lines.append(["quorum", policy.quorum])
    text = "".join(" ".join(word for word in line if word) + "\n" for line in lines)
    data = text.encode("utf-8", "surrogateescape")
    parse_policy(data)
    return data


def parse_policy(data: bytes) -> Policy:
    """Return the policy; raise PolicyTextError, with line and column, for anything the specification does not allow."""
    reading = _Reading()
    for line in read_lines(data):
        reading.take(line)
    if reading.quorum is None:
        raise PolicyTextError("a policy has one quorum line; `quorum none` asks for no witness")
    return Policy(tuple(reading.logs), tuple(reading.witnesses), tuple(reading.groups), reading.quorum)


class _Reading:
    """The definitions read so far."""

    def __init__(self) -> None:
        self.logs: list[PolicyLog] = []
        self.witnesses: list[PolicyWitness] = []
        self.groups: list[Group] = []
        self.quorum: str | None = None
        self._names: set[str] = set()
        self._members: set[str] = set()
        self._keys: set[bytes] = set()

    def take(self, line: Line) -> None:
        match line.words:
            case ["log", vkey, *url] if len(url) < 2:
                self._take_log(line, vkey, url)
            case ["witness", name, vkey, *url] if len(url) < 2:
                self._take_witness(line, name, vkey, url)
            case ["group", name, threshold, *members] if members:
                self._take_group(line, name, threshold, tuple(members))
            case ["quorum", name]:
                self._take_quorum(line, name)
            case _:
                raise line.error(0, f"not a line of a policy: {line.words[0][:40]!r} with {len(line.words) - 1} words")

    def _take_log(self, line: Line, vkey: str, url: list[str]) -> None:
        try:
            key = parse_log_vkey(vkey)
        except InvalidInputError as error:
            raise line.error(1, error.message) from error
        self._new_key(line, 1, key.public_key)
        self.logs.append(PolicyLog(key, url[0] if url else None))

    def _take_witness(self, line: Line, name: str, vkey: str, url: list[str]) -> None:
        self._new_name(line, name)
        try:
            key = parse_witness_vkey(vkey)
        except InvalidInputError as error:
            raise line.error(2, error.message) from error
        self._new_key(line, 2, key.public_key)
        if any((other.key.name, other.key.key_id) == (key.name, key.key_id) for other in self.witnesses):
            raise line.error(2, "another witness has a key of the same name and identifier")
        self.witnesses.append(PolicyWitness(name, key, url[0] if url else None))

    def _take_group(self, line: Line, name: str, threshold: str, members: tuple[str, ...]) -> None:
        for position, member in enumerate(members, start=3):
            if member not in self._names:
                raise line.error(position, f"{member[:100]!r} is not defined above")
            if member in self._members:
                raise line.error(position, f"{member[:100]!r} is already a member of a group")
            self._members.add(member)
        self._new_name(line, name)
        needed = {"any": 1, "all": len(members)}.get(threshold) or line.number(2)
        if not 1 <= needed <= len(members):
            raise line.error(2, f"a group of {len(members)} members needs between 1 and {len(members)} of them")
        self.groups.append(Group(name, needed, members))

    def _take_quorum(self, line: Line, name: str) -> None:
        if self.quorum is not None:
            raise line.error(0, "a policy has one quorum line")
        if name != NONE and name not in self._names:
            raise line.error(1, f"{name[:100]!r} is not defined above")
        self.quorum = name

    def _new_name(self, line: Line, name: str) -> None:
        if name == NONE or name in self._names:
            raise line.error(1, f"the name {name[:100]!r} is taken")
        self._names.add(name)

    def _new_key(self, line: Line, position: int, public_key: bytes) -> None:
        # One key in two lines would count one signer twice; a log that is its own witness witnesses nothing.
        if public_key in self._keys:
            raise line.error(position, "this public key stands in another line")
        self._keys.add(public_key)
