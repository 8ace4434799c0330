"""Checking the proof of one event, offline: `python -m tallystick.verify.proof FILE --key VKEY | --policy FILE`.

Needs the standard library and `cryptography`, nothing else. What is trusted comes from the caller alone: the key or
the policy that was pinned; never from the file.
"""

from __future__ import annotations

import argparse
import json
import sys
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tallystick.errors import InvalidInputError, TallystickError, VerificationError
from tallystick.event.canonical import check_canonical
from tallystick.event.disclosure import Disclosure, IncompleteDisclosureError, parse_disclosure
from tallystick.event.entry import Entry, format_entry, parse_entry
from tallystick.event.merge import merge
from tallystick.event.visible import show
from tallystick.merkle import hash_leaf, verify_inclusion
from tallystick.note import Checkpoint, Policy, PolicyLog, check_policy, parse_log_vkey, parse_policy, parse_proof


class ProofContentError(VerificationError):
    """The proof file holds an event that is not the one it proves."""

    code = "proof-content-differs"
    advice = "Do not rely on what the file says; ask for the proof again, from the server itself."


class ProofUntrustedError(VerificationError):
    """No key that the caller trusts signed the checkpoint in the proof."""

    code = "proof-untrusted"
    advice = "Check that the verification key is that of the log the proof is of."


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ProofVerdict:
    """What is proven: that the entry stands at the index under the checkpoint. `cosigned` maps each trusted witness that
    signed it to the time (seconds since 1970); `witnessed` says that they meet the policy's quorum.

    `disclosure` is None where the proof shows the entry alone; `event` is what the disclosure says, without the
    personal part where that is not shown.
    """

    index: int
    entry: Entry
    checkpoint: Checkpoint
    witnessed: bool
    cosigned: Mapping[str, int]
    disclosure: Disclosure | None
    event: Mapping[str, Any] | None

    @property
    def sentence(self) -> str:
        """One line: what is proven, and by whom."""
        by = f"witnessed by {', '.join(sorted(self.cosigned))}" if self.witnessed else "vouched for by the log alone"
        what = "an event whose content is not shown" if self.event is None else show(str(self.event.get("action")))
        return (
            f"HOLDS: {what} is at index {self.index} of {self.checkpoint.origin}, received {_time(self.entry)}, "
            f"under the checkpoint of size {self.checkpoint.size}, {by}"
        )


def policy_of_keys(vkeys: Iterable[str]) -> Policy:
    """Return the policy that trusts these logs' keys and asks for no witness; raises NoteKeyError."""
    return Policy(logs=tuple(PolicyLog(parse_log_vkey(vkey)) for vkey in vkeys))


def verify_proof(data: bytes, policy: Policy) -> ProofVerdict:
    """Return what the proof shows to somebody who trusts the policy; raise a VerificationError when it does not hold.

    The policy's quorum must be met. The disclosure must be canonical and make exactly the entry that is included.
    """
    proof = parse_proof(data)
    verdict = check_policy(proof.checkpoint_note, policy)
    if verdict.log is None:
        raise ProofUntrustedError(f"no trusted key signed the checkpoint of {verdict.checkpoint.origin}")
    verdict.require()
    entry, disclosure, event = _read_extra(proof.extra, proof.index)
    checkpoint = verdict.checkpoint
    leaf = hash_leaf(format_entry(entry))
    verify_inclusion(proof.index, checkpoint.size, leaf, proof.path, checkpoint.root)
    return ProofVerdict(proof.index, entry, checkpoint, verdict.witnessed, verdict.cosigned, disclosure, event)


def check_disclosed(disclosure: Disclosure) -> dict[str, Any] | None:
    """Return the event that the disclosure shows, None without its facts; raise VerificationError unless its bytes are
    canonical and fit together.
    """
    for part in (disclosure.facts, disclosure.personal):
        if part is not None:
            check_canonical(part)
    return None if disclosure.facts is None else merge(disclosure.facts, disclosure.personal)


def _read_extra(extra: bytes, index: int) -> tuple[Entry, Disclosure | None, dict[str, Any] | None]:
    """Return what the extra data say: a disclosure, or the bare entry of an event whose content is gone."""
    if not extra:
        raise ProofContentError("the proof shows neither an event nor an entry, so there is nothing to be proven")
    if not extra.startswith(b"{"):
        return parse_entry(extra), None, None
    disclosure = parse_disclosure(extra)
    if disclosure.index != index:
        raise ProofContentError(f"the proof is for index {index}, the event in it says index {disclosure.index}")
    try:
        return disclosure.entry(), disclosure, check_disclosed(disclosure)
    except IncompleteDisclosureError as error:
        raise ProofContentError(f"the proof shows too little of its event: {error.message}") from error


def _time(entry: Entry) -> str:
    try:
        return (_EPOCH + timedelta(microseconds=entry.received_at)).isoformat(timespec="microseconds")
    except OverflowError:  # the log may have signed any number
        return f"{entry.received_at} microseconds after 1970"


def verdict_json(verdict: ProofVerdict) -> dict[str, Any]:
    """Return the verdict for programs."""
    disclosure = verdict.disclosure
    return {
        "holds": True,
        "tier": "witnessed" if verdict.witnessed else "self-consistent",
        "origin": verdict.checkpoint.origin,
        "size": verdict.checkpoint.size,
        "root": verdict.checkpoint.root.hex(),
        "index": verdict.index,
        "id": None if disclosure is None else str(uuid.UUID(bytes=disclosure.id)),
        "received_at": _time(verdict.entry),
        "source": verdict.entry.source,
        "class": verdict.entry.class_number,
        "cosigned": dict(verdict.cosigned),
        "event": verdict.event,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 the proof holds, 1 it does not, 2 it could not be checked."""
    parser = argparse.ArgumentParser(prog="python -m tallystick.verify.proof", description=__doc__)
    parser.add_argument("file", type=Path, help="a .tlog-proof file")
    parser.add_argument("--key", action="append", default=[], metavar="VKEY", help="a log's verification key")
    parser.add_argument("--policy", type=Path, metavar="FILE", help="a policy of trusted logs and witnesses")
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    given = parser.parse_args(arguments)
    if bool(given.key) == bool(given.policy):
        return _end(2, "give either --key or --policy: what is trusted cannot come from the proof")
    try:
        data = given.file.read_bytes()
        policy = parse_policy(given.policy.read_bytes()) if given.policy else policy_of_keys(given.key)
    except InvalidInputError as error:
        return _end(2, f"cannot check: {error}. {error.advice}")
    except OSError as error:
        return _end(2, f"cannot check: {error}")
    try:
        verdict = verify_proof(data, policy)
    except TallystickError as error:
        if given.json:
            _print(json.dumps({"holds": False, "code": error.code, "message": error.message}))
        return _end(1, f"DOES NOT HOLD: {show(error.message, 500)}. {error.advice}")
    if given.json:
        _print(json.dumps(verdict_json(verdict)))
        return 0
    _print(verdict.sentence)
    if verdict.event is not None:
        _print(json.dumps(verdict.event, indent=2))
    return 0


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _end(status: int, message: str) -> int:
    sys.stderr.write(f"{message}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
