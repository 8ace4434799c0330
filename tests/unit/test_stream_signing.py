"""Signatures of Standard Webhooks, held against the specification's rule written out a second time, and fixed answers."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from tallystick.stream.gitlab import number_of
from tallystick.stream.model import Sealed
from tallystick.stream.request import Endpoint
from tallystick.stream.sender import Sender
from tallystick.stream.signing import new_secret, sign

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
OTHER = "whsec_" + base64.b64encode(b"fedcba9876543210fedcba98").decode()
CASES = [
    (SECRET, "msg_1", 1_700_000_000, b'{"type":"a"}'),
    (SECRET, "msg_2", 0, b""),
    (OTHER, "msg_1", 1_700_000_000, "\u00fcn\u00ef".encode()),
]


def expected(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return a signature as the specification words it: base64 of HMAC-SHA256 over `id.timestamp.body`."""
    key = base64.b64decode(secret.split("_", 1)[1])
    content = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


@pytest.mark.parametrize(("secret", "message_id", "timestamp", "body"), CASES)
def test_a_signature_is_what_the_specification_says(secret: str, message_id: str, timestamp: int, body: bytes) -> None:
    headers = sign([secret], message_id, timestamp, body)
    assert headers["webhook-id"] == message_id
    assert headers["webhook-timestamp"] == str(timestamp)
    assert headers["webhook-signature"] == expected(secret, message_id, timestamp, body)


def test_the_specifications_own_example_gives_the_signature_that_it_prints() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = sign([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_during_a_rotation_both_secrets_sign_and_afterwards_the_new_one_alone() -> None:
    sealed = Sealed((SECRET, OTHER), "token", overlap_until=100)
    endpoint = Endpoint(Sender("https://example.org", ()), sealed, sealed)
    assert endpoint.secrets_at(99) == (SECRET, OTHER)
    assert endpoint.secrets_at(100) == (SECRET,)
    signatures = sign(endpoint.secrets_at(99), "m", 1, b"x")["webhook-signature"].split(" ")
    assert signatures == [expected(SECRET, "m", 1, b"x"), expected(OTHER, "m", 1, b"x")]


def test_secrets_have_256_bits_and_are_never_the_same() -> None:
    made = {new_secret() for _ in range(50)}
    assert len(made) == 50
    assert {len(base64.b64decode(each.removeprefix("whsec_"))) for each in made} == {32}


def test_a_name_has_one_number_for_ever() -> None:
    assert number_of("ana") == number_of("ana") != number_of("ben")
    assert 0 < number_of("ana") < 2**48
