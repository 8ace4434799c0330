"""Which addresses are sent to, and what a destination may be set to."""

from __future__ import annotations

import socket

import pytest

from tallystick.stream.address import check_address, parse_networks
from tallystick.stream.errors import AddressRefusedError, DestinationInvalidError, SendFailedError
from tallystick.stream.model import Format, Settings
from tallystick.stream.patience import Patience, Verdict, judge_status
from tallystick.stream.sender import Sender
from tallystick.stream.settings import check_settings, parse_url

REFUSED = [
    "127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::a00:1", "64:ff9b:1::a00:1", "::7f00:1",
    "2001:0:7f00:1::",
]  # fmt: skip


@pytest.mark.parametrize("address", REFUSED)
def test_nothing_is_sent_to_addresses_of_the_house_in_whatever_dress(address: str) -> None:
    with pytest.raises(AddressRefusedError):
        check_address(address, ())


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1"])
def test_the_open_internet_is_sent_to(address: str) -> None:
    assert check_address(address, ()) is False


def test_only_what_an_operator_named_is_allowed_besides() -> None:
    networks = parse_networks(["10.0.0.0/8", "::1/128"])
    assert check_address("10.9.9.9", networks) is True
    assert check_address("::ffff:10.9.9.9", networks) is True
    assert check_address("::1", networks) is True
    for address in ("127.0.0.1", "::ffff:127.0.0.1", "192.168.0.1"):
        with pytest.raises(AddressRefusedError):
            check_address(address, networks)


def test_a_name_that_leads_to_any_address_of_the_house_is_refused_before_anything_connects() -> None:
    for found in (["127.0.0.1"], ["93.184.216.34", "10.0.0.1"]):
        sender = Sender("https://example.org/", (), resolve=lambda *_, found=found: found)
        with pytest.raises(AddressRefusedError):
            sender.check()
        with pytest.raises(AddressRefusedError):
            sender.post(b"{}", {})


def test_a_name_that_leads_elsewhere_when_it_is_connected_to_is_refused_then() -> None:
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    sender = Sender("https://example.org/", (), resolve=lambda *_: next(answers))
    sender.check()
    with pytest.raises(AddressRefusedError):
        sender.post(b"{}", {})


def test_http_is_for_networks_that_an_operator_named_only() -> None:
    sender = Sender("http://example.org/", parse_networks(["10.0.0.0/8"]), resolve=lambda *_: ["93.184.216.34"])
    with pytest.raises(AddressRefusedError, match="https only"):
        sender.post(b"{}", {})


def test_a_name_that_is_not_found_is_no_refusal() -> None:
    def fail(*_: object) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(SendFailedError, match="not found"):
        Sender("https://example.org/", (), resolve=fail).check()


@pytest.mark.parametrize(
    "url",
    [
        "", "example.org", "ftp://example.org", "https://", "https://user:pass@example.org/", "https://example.org/#a",
        "https://example.org:99999/", "https://example.org/a b", "https://ex\u00e4mple.org/", "https://example.org/\r\nx: y",
        "https://example.org:0/", "https://[::1", "javascript:alert(1)", "https://" + "a" * 2048,
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(DestinationInvalidError):
        parse_url(url)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "x"}, {"content-length": "1"}, {"Transfer-Encoding": "chunked"}, {"webhook-signature": "v1,x"},
        {"X-Gitlab-Event-Streaming-Token": "x"}, {"a b": "x"}, {"": "x"}, {"X-A": "a\r\nX-B: c"}, {"X-A": ""},
        {"X-A": "\u20ac"}, {"X-A": "1", "x-a": "2"}, {f"X-{number}": "v" for number in range(21)}, {"X-A": "v" * 5000},
    ],
)  # fmt: skip
def test_headers_that_could_change_the_request_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(DestinationInvalidError) as refused:
        check_settings(Settings(name="n", url="https://example.org", headers=headers))
    assert not any(value and len(value) > 3 and value in str(refused.value) for value in headers.values())


def test_twenty_headers_are_taken_and_gitlabs_form_carries_one_event() -> None:
    check_settings(
        Settings(name="n", url="https://example.org", headers={f"X-{number}": "v" for number in range(20)}, batch=1000)
    )
    with pytest.raises(DestinationInvalidError):
        check_settings(Settings(name="n", url="https://example.org", format=Format.GITLAB, batch=2))


def test_only_answers_about_what_was_sent_can_set_an_event_aside() -> None:
    assert judge_status(204) is Verdict.DELIVERED
    assert {judge_status(status) for status in (400, 413, 422)} == {Verdict.REFUSED}
    assert {judge_status(status) for status in (500, 501)} == {Verdict.FAILED}
    unwell = (301, 302, 307, 401, 403, 404, 408, 410, 429, 502, 503, 504)
    assert {judge_status(status) for status in unwell} == {Verdict.UNWELL}
    assert Patience().tries_max(Verdict.UNWELL) is None


def test_waiting_doubles_with_jitter_up_to_its_limit_and_obeys_retry_after() -> None:
    patience = Patience(first_s=1, most_s=60)
    for failures in range(1, 40):
        longest = min(60, 2 ** (failures - 1))
        waits = {patience.delay_s(failures) for _ in range(20)}
        assert all(longest / 2 <= wait <= longest for wait in waits)
        assert len(waits) > 1
    assert patience.delay_s(1, 120) == 120
