"""The log's side of c2sp.org/tlog-witness: offer a checkpoint, bring home the cosignature.

Nothing a witness says is believed: its lines must verify under the pinned key for exactly the note that was sent, its
sizes only choose where a proof starts, and redirects are never followed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from types import TracebackType
from typing import Self

import httpx

from tallystick.clock import Clock, SystemClock
from tallystick.errors import ConfigurationError, ConflictError, UnavailableError, VerificationError
from tallystick.merkle import EMPTY_ROOT, ProofError, verify_consistency
from tallystick.note import (
    Checkpoint,
    CosignatureVerifier,
    Ed25519Verifier,
    NoteError,
    Signature,
    SignedCheckpoint,
    SpellingError,
    cosigned_at,
    format_signature,
    open_checkpoint,
    open_note,
)
from tallystick.note.text import parse_decimal
from tallystick.witness.rules import format_request

ANSWER_BYTES_MAX = 256 * 1024
ATTEMPTS_MAX = 3


class WitnessUnavailableError(UnavailableError):
    """The witness cannot be reached or cannot answer now; the same request may succeed later."""

    code = "witness-unavailable"
    advice = "The push is tried again by itself; look at the witness when this lasts."


class WitnessAnswerError(VerificationError):
    """The witness's answer is not what the protocol and its pinned key call for."""

    code = "witness-answer-invalid"
    advice = "Check that the address and the verification key are the same witness's."


class WitnessRefusedError(ConflictError):
    """The witness refuses the request for a reason that a later try does not cure; `status` is its HTTP status."""

    code = "witness-refused"
    advice = "Ask the witness's operator whether the log's origin and verification key are registered there."

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message, status=status)
        self.status = status


class WitnessConflictError(ConflictError):
    """The witness holds another history than the one it was offered.

    `published` is the checkpoint it shows, when the log's own key signed it and the one that was offered does not
    continue it: then the log once signed what it does not have. None where the witness shows nothing of that kind: a
    `note` without `published` means that the witness is at fault; where both are None, it could show nothing at all.
    """

    code = "witness-conflict"
    advice = "Stop the ledger and compare: either this copy is not the newest, or the witness is faulty."

    def __init__(self, message: str, *, note: bytes | None, published: SignedCheckpoint | None) -> None:
        super().__init__(message)
        self.note = note
        self.published = published


class WitnessAheadError(WitnessConflictError):
    """The witness recorded a larger size than ours, which it says is `size`."""

    code = "witness-ahead"

    def __init__(self, message: str, *, size: int, note: bytes | None, published: SignedCheckpoint | None) -> None:
        super().__init__(message, note=note, published=published)
        self.size = size


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A checkpoint's cosignature by the witness, verified: the line to append to the note, and its time."""

    size: int
    signature: Signature
    time_s: int

    @property
    def line(self) -> bytes:
        return format_signature(self.signature)


class WitnessClient:
    """One witness as a log sees it. Keeps a connection; to be used by one thread at a time and closed."""

    def __init__(
        self,
        url: str,
        key: CosignatureVerifier,
        *,
        monitoring_url: str | None = None,
        timeout_s: float = 10.0,
        clock: Clock | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`url` is the submission prefix; the monitoring prefix is the same unless given."""
        self.key = key
        self._submission = _prefix(url)
        self._monitoring = _prefix(monitoring_url or url)
        self._timeout_s = timeout_s
        self._clock = clock or SystemClock()
        self._http = httpx.Client(
            follow_redirects=False,
            timeout=timeout_s,
            transport=transport,
            headers={"Accept-Encoding": "identity", "User-Agent": "tallystick"},
        )

    def push_checkpoint(
        self,
        note: bytes,
        log: Ed25519Verifier | Sequence[Ed25519Verifier],
        consistency: Callable[[int], Sequence[bytes]],
        *,
        known_size: int,
    ) -> Cosigned:
        """Return the witness's verified cosignature of the note, a checkpoint that `log` signed.

        `consistency(old_size)` gives the proof from a size between 1 and the checkpoint's; `known_size` is what the
        witness had when last heard of (0 when never): where it is wrong, the witness's own answer is used instead.
        Pushing the same checkpoint again renews the time.

        Raises WitnessUnavailableError; WitnessRefusedError; WitnessAnswerError; WitnessAheadError when it is ahead of
        this checkpoint; WitnessConflictError when it does not accept a proof from its own size.
        """
        checkpoint = open_checkpoint(note, log).checkpoint
        old_size = min(known_size, checkpoint.size)
        for _ in range(ATTEMPTS_MAX):
            path = consistency(old_size) if 0 < old_size < checkpoint.size else ()
            status, kind, body = self._post(format_request(old_size, path, note))
            if status == 200:
                return self._cosigned(note, log, body)
            told = _told_size(status, kind, body)
            if told is not None and told > checkpoint.size:
                shown, published = self._published(checkpoint, log, consistency)
                message = f"{self.key.name} recorded size {told}, ahead of our {checkpoint.size}"
                raise WitnessAheadError(message, size=told, note=shown, published=published)
            if told is None or told == old_size:
                if status not in (409, 422):
                    raise self._refusal(status, body)
                shown, published = self._published(checkpoint, log, consistency)
                message = f"{self.key.name} does not accept that we continue what it recorded: {_excerpt(body)}"
                raise WitnessConflictError(message, note=shown, published=published)
            old_size = told
        raise WitnessUnavailableError(f"{self.key.name} changes its mind about the size it recorded", retry_after_s=10)

    def fetch_checkpoint(self, origin: str) -> bytes | None:
        """Return the checkpoint that the witness shows for the origin, nothing in it verified; None when there is none.

        Raises WitnessUnavailableError, WitnessRefusedError or WitnessAnswerError.
        """
        address = f"{self._monitoring}/{sha256(origin.encode()).hexdigest()}/checkpoint"
        status, _, body = self._ask(self._http.build_request("GET", address))
        if status == 404:
            return None
        if status != 200:
            raise self._refusal(status, body)
        return body

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _cosigned(self, note: bytes, log: Ed25519Verifier | Sequence[Ed25519Verifier], body: bytes) -> Cosigned:
        signed = open_checkpoint(note, log)
        try:
            opened = open_note(signed.note.text + b"\n" + body, [self.key])
        except NoteError as error:
            raise WitnessAnswerError(f"{self.key.name} did not cosign what it was sent: {error.message}") from error
        newest = max((cosigned_at(line.value, self.key.name), line) for _, line in opened.signed)
        return Cosigned(signed.checkpoint.size, newest[1], newest[0])

    def _published(
        self,
        ours: Checkpoint,
        log: Ed25519Verifier | Sequence[Ed25519Verifier],
        consistency: Callable[[int], Sequence[bytes]],
    ) -> tuple[bytes | None, SignedCheckpoint | None]:
        """Return what the witness shows, and the checkpoint in it when the log signed it and ours does not continue it."""
        try:
            note = self.fetch_checkpoint(ours.origin)
        except (WitnessUnavailableError, WitnessRefusedError, WitnessAnswerError):
            return None, None
        if note is None:
            return None, None
        try:
            shown = open_checkpoint(note, log)
        except NoteError:
            return note, None
        if shown.checkpoint.origin != ours.origin or _continues(ours, shown.checkpoint, consistency):
            return note, None
        return note, shown

    def _refusal(self, status: int, body: bytes) -> WitnessUnavailableError | WitnessRefusedError:
        message = f"{self.key.name} answered {status}: {_excerpt(body)}"
        if status == 429 or status >= 500:
            return WitnessUnavailableError(message, retry_after_s=10)
        return WitnessRefusedError(message, status=status)

    def _post(self, body: bytes) -> tuple[int, str, bytes]:
        return self._ask(self._http.build_request("POST", f"{self._submission}/add-checkpoint", content=body))

    def _ask(self, request: httpx.Request) -> tuple[int, str, bytes]:
        """Return status, content type and body; never more than ANSWER_BYTES_MAX, nor longer than the timeout."""
        deadline = self._clock.monotonic_s() + self._timeout_s
        chunks: list[bytes] = []
        try:
            answer = self._http.send(request, stream=True)
            try:
                for chunk in answer.iter_raw():
                    chunks.append(chunk)
                    if sum(map(len, chunks)) > ANSWER_BYTES_MAX:
                        raise WitnessAnswerError(f"{self.key.name} answers with more than {ANSWER_BYTES_MAX} bytes")
                    if self._clock.monotonic_s() > deadline:
                        raise WitnessUnavailableError(f"{self.key.name} answers too slowly", retry_after_s=10)
            finally:
                answer.close()
        except httpx.HTTPError as error:
            raise WitnessUnavailableError(f"{self.key.name} cannot be reached: {error}", retry_after_s=10) from error
        return answer.status_code, answer.headers.get("Content-Type", ""), b"".join(chunks)


def _prefix(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ConfigurationError(f"{url!r} is not an address: {error}") from error
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.query or parsed.fragment:
        raise ConfigurationError(f"{url!r} is not the http or https address of a witness")
    return url.rstrip("/")


def _continues(ours: Checkpoint, theirs: Checkpoint, consistency: Callable[[int], Sequence[bytes]]) -> bool:
    """Whether our tree begins with theirs, by our own proof."""
    if theirs.size == 0 or theirs.size > ours.size:
        return theirs == Checkpoint(ours.origin, 0, EMPTY_ROOT)
    path = consistency(theirs.size) if theirs.size < ours.size else ()
    try:
        verify_consistency(theirs.size, ours.size, theirs.root, ours.root, path)
    except ProofError:
        return False
    return True


def _told_size(status: int, kind: str, body: bytes) -> int | None:
    """Return the recorded size in a 409 answer; None when the answer is not of that kind."""
    if status != 409 or kind.partition(";")[0].strip() != "text/x.tlog.size" or not body.endswith(b"\n"):
        return None
    try:
        return parse_decimal(body[:-1])
    except SpellingError:
        return None


def _excerpt(body: bytes) -> str:
    return repr(body[:200].decode("utf-8", "replace"))
