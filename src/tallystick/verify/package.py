"""Checking an evidence package: a zip of proofs that needs nothing but itself and a key (`docs/format/package.md`).

A package proves that what it holds is in the log. It proves completeness only for the ranges of indexes that it calls
complete, and there only up to holds that it does not show.
"""

from __future__ import annotations

import zipfile
import zlib
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from tallystick.errors import InvalidInputError, VerificationError
from tallystick.event.disclosure import Disclosure
from tallystick.event.entry import Entry
from tallystick.event.erasure import (
    Absence,
    Part,
    Range,
    UncoveredAbsenceError,
    absence_is_covered,
    in_ranges,
)
from tallystick.note import Checkpoint, NoteError, Policy, Verdict, check_policy, parse_proof
from tallystick.note.proof import PROOF_BYTES_MAX
from tallystick.verify.actions import ONLY_PRODUCT
from tallystick.verify.anchors import Trust
from tallystick.verify.codes import Code
from tallystick.verify.history import ABOUT_THE_LOG, LogHistory, ProductEvent, list_erasures, read_history
from tallystick.verify.model import CouldNotCheckError, Erased, Findings, Progress, Report, Tier
from tallystick.verify.package_format import (
    CHECKPOINT,
    MANIFEST,
    MANIFEST_BYTES_MAX,
    REVIEW,
    PackageFormatError,
    event_name,
    parse_package_manifest,
)
from tallystick.verify.package_review import Shown, check_review
from tallystick.verify.proof import ProofVerdict, policy_of_keys, verify_proof

REVIEW_BYTES_MAX = 256 << 20


class PackageReport(Report):
    """What a package shows; it says nothing of the rest of the log."""

    def _holding(self) -> str:
        counts = f"checked {self.checked}"
        if self.withheld:
            counts += f", withheld {self.withheld}"
        if self.erased:
            counts += f", erased {self.erased}"
        complete = self.details.get("complete") or []
        whole = f"complete for {len(complete)} ranges" if complete else "not claimed to be complete"
        return (
            f"the package shows events of {self.origin} under its checkpoint of size {self.size}: {counts}; {whole}; "
            f"{self.tier}"
        )


@dataclass(slots=True)
class _Seen:
    """What the proofs showed."""

    entries: dict[int, Entry] = field(default_factory=dict)
    gone: dict[int, Part] = field(default_factory=dict)
    product: list[ProductEvent] = field(default_factory=list)
    shown: dict[int, Shown] = field(default_factory=dict)


def verify_package(path: Path, trust: Trust, progress: Progress) -> Report:
    """Return what the package shows to somebody with that trust; raise CouldNotCheckError when there is no such file."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _Check(archive, path, trust, progress).run()
    except (OSError, zipfile.LargeZipFile) as error:
        raise CouldNotCheckError(f"{path} cannot be read: {error}") from error
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        findings = Findings()
        findings.add(Code.PACKAGE_WRONG, f"it is not a zip file: {error}", path.name)
        return PackageReport(str(path), findings=tuple(findings.kept), findings_total=findings.total)


class _Check:
    """One package being checked."""

    def __init__(self, archive: zipfile.ZipFile, path: Path, trust: Trust, progress: Progress) -> None:
        self._archive = archive
        self._path = path
        self._trust = trust
        self._progress = progress
        self._findings = Findings()
        self._remarks: list[str] = []
        self._anchored = False
        self._covers: Counter[int] = Counter()
        self._erasures: tuple[Erased, ...] = ()

    def run(self) -> Report:
        try:
            manifest = self._manifest()
            checkpoint = self._member(CHECKPOINT, PROOF_BYTES_MAX)
            policy, verdict = self._judge(manifest, checkpoint)
        except (VerificationError, InvalidInputError) as error:
            self._findings.add(Code.PACKAGE_WRONG, error.message, self._path.name)
            return self._report({}, None, _Seen(), {})
        self._compare_kept(policy, verdict.checkpoint)
        seen = _Seen()
        for done, listed in enumerate(manifest["events"], 1):
            self._check_event(listed, checkpoint, policy, seen)
            self._progress("proofs", done, len(manifest["events"]))
        history = self._history(seen, verdict)
        if "review" in manifest:
            self._check_review(str(manifest["review"]), seen, verdict.checkpoint)
        erased = self._check_complete(manifest["complete"], seen, history)
        return self._report(manifest, verdict, seen, erased)

    def _manifest(self) -> dict[str, Any]:
        """Return package.json, having seen that it names every file there is and no other."""
        names = self._archive.namelist()
        manifest = parse_package_manifest(self._member(MANIFEST, MANIFEST_BYTES_MAX))
        indexes = [each["index"] for each in manifest["events"]]
        listed = {MANIFEST, CHECKPOINT, *map(event_name, indexes), *([REVIEW] if "review" in manifest else [])}
        if len(names) != len(set(names)):
            raise PackageFormatError("it holds two files of one name")
        for name in sorted(set(names) - listed):
            self._findings.add(Code.PACKAGE_WRONG, "it is in the package, but not listed", name)
        return manifest

    def _member(self, name: str, bytes_max: int) -> bytes:
        """Return a file of the package; raise PackageFormatError for one that is missing, damaged or too large."""
        try:
            with self._archive.open(name) as member:
                data = member.read(bytes_max + 1)
        except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise PackageFormatError(f"{name} cannot be read: {error}") from error
        if len(data) > bytes_max:
            raise PackageFormatError(f"{name} is larger than {bytes_max} bytes")
        return data

    def _judge(self, manifest: Mapping[str, Any], note: bytes) -> tuple[Policy, Verdict]:
        """Return the policy by which the checkpoint is judged, and the verdict."""
        policy = self._trust.policy
        if policy is None and self._trust.keys:
            policy = policy_of_keys(key.vkey for key in self._trust.keys)
        if policy is None:
            policy = policy_of_keys(str(key) for key in manifest["keys"])
            self._remarks.append("no key or policy was given: the package was judged by the key that it brings itself")
        verdict = check_policy(note, policy)
        checkpoint = verdict.checkpoint
        said = (manifest["origin"], manifest["size"], manifest["root"])
        if said != (checkpoint.origin, checkpoint.size, b64encode(checkpoint.root).decode()):
            self._findings.add(Code.PACKAGE_WRONG, "it says something else than the checkpoint", MANIFEST)
        if verdict.log is None or not verdict.quorum_met:
            code = Code.KEY_UNTRUSTED if verdict.log is None else Code.POLICY_NOT_MET
            message = "no trusted log signed it" if verdict.log is None else "too few witnesses cosigned it"
            self._findings.add(code, message, CHECKPOINT)
        return policy, verdict

    def _compare_kept(self, policy: Policy, ours: Checkpoint) -> None:
        """Compare the checkpoints that the reader kept: those of one size directly, others only with the log's tiles."""
        for anchor in self._trust.against:
            try:
                kept = check_policy(anchor.note, policy)
            except NoteError as error:
                self._findings.add(Code.ANCHOR_UNSIGNED, error.message, anchor.place)
                continue
            if kept.log is None or kept.checkpoint.origin != ours.origin:
                self._findings.add(Code.ANCHOR_UNSIGNED, f"it is not of {ours.origin}", anchor.place)
            elif kept.checkpoint.size != ours.size:
                message = (
                    f"{anchor.place} is of size {kept.checkpoint.size}: only the log itself can be compared with it"
                )
                self._remarks.append(message)
            elif kept.checkpoint.root != ours.root:
                message = f"for size {ours.size} it has another root than the package"
                self._findings.add(Code.ANCHOR_DIFFERS, message, anchor.place)
            else:
                self._anchored = True

    def _check_event(self, listed: Mapping[str, Any], checkpoint: bytes, policy: Policy, seen: _Seen) -> None:
        index = int(listed["index"])
        name = event_name(index)
        try:
            data = self._member(name, PROOF_BYTES_MAX)
        except PackageFormatError as error:
            self._findings.add(Code.PACKAGE_WRONG, error.message, name, index)
            return
        try:
            verdict = _verified(data, index, str(listed["sha256"]), checkpoint, policy)
        except VerificationError as error:
            self._findings.add(Code.PROOF_WRONG, error.message, name, index)
            return
        self._take(verdict, name, seen)

    def _take(self, verdict: ProofVerdict, name: str, seen: _Seen) -> None:
        index, entry, disclosure = verdict.index, verdict.entry, verdict.disclosure
        seen.entries[index] = entry
        if disclosure is None or verdict.event is None:
            seen.gone[index] = Part.ALL
            return
        if disclosure.personal is None:
            seen.gone[index] = Part.PERSONAL
        assert disclosure.facts is not None
        seen.shown[index] = Shown.of(disclosure.source, disclosure.id, disclosure.facts, verdict.event)
        note_product(disclosure, str(verdict.event.get("action")), name, seen.product, self._findings)

    def _history(self, seen: _Seen, verdict: Verdict) -> LogHistory:
        """Return what the package's own product events say; they need not be all that the log has."""
        history = read_history(seen.product, Findings(), "events")
        if history.origin and history.origin != verdict.checkpoint.origin:
            self._findings.add(Code.BEGINNING_WRONG, f"the log calls itself {history.origin}", event_name(0), 0)
        return history

    def _check_review(self, digest: str, seen: _Seen, checkpoint: Checkpoint) -> None:
        """Compare what the package says of a review with what the log says of it."""
        try:
            data = self._member(REVIEW, REVIEW_BYTES_MAX)
        except PackageFormatError as error:
            self._findings.add(Code.PACKAGE_WRONG, error.message, REVIEW)
            return
        if sha256(data).hexdigest() != digest:
            self._findings.add(Code.PACKAGE_WRONG, "it is not the file that package.json lists", REVIEW)
            return
        wrong, remarks = check_review(data, seen.shown, checkpoint)
        for message in wrong:
            self._findings.add(Code.REVIEW_WRONG, message, REVIEW)
        self._remarks += remarks

    def _check_complete(self, ranges: tuple[Range, ...], seen: _Seen, history: LogHistory) -> dict[int, Part]:
        """Return what erasures in the package account for; find what is missing from ranges called complete."""
        erased: dict[int, Part] = {}
        for index, part in sorted(seen.gone.items()):
            entry = seen.entries[index]
            try:
                absence = Absence(index, entry.class_number, entry.received_at, part, entry.source)
                self._covers[absence_is_covered(absence, history.erasure).index] += 1
                erased[index] = part
            except UncoveredAbsenceError as error:
                if part is Part.ALL and in_ranges(index, ranges):
                    self._findings.add(Code.CONTENT_MISSING, error.message, event_name(index), index)
        for first, size in ranges:
            missing = next((index for index in range(first, first + size) if index not in seen.entries), None)
            if missing is not None:
                message = f"indexes {first} to {first + size - 1} are called complete, this one is not there"
                self._findings.add(Code.CONTENT_MISSING, message, MANIFEST, missing)
        self._erasures = list_erasures(history, self._covers)
        if erased:
            self._remarks.append("whether a hold forbade an erasure only the whole log can show")
        return erased

    def _report(
        self, manifest: Mapping[str, Any], verdict: Verdict | None, seen: _Seen, erased: Mapping[int, Part]
    ) -> Report:
        checkpoint = verdict.checkpoint if verdict is not None else None
        gone = {index for index, part in erased.items() if part is Part.ALL}
        witnessed = verdict is not None and verdict.witnessed and verdict.log is not None
        tier = Tier.WITNESSED if witnessed else Tier.ANCHORED if self._anchored else Tier.SELF_CONSISTENT
        return PackageReport(
            target=str(self._path),
            origin=checkpoint.origin if checkpoint else "",
            size=checkpoint.size if checkpoint else 0,
            root=checkpoint.root if checkpoint else b"",
            tier=tier,
            tier_size=checkpoint.size if checkpoint and tier is not Tier.SELF_CONSISTENT else 0,
            tier_at=min(verdict.cosigned.values()) if witnessed and verdict else None,
            checked=len(seen.entries) - sum(part is Part.ALL for part in seen.gone.values()),
            erased=len(gone),
            withheld=len(seen.gone.keys() - erased.keys()),
            erasures=self._erasures,
            findings=tuple(self._findings.kept),
            findings_total=self._findings.total,
            remarks=tuple(self._remarks),
            details={name: manifest.get(name) for name in ("created_at", "about", "complete")},
        )


def _verified(data: bytes, index: int, digest: str, checkpoint: bytes, policy: Policy) -> ProofVerdict:
    """Return what a proof shows; raise VerificationError unless it is the listed one and rests on that checkpoint."""
    if sha256(data).hexdigest() != digest:
        raise VerificationError("it is not the file that package.json lists")
    if parse_proof(data).checkpoint_note != checkpoint:
        raise VerificationError("it rests on another checkpoint than the package")
    verdict = verify_proof(data, policy)
    if verdict.index != index:
        raise VerificationError(f"it proves index {verdict.index}")
    return verdict


def note_product(
    disclosure: Disclosure, action: str, place: str, product: list[ProductEvent], findings: Findings
) -> None:
    """Keep what the product says about the log; find an event of somebody else that only the product may send."""
    if action not in ONLY_PRODUCT:
        return
    if disclosure.source != 0:
        message = f"source {disclosure.source} says {action}, which only the product says"
        findings.add(Code.PRODUCT_FORGED, message, place, disclosure.index)
    elif action in ABOUT_THE_LOG and disclosure.facts is not None:
        product.append(
            ProductEvent(disclosure.index, disclosure.received_at, disclosure.class_number, disclosure.facts)
        )
