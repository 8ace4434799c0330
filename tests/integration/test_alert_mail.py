"""Mail to a real SMTP server: escaped, encrypted where asked, with the same id when it is sent again."""

from __future__ import annotations

import ssl
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import cast

import pytest
from tests.certificates import write_certificate
from tests.notify_world import Mailbox, NotifyWorld, notifying, smtp_server
from tests.stream_world import free_port, wait_until

from tallystick.access.operator import OPERATOR
from tallystick.alert.notify.mail import MailServer, is_address, send_mail
from tallystick.alert.notify.model import ReceiverSettings, Way
from tallystick.alert.notify.sending import NotSentError
from tallystick.config import SmtpSetting

SENDER = "audit@example.org"


def contexts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Return the server's side of TLS, whose certificate the client's side trusts from now on."""
    cert, key = write_certificate(folder)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    return context


def mail_to(world: NotifyWorld, *addresses: str, **changes: object) -> None:
    settings = ReceiverSettings(name="ops", way=Way.EMAIL, to=addresses, **changes)  # type: ignore[arg-type]
    world.room.receivers.set(OPERATOR, settings)
    world.routes("route: {receiver: ops}")


def test_an_alert_arrives_as_text_and_html_with_every_value_escaped_and_no_header_of_its_own(tmp_path: Path) -> None:
    mailbox = Mailbox()
    with smtp_server(mailbox) as port:
        smtp = SmtpSetting("127.0.0.1", SENDER, port, "none")
        with notifying(tmp_path, smtp=smtp, public_url="https://audit.example.org") as world:
            mail_to(world, "ops@example.org", personal=True)
            alert = world.alarm(
                title='<img src=x onerror="x">\r\nBcc: all@example.org',
                sentence="<script>1</script> by ana@example.org",
            )
            (envelope,) = mailbox.wait(1)
            wait_until(lambda: world.evidence().settled)
            (settled,) = world.evidence().settled
    mail = message_from_bytes(cast("bytes", envelope.content), policy=default)
    assert envelope.rcpt_tos == ["ops@example.org"]
    assert envelope.mail_from == SENDER
    assert mail["bcc"] is None
    assert "Bcc: all@example.org" in mail["subject"]
    assert mail["message-id"] == f"<{settled.key}@example.org>"
    assert [each.code for each in settled.attempts] == [250]
    text, html = (part.get_content() for part in mail.iter_parts())
    assert f"https://audit.example.org/alerts/{alert}" in text
    assert "ana@example.org" in text
    assert "<script>" not in html
    assert "&lt;script&gt;1&lt;/script&gt;" in html
    assert "<img" not in html


@pytest.mark.filterwarnings(
    "ignore:Requiring AUTH while not requiring TLS"
)  # it does not count TLS from the first byte
def test_mail_is_signed_in_and_encrypted_by_starttls_and_from_the_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = contexts(tmp_path, monkeypatch)
    for security, more in (("starttls", {"starttls": context}), ("tls", {"tls": context})):
        mailbox = Mailbox()
        with smtp_server(mailbox, password="s3cret", **more) as port:  # type: ignore[arg-type]
            server = MailServer("127.0.0.1", port, security, SENDER, "audit", "s3cret")  # type: ignore[arg-type]
            assert send_mail(server, ["ops@example.org"], "s", "t", "<p>t</p>", "k").code == 250
            wrong = MailServer("127.0.0.1", port, security, SENDER, "audit", "wrong")  # type: ignore[arg-type]
            with pytest.raises(NotSentError, match="password") as caught:
                send_mail(wrong, ["ops@example.org"], "s", "t", "<p>t</p>", "k")
            assert caught.value.code == 535
        assert mailbox.secured == [True]


def test_no_mail_leaves_in_the_clear_where_encryption_was_asked_for(tmp_path: Path) -> None:
    mailbox = Mailbox()
    with smtp_server(mailbox) as port:
        server = MailServer("127.0.0.1", port, "starttls", SENDER)
        with pytest.raises(NotSentError, match="does not offer"):
            send_mail(server, ["ops@example.org"], "s", "t", "<p>t</p>", "k")
    assert mailbox.mails == []


def test_a_certificate_that_nobody_vouches_for_stops_the_mail(tmp_path: Path) -> None:
    cert, key = write_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    mailbox = Mailbox()
    with smtp_server(mailbox, starttls=context) as port:
        server = MailServer("127.0.0.1", port, "starttls", SENDER)
        with pytest.raises(NotSentError, match="encrypted"):
            send_mail(server, ["ops@example.org"], "s", "t", "<p>t</p>", "k")
    assert mailbox.mails == []


def test_one_refused_address_does_not_keep_the_others_from_their_mail() -> None:
    mailbox = Mailbox(refused=frozenset({"gone@example.org"}))
    with smtp_server(mailbox) as port:
        server = MailServer("127.0.0.1", port, "none", SENDER)
        sent = send_mail(server, ["ops@example.org", "gone@example.org"], "s", "t", "<p>t</p>", "k")
        assert sent.said == "1 of 2 addresses were refused"
        with pytest.raises(NotSentError) as caught:
            send_mail(server, ["gone@example.org"], "s", "t", "<p>t</p>", "k")
    assert (caught.value.code, caught.value.lasting) == (550, True)
    assert [each.rcpt_tos for each in mailbox.mails] == [["ops@example.org"]]


@pytest.mark.parametrize(("code", "lasting"), [(451, False), (554, True)])
def test_what_the_server_answers_decides_whether_it_is_tried_for_long(code: int, lasting: bool) -> None:
    mailbox = Mailbox(code=code)
    with smtp_server(mailbox) as port:
        server = MailServer("127.0.0.1", port, "none", SENDER)
        with pytest.raises(NotSentError) as caught:
            send_mail(server, ["ops@example.org"], "s", "t", "<p>t</p>", "k")
    assert (caught.value.code, caught.value.lasting) == (code, lasting)


def test_a_server_that_is_not_there_is_an_answer_too() -> None:
    server = MailServer("127.0.0.1", free_port(), "none", SENDER)
    with pytest.raises(NotSentError, match="does not answer"):
        send_mail(server, ["ops@example.org"], "s", "t", "<p>t</p>", "k")


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("ops@example.org", True),
        ("ops+alerts@mail.example.org", True),
        ("root@localhost", True),
        ("ops@example.org\r\nBcc: x@example.org", False),
        ("ops@example.org, x@example.org", False),
        ("Ops <ops@example.org>", False),
        ("ops", False),
        ("@example.org", False),
        ("ops@", False),
        ("ops@example", False),
        ("o ps@example.org", False),
        ("ops\u202e@example.org", False),
        ("ops@" + "a" * 260 + ".org", False),
    ],
)
def test_an_address_is_one_plain_address(text: str, good: bool) -> None:
    assert is_address(text) is good


def test_a_test_message_says_that_nothing_happened_and_is_on_record(tmp_path: Path) -> None:
    mailbox = Mailbox()
    port = free_port()
    smtp = SmtpSetting("127.0.0.1", SENDER, port, "none")
    with smtp_server(mailbox, port=port), notifying(tmp_path, running=False, smtp=smtp) as world:
        mail_to(world, "ops@example.org")
        delivered, tried = world.room.receivers.test(OPERATOR, "ops")
        assert (delivered, tried.code) == (True, 250)
        assert world.house.actions()[-1] == "alert_receiver.tested"
        (found, _), *_ = world.room.receivers.list(OPERATOR)
        assert (found.test_outcome, found.test_code) == ("success", 250)
        assert found.tested_at is not None
    assert b"Nothing happened" in cast("bytes", mailbox.mails[0].content)
