"""One destination: reads what is due from the log, sends it, and keeps how far it is.

A thread of its own runs `step` again and again. Nothing waits for it: not the log, not the others, not the end of the
server. What is in memory is one chunk of the log and one request.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, pairwise
from typing import Final, Protocol

import structlog

from tallystick.errors import TallystickError
from tallystick.event.disclosure import Disclosure
from tallystick.event.identifier import is_within
from tallystick.follow.log_reader import LogReader
from tallystick.follow.register import Register
from tallystick.stream.errors import AddressRefusedError, SecretMissingError, SendFailedError
from tallystick.stream.judge import Judge, Message, is_about_streams
from tallystick.stream.model import US, Destination, Letter, Position, Standing, State, Version
from tallystick.stream.patience import Patience, Verdict, judge_status
from tallystick.stream.position import Positions
from tallystick.stream.request import Endpoint, make_request

POLL_S: Final = 0.2
IDLE_S: Final = 5.0
SAVE_S: Final = 0.5
"""A crash repeats what was sent in so long."""
FILL_S: Final = 0.25
AHEAD_S_MAX: Final = 10.0
"""How long an event may wait in memory before it is read from the log anew."""
BODY_BYTES_MAX: Final = 1 << 20
TAKE_OVER_TRIES: Final = 4
"""How often an address that was replaced is tried with what it is still due, before the new one gets it."""
ENDING_S_MAX: Final = 86_400
SESSION_S: Final = 900.0
LOOK_S: Final = 0.25
BUSY_PER_S: Final = 8_000
"""Events recorded a second from which on a destination gives way."""
PACED_PER_S: Final = 6_000
"""Events a second that a destination gets then."""
_telemetry = structlog.get_logger("tallystick.stream")


class Endpoints(Protocol):
    """Where requests go: opens the secrets of a version."""

    def __call__(self, destination: Destination, version: Version, /) -> Endpoint:
        """Return the address with its secrets; raises TallystickError when they are not what was set."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What every follower works with.

    `refresh` brings destinations up to the log; `record` puts a reading on record, `end` that a destination has what it
    was due; `forget` destroys the secrets of a version; `version` grows when names or catalogue may have changed.
    """

    reader: LogReader
    positions: Positions
    register: Register
    endpoint: Endpoints
    now_us: Callable[[], int]
    refresh: Callable[[], None]
    record: Callable[[Destination, Version, int, int], None]
    end: Callable[[Destination, int], None]
    forget: Callable[[str], None]
    version: Callable[[], int]
    patience: Patience = field(default_factory=Patience)


class Follower:
    """Follows the log for one destination. `step` runs in one thread; everything else may be called from any."""

    def __init__(self, destination: Destination, tools: Tools) -> None:
        self.destination = destination  # replaced by the room, never changed
        self.tools = tools
        self.position = tools.positions.find(destination.id) or Position(next_index=destination.start_index)
        self.position.next_index = min(self.position.next_index, max(tools.reader.size, destination.start_index))
        self._judged = self.position.next_index
        self._chunks: Iterator[tuple[list[Disclosure], int]] | None = None
        self._pending: deque[Message] = deque()
        self._judge: tuple[int, Judge] | None = None
        self._limit = destination.now.batch
        self._forgotten: set[str] = set()
        self._given_up = -1  # the address of this version, and of those before it, while it is not the newest
        self._tries = 0  # of what is sent now, in a row
        self._failed_last = False
        self._filled_at = 0.0
        self._not_before = 0.0
        self._saved_at = 0.0
        self._recorded_at: float | None = None
        self._rows = 0
        self._endpoint: tuple[tuple[Version, Version], Endpoint] | None = None
        self._looked = (time.monotonic(), tools.reader.size)
        self._is_busy = False
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"stream-{destination.id}", daemon=True)

    def start(self) -> None:
        """Follow in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Let go of whatever it waits for; `join` waits until it has."""
        self._stopping.set()
        self._woken.set()
        endpoint = self._endpoint
        if endpoint is not None:
            endpoint[1].sender.abort()

    def join(self, timeout_s: float) -> None:
        """Wait until the thread is done, if it ever started."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def wake(self, destination: Destination | None = None) -> None:
        """Look again at once: something changed, or something is there."""
        if destination is not None:
            self.destination = destination
        self._woken.set()

    def try_now(self) -> None:
        """Do not wait out what failed before."""
        self._not_before = 0.0
        self._woken.set()

    def standing(self) -> Standing:
        """Return how it does now."""
        position, size = self.position, self.tools.reader.size
        lag = max(0, size - position.next_index)
        since = self.tools.reader.received_at(position.next_index) if lag else None
        return Standing(
            position=replace_position(position),
            lag=lag,
            lag_s=0.0 if since is None else max(0.0, (self.tools.now_us() - since) / US),
            letters=self.tools.positions.count(self.destination.id),
            waiting_s=max(0.0, self._not_before - time.monotonic()),
        )

    def step(self) -> float:
        """Do one thing, and return the seconds until there may be another."""
        destination = self.destination
        self._go_back_if_asked(destination)
        left = self._not_before - time.monotonic()
        if left > 0:
            return left
        if destination.state is State.ENDING and self._is_over(destination):
            return self._finish(destination)
        stands_still = destination.state is State.PAUSED
        if stands_still and self._tries:
            return IDLE_S
        if not stands_still and self._replay_one(destination):
            return 0.0
        if self._failed_last or (self._pending and time.monotonic() - self._filled_at > AHEAD_S_MAX):
            # What was erased meanwhile, or is withheld now, must not be sent from memory.
            self._failed_last = False
            self._give_up_if_dead(destination)
            self._forget_ahead()
        self._fill_up(destination)
        if not self._pending:
            return self._rest(destination)
        self._send(destination)
        return 0.0

    def _run(self) -> None:
        try:
            self._follow()
        finally:
            if self._endpoint is not None:
                self._endpoint[1].sender.close()

    def _follow(self) -> None:
        is_missing = False
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                wait_s = self.step()
                is_missing = False
            except FileNotFoundError as error:
                self._forget_ahead()
                if not is_missing:
                    is_missing = True  # a merge or an erasure replaced a segment: read the newer ones
                    continue
                # It is not there in the newer ones either: wait, with a word, for who puts it back or sets it aside.
                _telemetry.error("a file of the log is gone", destination=self.destination.id, said=str(error))
                self._failed(None, "a file of the log that may hold what is due is gone")
                wait_s = 0.0
            except TallystickError as error:
                self._failed(None, f"{error.code}: {error.message}")
                wait_s = 0.0
            except Exception:  # noqa: BLE001 - this destination waits, with a word; it must not end for good
                if self._stopping.is_set():
                    return
                _telemetry.exception("a destination failed", destination=self.destination.id)
                self._failed(None, "an error of our own; the telemetry of the server says more")
                wait_s = 0.0
            if self.destination.state is State.ENDED:
                return
            if wait_s > 0:
                self._woken.wait(min(wait_s, IDLE_S))
        self._save()

    def _go_back_if_asked(self, destination: Destination) -> None:
        """Start again further down, once everything up to the event that asked for it was delivered."""
        position = self.position
        if position.rewound_index < destination.rewind_index < position.next_index:
            position.rewound_index = destination.rewind_index
            position.next_index = min(position.next_index, destination.rewind_to)
            self._forget_ahead()
            self._save()

    def _fill_up(self, destination: Destination) -> None:
        """Judge what comes next until there is enough for a request, the log ends, or a moment has passed."""
        if not self._pending:
            self._filled_at = time.monotonic()
        until = time.monotonic() + FILL_S
        while len(self._pending) < destination.now.batch and self._fill(destination):
            if time.monotonic() > until or self._stopping.is_set() or self.destination is not destination:
                return

    def _fill(self, destination: Destination) -> bool:
        """Judge the next chunk of the log; returns False when there is none."""
        end = destination.end_index
        if end is not None and self._judged >= end:
            return False
        if self._chunks is None:
            self._chunks = self.tools.reader.chunks(self._judged, end)
        found = next(self._chunks, None)
        if found is None:
            self._chunks = None
            return self._judged < min(self.tools.reader.size, self._judged + 1 if end is None else end)
        rows, done_to = found
        for row in rows:
            message = self._judge_for(destination, row.index).message(row)
            if message is not None:
                self._pending.append(message)
            if is_about_streams(row):
                # What follows may be for nobody, or under other settings: look at the tables first.
                done_to, self._chunks, self._judge = row.index + 1, None, None
                self.tools.refresh()
                break
        self._judged = done_to
        if not self._pending:
            self.position.next_index = done_to
            self._save_sometimes()
        return True

    def _judge_for(self, destination: Destination, index: int) -> Judge:
        version = destination.version_at(max(index, self.position.rewound_index))
        if version.from_index <= self._given_up and not covers(destination.now, version):
            version = destination.now  # who set the new address granted it no more
        stamp = self.tools.version()
        if self._judge is None or self._judge[0] != stamp or self._judge[1].version is not version:
            self._judge = (stamp, Judge(destination.id, version, self.tools.register))
        return self._judge[1]

    def _send(self, destination: Destination) -> None:
        """Send what comes next in one request, and judge the answer."""
        messages = self._next_messages()
        version = messages[0].version
        self._put_on_record(destination, version, messages)
        verdict, status, said, retry_after_s = self._post(destination, version, messages)
        if verdict is Verdict.DELIVERED:
            for _ in messages:
                self._pending.popleft()
            self._delivered(len(messages))
            self._give_way(len(messages))
            return
        if len(messages) > 1 and verdict is not Verdict.UNWELL:
            self._limit = max(1, len(messages) // 2)  # to find the one that is meant
            self._failed(None if verdict is Verdict.REFUSED else retry_after_s, said, waits=verdict is Verdict.FAILED)
            return
        self._failed(retry_after_s, said)
        most = self.tools.patience.tries_max(verdict)
        if len(messages) == 1 and most is not None and self._tries >= most:
            self._set_aside(messages[0], status, said)

    def _next_messages(self) -> list[Message]:
        """Return what goes into one request: of one version, as many as it takes."""
        first = self._pending[0]
        limit = min(self._limit, first.version.batch)
        taken, size = [first], len(first.body)
        for message in islice(self._pending, 1, max(1, limit)):
            size += len(message.body) + 1
            if message.version is not first.version or size > BODY_BYTES_MAX:
                break
            taken.append(message)
        return taken

    def _post(
        self, destination: Destination, version: Version, messages: list[Message]
    ) -> tuple[Verdict, int, str, int | None]:
        """Return what an attempt means, its status (0 without an answer), what was said, and when to come again."""
        endpoint = self._endpoint_for(destination, version)
        body, headers = make_request(destination, version, messages, endpoint, self.tools.now_us())
        try:
            answer = endpoint.sender.post(body, headers)
        except (SendFailedError, AddressRefusedError) as error:
            return Verdict.UNWELL, 0, error.message, None
        said = endpoint.words_of(answer, personal=version.personal)
        return judge_status(answer.status), answer.status, said, answer.retry_after_s

    def _give_up_if_dead(self, destination: Destination) -> None:
        """Give up an address that was replaced, once it has failed so often."""
        if self._tries >= TAKE_OVER_TRIES and self._pending:
            version = self._pending[0].version
            if version.from_index < destination.now.from_index:
                self._given_up = max(self._given_up, version.from_index)

    def _endpoint_for(self, destination: Destination, version: Version) -> Endpoint:
        """Return where a version's events go. An address that was replaced and does not answer is given up."""
        if version.from_index <= self._given_up:
            version = destination.now
        key = (version, destination.now)  # its secrets sign, whatever the address
        if self._endpoint is None or self._endpoint[0] != key:
            if self._endpoint is not None:
                self._endpoint[1].sender.close()
            try:
                self._endpoint = (key, self.tools.endpoint(destination, version))
            except SecretMissingError:
                if version == destination.now:
                    raise
                # It was passed long ago, but how far is lost: what is sent again goes where everything goes now.
                self._given_up = max(self._given_up, version.from_index)
                if not covers(destination.now, version):
                    self._failed_last = True  # it is judged anew, by what was granted to that place
                    raise
                self._endpoint = (key, self.tools.endpoint(destination, destination.now))
            if self._stopping.is_set():
                self._endpoint[1].sender.abort()
        return self._endpoint[1]

    def _put_on_record(self, destination: Destination, version: Version, messages: Sequence[Message]) -> None:
        """Record that events are read and given out, once in a quarter of an hour; nothing is sent before that."""
        now = time.monotonic()
        if self._recorded_at is None or now - self._recorded_at >= SESSION_S:
            rows = self._rows + len(messages)
            self.tools.record(destination, version, messages[0].index, rows)
            self._recorded_at, self._rows = now, -len(messages)  # these are told already

    def _delivered(self, count: int) -> None:
        position = self.position
        position.sent += count
        position.last_success = self.tools.now_us()
        position.next_index = self._pending[0].index if self._pending else self._judged
        self._rows += count
        self._tries = 0
        self._limit = min(self._limit * 2, self.destination.now.batch)
        self._save_sometimes()

    def _give_way(self, count: int) -> None:
        """Send no faster than at a stated pace while recording is near what the machine can do: it comes first."""
        now, size = time.monotonic(), self.tools.reader.size
        if now - self._looked[0] >= LOOK_S:
            self._is_busy = size - self._looked[1] > BUSY_PER_S * (now - self._looked[0])
            self._looked = (now, size)
        if self._is_busy:
            self._stopping.wait(count / PACED_PER_S)

    def _failed(self, retry_after_s: int | None, said: str, *, waits: bool = True) -> None:
        self._failed_last = True
        self.position.failures += 1
        self.position.last_error, self.position.error = self.tools.now_us(), said
        if waits:
            self._tries += 1
            self._not_before = time.monotonic() + self.tools.patience.delay_s(self._tries, retry_after_s)
        self._chunks = None  # a snapshot that is held keeps files on the disk
        self._save_sometimes()

    def _set_aside(self, message: Message, status: int, said: str) -> None:
        now = self.tools.now_us()
        letter = Letter(index=message.index, event_id=message.id, at=now, status=status, reason=said, tries=self._tries)
        self._pending.popleft()
        self.position.next_index = self._pending[0].index if self._pending else self._judged
        self._tries, self._not_before = 0, 0.0
        self._save(letter)

    def _replay_one(self, destination: Destination) -> bool:
        """Send again one event that was set aside, if one is asked for; returns whether there was one."""
        letter = self.tools.positions.next_replaying(destination.id)
        if letter is None:
            return False
        judge = Judge(destination.id, destination.now, self.tools.register)
        found = [row for rows, _ in self.tools.reader.chunks(letter.index, letter.index + 1) for row in rows]
        message = judge.message(found[0]) if found else None
        if message is None:
            reason = "the settings do not cover it any more" if found else "its content was erased"
            self._keep_letter(letter, letter.status, reason)
            return True
        self._put_on_record(destination, destination.now, [message])
        verdict, status, said, _ = self._post(destination, destination.now, [message])
        if verdict is Verdict.DELIVERED:
            self.position.sent += 1
            self.position.last_success = self.tools.now_us()
            self.tools.positions.remove(destination.id, letter.index)
            self._save()
        else:
            self._keep_letter(letter, status, said)
        return True

    def _keep_letter(self, letter: Letter, status: int, reason: str) -> None:
        kept = Letter(
            index=letter.index,
            event_id=letter.event_id,
            at=self.tools.now_us(),
            status=status,
            reason=reason,
            tries=letter.tries + 1,
        )
        self.tools.positions.put(self.destination.id, [kept])

    def _rest(self, destination: Destination) -> float:
        """Nothing is due now."""
        end = destination.end_index
        self.position.next_index = self._judged
        if end is not None and self._judged >= end:
            self._save()
            return self._finish(destination) if destination.state is State.ENDING else IDLE_S
        self._save_sometimes()
        return POLL_S if self._judged >= self.tools.reader.size else 0.0

    def _is_over(self, destination: Destination) -> bool:
        """Whether a destination that was deleted had its time to take what it was due."""
        return self.tools.now_us() - (destination.stopped_at or 0) > ENDING_S_MAX * US

    def _finish(self, destination: Destination) -> float:
        undelivered = max(0, (destination.end_index or 0) - self.position.next_index)
        self.tools.end(destination, undelivered)
        self.destination = replace(destination, state=State.ENDED)
        return IDLE_S

    def _forget_ahead(self) -> None:
        self._pending.clear()
        self._judged, self._chunks, self._judge = self.position.next_index, None, None

    def _save_sometimes(self) -> None:
        if time.monotonic() - self._saved_at >= SAVE_S:
            self._save()

    def _save(self, letter: Letter | None = None) -> None:
        self.tools.positions.save(self.destination.id, self.position, letter)
        self._saved_at = time.monotonic()
        versions = self.destination.versions
        reached = max(self.position.next_index, self.position.rewound_index)
        over = {old.secret for old, new in pairwise(versions) if new.from_index <= reached} - {versions[-1].secret}
        over -= {old.secret for old, new in pairwise(versions) if new.from_index > reached}
        for secret in over - self._forgotten:
            self.tools.forget(secret)
        self._forgotten |= over


def covers(one: Version, other: Version) -> bool:
    """Return whether a version was granted all that another was."""
    return all(
        any(is_within(scope, wider) for wider in one.rights.get(permission, ()))
        for permission, scopes in other.rights.items()
        for scope in scopes
    )


def replace_position(position: Position) -> Position:
    """Return a copy that stays as it is."""
    return Position(**{name: getattr(position, name) for name in Position.__struct_fields__})
