from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from tallystick.errors import ConfigurationError
from tallystick.merkle import Frontier, SizedTiles, consistency_path, hash_leaf
from tallystick.note import (
    Checkpoint,
    CosignatureSigner,
    Ed25519Signer,
    NoteError,
    check_policy,
    format_checkpoint,
    format_note,
    format_signature,
    parse_policy,
    parse_witness_vkey,
    sign_checkpoint,
)
from tallystick.witness.client import (
    ANSWER_BYTES_MAX,
    WitnessAheadError,
    WitnessAnswerError,
    WitnessClient,
    WitnessConflictError,
    WitnessRefusedError,
    WitnessUnavailableError,
)
from tallystick.witness.server import WitnessServer, make_server

LOG = Ed25519Signer("log.example/a", b"L" * 32)
WITNESS = CosignatureSigner("witness.example/w", b"W" * 32)
STRANGER = CosignatureSigner("witness.example/w", b"S" * 32)
LEAVES = b"".join(hash_leaf(b"%d" % n) for n in range(300))
READER = SizedTiles(300, {tile.path: tile.hashes for tile in Frontier().grow(LEAVES)[1]}.get)

SIZE = {"Content-Type": "text/x.tlog.size"}

Answer = Callable[[httpx.Request], httpx.Response]


def _note(size: int) -> bytes:
    return sign_checkpoint(Checkpoint(LOG.name, size, Frontier().grow(LEAVES[: 32 * size])[0].root), LOG)


def _proofs(size: int) -> Callable[[int], Sequence[bytes]]:
    return lambda old: consistency_path(old, size, READER)


def _text(size: int) -> bytes:
    return _note(size).partition(b"\n\n")[0] + b"\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WitnessServer]:
    server = make_server("127.0.0.1", 0, tmp_path, WITNESS.name, [LOG.verifier])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
    server.witness.close()


@pytest.fixture
def client(server: WitnessServer) -> Iterator[WitnessClient]:
    key = parse_witness_vkey(server.witness.vkey)
    with WitnessClient(f"http://127.0.0.1:{server.port}/", key) as client:
        yield client


def _facing(answer: Answer) -> WitnessClient:
    """Return a client of a witness that answers as the function says."""
    return WitnessClient("https://witness.example", WITNESS.verifier, transport=_transport(answer))


def _transport(answer: Answer) -> httpx.MockTransport:
    """Return a transport whose answers arrive as a stream, as they do over a socket."""

    def streamed(request: httpx.Request) -> httpx.Response:
        given = answer(request)
        return httpx.Response(given.status_code, headers=given.headers, stream=httpx.ByteStream(given.content))

    return httpx.MockTransport(streamed)


def _push(client: WitnessClient, size: int, known_size: int = 0) -> bytes:
    return client.push_checkpoint(_note(size), LOG.verifier, _proofs(size), known_size=known_size).line


def test_a_cosigned_checkpoint_satisfies_a_policy_that_asks_for_the_witness(client: WitnessClient) -> None:
    note = _note(5) + _push(client, 5)
    policy = parse_policy(f"log {LOG.vkey}\nwitness w {client.key.vkey}\nquorum w\n".encode())
    check_policy(note, policy).require()


def test_a_log_that_knows_nothing_or_something_old_starts_from_what_the_witness_says(client: WitnessClient) -> None:
    _push(client, 5)
    _push(client, 100, known_size=0)
    _push(client, 200, known_size=7)
    _push(client, 201, known_size=200)
    # The witness is at 201 and the log believes it to be further than both.
    _push(client, 202, known_size=300)


def test_pushing_the_same_checkpoint_again_renews_it(client: WitnessClient) -> None:
    first = client.push_checkpoint(_note(5), LOG.verifier, _proofs(5), known_size=0)
    again = client.push_checkpoint(_note(5), LOG.verifier, _proofs(5), known_size=5)
    assert again.size == 5
    assert again.time_s >= first.time_s


def test_a_witness_that_is_ahead_shows_what_the_log_once_signed(client: WitnessClient) -> None:
    _push(client, 200)
    with pytest.raises(WitnessAheadError) as caught:
        _push(client, 100)
    assert caught.value.size == 200
    assert caught.value.published is not None
    assert caught.value.published.checkpoint.size == 200


def test_a_witness_that_saw_another_history_shows_the_signed_checkpoint_of_it(client: WitnessClient) -> None:
    forked = sign_checkpoint(Checkpoint(LOG.name, 50, bytes(32)), LOG)
    client.push_checkpoint(forked, LOG.verifier, lambda old: [], known_size=0)
    for size, known in ((50, 50), (50, 0), (60, 50), (60, 0)):
        with pytest.raises(WitnessConflictError) as caught:
            _push(client, size, known)
        assert not isinstance(caught.value, WitnessAheadError)
        assert caught.value.published is not None
        assert caught.value.published.checkpoint == Checkpoint(LOG.name, 50, bytes(32))


def test_a_witness_that_only_claims_to_be_ahead_shows_nothing_of_ours() -> None:
    theirs = format_checkpoint(Checkpoint(LOG.name, 900, bytes(32)))
    for shown in (
        httpx.Response(404),
        httpx.Response(500),
        httpx.Response(200, content=b"nonsense"),
        httpx.Response(200, content=b"x" * (ANSWER_BYTES_MAX + 1)),
        httpx.Response(200, content=format_note(theirs, [WITNESS.cosign(theirs, 1)])),
    ):

        def answer(request: httpx.Request, shown: httpx.Response = shown) -> httpx.Response:
            if request.method == "GET":
                return httpx.Response(shown.status_code, content=shown.content)
            return httpx.Response(409, content=b"900\n", headers=SIZE)

        with _facing(answer) as client, pytest.raises(WitnessAheadError) as caught:
            _push(client, 100)
        assert caught.value.size == 900
        assert caught.value.published is None


@pytest.mark.parametrize("refusal", [httpx.Response(422), httpx.Response(409, content=b"900\n", headers=SIZE)])
@pytest.mark.parametrize("size", [0, 1, 50, 100])
def test_a_witness_that_refuses_and_shows_only_what_we_have_is_at_fault(refusal: httpx.Response, size: int) -> None:
    # Otherwise a faulty witness could stop a ledger by holding up any honest checkpoint of its past.
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=_note(size)) if request.method == "GET" else refusal

    with _facing(answer) as client, pytest.raises(WitnessConflictError) as caught:
        _push(client, 100, known_size=60)
    assert caught.value.note == _note(size)
    assert caught.value.published is None


@pytest.mark.parametrize("size", [0, 50, 100, 101])
def test_our_signature_on_what_we_do_not_have_is_shown(size: int) -> None:
    forked = sign_checkpoint(Checkpoint(LOG.name, size, bytes(32)), LOG)

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=forked) if request.method == "GET" else httpx.Response(422)

    with _facing(answer) as client, pytest.raises(WitnessConflictError) as caught:
        _push(client, 100, known_size=60)
    assert caught.value.published is not None
    assert caught.value.published.checkpoint.size == size


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense\n",
        format_signature(STRANGER.cosign(_text(5), 1)),
        format_signature(WITNESS.cosign(_text(6), 1)),
        format_signature(WITNESS.cosign(_text(5), 1))[:-1],
        format_signature(WITNESS.cosign(_text(5), 1)) + b"\n",
        format_signature(WITNESS.cosign(_text(5), 1)) + format_signature(WITNESS.cosign(_text(6), 1)),
        b"\n" + format_signature(WITNESS.cosign(_text(5), 1)),
        b"more text\n\n" + format_signature(WITNESS.cosign(b"more text\n", 1)),
        b"x" * (ANSWER_BYTES_MAX + 1),
    ],
)
def test_an_answer_that_is_no_cosignature_of_the_very_note_is_refused(body: bytes) -> None:
    with _facing(lambda request: httpx.Response(200, content=body)) as client, pytest.raises(WitnessAnswerError):
        _push(client, 5)


def test_lines_of_other_keys_in_the_answer_are_ignored() -> None:
    mine = format_signature(WITNESS.cosign(_text(5), 7))
    other = format_signature(STRANGER.cosign(_text(6), 9))
    with _facing(lambda request: httpx.Response(200, content=other + mine)) as client:
        assert _push(client, 5) == mine


def test_redirects_are_not_followed() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(307, headers={"Location": "https://elsewhere.example/add-checkpoint"})

    with _facing(answer) as client, pytest.raises(WitnessRefusedError) as caught:
        _push(client, 5)
    assert caught.value.status == 307
    assert asked == ["https://witness.example/add-checkpoint"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
def test_a_refusal_that_time_does_not_cure_is_told_apart(status: int) -> None:
    with _facing(lambda request: httpx.Response(status, content=b"why\n")) as client:
        with pytest.raises(WitnessRefusedError, match="why") as caught:
            _push(client, 5)
        assert caught.value.status == status


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_refusal_that_time_may_cure_is_told_apart(status: int) -> None:
    with _facing(lambda request: httpx.Response(status)) as client, pytest.raises(WitnessUnavailableError):
        _push(client, 5)


def test_a_witness_that_cannot_be_reached_is_unavailable() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("too late", request=request)

    with _facing(refuse) as client:
        with pytest.raises(WitnessUnavailableError):
            _push(client, 5)
        with pytest.raises(WitnessUnavailableError):
            client.fetch_checkpoint(LOG.name)


def test_a_witness_that_answers_drop_by_drop_is_given_up() -> None:
    class Clock:
        now = 0.0

        def now_us(self) -> int:
            return 0

        def monotonic_s(self) -> float:
            self.now += 1.0
            return self.now

    class Drops(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                yield b"."

    transport = httpx.MockTransport(lambda request: httpx.Response(200, stream=Drops()))
    key = WITNESS.verifier
    with (
        WitnessClient("https://w.example", key, timeout_s=5, clock=Clock(), transport=transport) as client,
        pytest.raises(WitnessUnavailableError, match="slowly"),
    ):
        _push(client, 5)


def test_a_witness_that_names_ever_other_sizes_is_given_up() -> None:
    sizes = iter(range(1, 100))

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(409, content=b"%d\n" % next(sizes), headers=SIZE)

    with _facing(answer) as client, pytest.raises(WitnessUnavailableError, match="changes its mind"):
        _push(client, 200)
    assert next(sizes) == 4


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(409, content=b"900\n", headers={"Content-Type": "text/html"}),
        httpx.Response(409, content=b"900", headers=SIZE),
        httpx.Response(409, content=b"0900\n", headers=SIZE),
        httpx.Response(409, content=b"many\n", headers=SIZE),
    ],
)
def test_a_conflict_without_a_readable_size_is_a_conflict_not_a_size(answer: httpx.Response) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(404)
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    with _facing(respond) as client, pytest.raises(WitnessConflictError) as caught:
        _push(client, 100)
    assert not isinstance(caught.value, WitnessAheadError)
    assert (caught.value.note, caught.value.published) == (None, None)


def test_only_our_own_signed_checkpoint_is_offered() -> None:
    stranger = Ed25519Signer(LOG.name, b"X" * 32)
    note = sign_checkpoint(Checkpoint(LOG.name, 5, bytes(32)), stranger)
    with _facing(lambda request: httpx.Response(200)) as client, pytest.raises(NoteError):
        client.push_checkpoint(note, LOG.verifier, lambda old: [], known_size=0)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "witness.example",
        "ftp://witness.example",
        "file:///etc",
        "http://",
        "http://w?x",
        "http://w:port",
        "https://w/#f",
    ],
)
def test_an_address_that_is_no_witness_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError):
        WitnessClient(url, WITNESS.verifier)


def test_the_monitoring_prefix_may_lie_elsewhere() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(200, content=b"shown")

    transport = _transport(answer)
    with WitnessClient(
        "https://in.example/s/", WITNESS.verifier, monitoring_url="https://out.example/m", transport=transport
    ) as client:
        assert client.fetch_checkpoint("x") == b"shown"
    assert asked == ["out.example"]
