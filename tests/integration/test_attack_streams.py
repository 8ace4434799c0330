"""Whoever runs or changes a destination tries to get what nobody granted: erased data, other people's, and secrets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.installation import sample
from tests.stream_world import StreamWorld, free_port, streaming, wait_until

from tallystick.access.operator import OPERATOR
from tallystick.event.erasure import Part
from tallystick.ledger import ErasureOrder, product_admission
from tallystick.stream.errors import DestinationInvalidError
from tallystick.stream.gitlab import gitlab_type
from tallystick.stream.model import Format
from tallystick.testing import ManualClock

ANA = "ana@example.org"
SECRET = "s3cr3t-of-the-collector"
YEAR_S = 366 * 86_400


@contextmanager
def answering(make_answer: Any) -> Iterator[str]:
    """Yield the address of a destination that answers each request with what is made of its bytes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    held, _ = server.accept()
                except OSError:
                    return
                with held:
                    got = held.recv(65_536)
                    head, _, body = got.partition(b"\r\n\r\n")
                    size = next(
                        int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
                    )
                    while len(body) < size:
                        body += held.recv(65_536)
                    held.sendall(make_answer(head, body))

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/in"
        server.shutdown(socket.SHUT_RDWR)


def refusing(said: bytes) -> bytes:
    head = f"HTTP/1.1 422 No\r\ncontent-length: {len(said)}\r\nconnection: close\r\n\r\n"
    return head.encode() + said


def lines_with(text: str, head: bytes) -> bytes:
    return b"\n".join(line for line in head.split(b"\r\n") if text.encode() in line)


def told(world: StreamWorld, destination: str) -> str:
    """Return everything that somebody who sees the destination reads about what went wrong."""
    letters = world.streams.letters(OPERATOR, destination)
    return " ".join([world.standing(destination).position.error, *(each.reason for each in letters)])


def test_what_a_destination_repeats_of_personal_data_is_not_told_to_who_sees_the_destination(tmp_path: Path) -> None:
    with answering(lambda _, body: refusing(b"refused: " + body)) as url, streaming(tmp_path) as world:
        destination = world.create("echo", url=url, personal=True, query="action:user.signed_in")
        world.send(1)
        wait_until(lambda: world.streams.letters(OPERATOR, destination))
        assert "answered 422" in told(world, destination)
        assert "refused" not in told(world, destination)


@pytest.mark.parametrize("where", ["header", "query"])
def test_what_a_destination_repeats_of_its_secrets_is_told_to_nobody(tmp_path: Path, where: str) -> None:
    with answering(lambda head, _: refusing(lines_with(SECRET, head))) as url, streaming(tmp_path) as world:
        secret: dict[str, Any] = {"headers": {"Authorization": f"Bearer {SECRET}"}} if where == "header" else {}
        destination = world.create("echo", url=url if where == "header" else f"{url}?key={SECRET}", **secret)
        tested = world.streams.test(OPERATOR, destination)
        assert tested.status == 422
        assert SECRET not in tested.said
        world.send(1)
        wait_until(lambda: world.standing(destination).position.failures)
        assert SECRET not in told(world, destination)


def test_an_answer_that_is_no_http_is_not_repeated(tmp_path: Path) -> None:
    with answering(lambda head, _: head + b"\r\n\r\n") as url, streaming(tmp_path) as world:
        destination = world.create("echo", url=f"{url}?key={SECRET}")
        tested = world.streams.test(OPERATOR, destination)
        assert (tested.delivered, tested.status) == (False, 0)
        assert "not HTTP" in tested.said
        assert SECRET not in tested.said


def test_headers_are_not_sent_to_another_host_by_who_does_not_know_them(tmp_path: Path) -> None:
    with streaming(tmp_path) as world:
        destination = world.create("ok", headers={"Authorization": f"Bearer {SECRET}"})
        elsewhere = world.receiver.url("other").replace("127.0.0.1", "127.0.0.2")

        def move(url: str, headers: dict[str, str] | None = None) -> None:
            more = {} if headers is None else {"headers": headers}
            world.streams.change(
                OPERATOR,
                destination,
                lambda old: msgspec.structs.replace(old, url=url, **more),
                headers=headers is not None,
            )

        with pytest.raises(DestinationInvalidError) as refused:
            move(elsewhere)
        assert refused.value.pointer == "/headers"
        assert world.find(destination).now.url == world.receiver.url("ok")
        move(world.receiver.url("other"))  # another path of the same host
        move(elsewhere, {"X-Key": "the key of the new one"})
        assert world.find(destination).now.url == elsewhere


def test_what_was_erased_while_a_destination_was_down_is_not_sent_afterwards(tmp_path: Path) -> None:
    clock = ManualClock()
    with streaming(tmp_path, clock=clock) as world:
        destination = world.create("ok", personal=True, query="action:user.signed_in")
        world.receiver.kill()
        [sent] = world.house.post([sample()]).json()["events"]
        index = sent["index"]
        wait_until(lambda: world.standing(destination).position.failures >= 2)
        ledger = world.house.instance.ledger
        ledger.rotate()
        wait_until(lambda: ledger.snapshot().sealed_size > index)
        clock.advance(5 * YEAR_S)
        ledger.erase(ErasureOrder(((index, 1),), Part.PERSONAL), product_admission(world.house.instance.admission))
        world.receiver.start()
        world.streams.resume(OPERATOR, destination)
        wait_until(lambda: sent["id"] in world.receiver.ids())
        assert ANA not in "".join(each["body"] for each in world.receiver.taken())


@pytest.mark.parametrize("milestones", [5, True, {"a": 1}, "M1", [None, ["M1"]], 1.5])
def test_no_event_of_a_sender_stops_a_destination(tmp_path: Path, milestones: Any) -> None:
    with streaming(tmp_path) as world:
        destination = world.create(format=Format.GITLAB)
        odd = {"milestones": milestones, "tag": {"v": 1}, "entity_type": [], "operation": {}, "gitlab_id": []}
        world.send(1, action="release.created", metadata=odd)
        world.send(1, action="release.milestones_changed", metadata=odd)
        world.send(1, action="user.signed_in")
        wait_until(lambda: "user_signed_in" in str(world.receiver.taken()))
        assert world.standing(destination).position.failures == 0


@pytest.mark.parametrize("operation", ["a\r\nX-Evil: yes\r\n\r\nPOST / HTTP/1.1", "\u4f60\u597d", "x" * 9000, " ", ""])
def test_the_type_of_an_event_which_is_sent_as_a_header_is_nothing_but_a_name(operation: str) -> None:
    event = {"action": "release.created", "metadata": {"gitlab_id": "7", "operation": operation}}
    assert gitlab_type(event) == "release_created"


def test_what_an_address_was_due_goes_to_the_one_in_its_place_only_as_far_as_that_was_granted(tmp_path: Path) -> None:
    with streaming(tmp_path) as world:
        dead = f"http://127.0.0.1:{free_port()}/in"
        destination = world.create("ok", url=dead, personal=True, query="action:user.signed_in")
        sent = world.send(3)
        wait_until(lambda: world.standing(destination).position.failures)
        url = world.receiver.url("ok")
        world.streams.change(OPERATOR, destination, lambda old: msgspec.structs.replace(old, url=url, personal=False))
        wait_until(lambda: set(sent) <= set(world.receiver.ids()))
        assert ANA not in "".join(each["body"] for each in world.receiver.taken())


def test_a_rotation_does_not_show_the_token_that_somebody_else_set(tmp_path: Path) -> None:
    with streaming(tmp_path) as world:
        destination = world.create(format=Format.GITLAB, token=SECRET)
        made = world.streams.rotate(OPERATOR, destination)
        assert made.signing.startswith("whsec_")
        assert made.token == ""
