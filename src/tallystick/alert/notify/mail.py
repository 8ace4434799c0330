"""Mail by SMTP: no header that a value could have broken into two, and no password on a wire that is not encrypted."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import formatdate, parseaddr
from typing import Final, Literal

from tallystick.alert.notify.sending import NotSentError, Sent
from tallystick.event.identifier import hidden_character
from tallystick.event.visible import show

TIMEOUT_S: Final = 15.0
ADDRESS_CHARS_MAX: Final = 254
SUBJECT_CHARS_MAX: Final = 300
Security = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over. `sender` is the address that it comes from."""

    host: str
    port: int
    security: Security
    sender: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def is_address(text: str) -> bool:
    """Return whether a text is one plain e-mail address."""
    if not 3 <= len(text) <= ADDRESS_CHARS_MAX or hidden_character(text) is not None or not text.isascii():
        return False
    local, at, domain = text.rpartition("@")
    if not at or not local or ("." not in domain.strip(".") and domain != "localhost") or parseaddr(text)[1] != text:
        return False
    try:
        return Address(addr_spec=text).addr_spec == text
    except (ValueError, IndexError):
        return False


def send_mail(server: MailServer, to: Sequence[str], subject: str, text: str, html: str, key: str) -> Sent:
    """Hand a mail over; the same `key` gives the same Message-ID. Raises NotSentError.

    An address that is refused alone does not keep the others from getting it, and is counted in what is said.
    """
    mail = _mail(server, to, subject, text, html, key)
    try:
        with _connect(server) as smtp:
            if server.username is not None:
                smtp.login(server.username, server.password or "")
            refused = smtp.send_message(mail, server.sender, list(to))
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise NotSentError("every address was refused", code=min(codes), lasting=min(codes) >= 500) from None
    except smtplib.SMTPResponseException as error:
        said = "the password was refused" if isinstance(error, smtplib.SMTPAuthenticationError) else "mail was refused"
        raise NotSentError(said, code=error.smtp_code, lasting=error.smtp_code >= 500) from None
    except smtplib.SMTPNotSupportedError:
        raise NotSentError("the mail server does not offer what was configured (STARTTLS, sign-in)") from None
    except ssl.SSLError as error:
        raise NotSentError(f"no encrypted connection: {error.reason or 'TLS failed'}") from None
    except (OSError, smtplib.SMTPException) as error:
        raise NotSentError(f"the mail server does not answer: {type(error).__name__}") from None
    return Sent(250, f"{len(refused)} of {len(to)} addresses were refused" if refused else "")


def _connect(server: MailServer) -> smtplib.SMTP:
    if server.security == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=context)
    smtp = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
    try:
        if server.security == "starttls":
            smtp.starttls(context=ssl.create_default_context())
    except BaseException:
        smtp.close()
        raise
    return smtp


def _mail(server: MailServer, to: Sequence[str], subject: str, text: str, html: str, key: str) -> EmailMessage:
    mail = EmailMessage(policy=SMTP_POLICY)
    domain = server.sender.rpartition("@")[2]
    mail["From"] = server.sender
    mail["To"] = ", ".join(to)
    mail["Subject"] = show(" ".join(subject.split()), SUBJECT_CHARS_MAX)
    mail["Date"] = formatdate(usegmt=True)
    mail["Message-ID"] = f"<{key}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Tallystick-Notification"] = key
    mail.set_content(text)
    mail.add_alternative(html, subtype="html")
    return mail
