"""Hands messages to a mail server (SMTP, RFC 5321). Knows nothing of what they say.

Opens sockets, so it is never called inside a unit of work. Every step has a short time limit: a server that hangs must
not outlive the lease of the messages that wait for it.
"""

import re
import smtplib
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from types import TracebackType
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

TIMEOUT_S = 10
HEADER_LENGTH_MAX = 300
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class WholeWords(EmailPolicy):
    """Writes a subject or name that is not ASCII as encoded words (RFC 2047) from end to end.

    The standard library mixes plain and encoded words and then doubles or loses the blanks between them.
    """

    def fold(self, name: str, value: Any) -> str:
        if name.lower() not in ("subject", "from", "to") or str(value).isascii():
            return str(super().fold(name, value))
        if name.lower() == "subject":
            return f"{name}: {self._words(name, str(value))}{self.linesep}"
        address = value.addresses[0]
        phrase = self._words(name, address.display_name)
        return f"{name}: {phrase}{self.linesep} <{address.addr_spec}>{self.linesep}"

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self.fold(name, value).encode("ascii", "surrogateescape")

    def _words(self, name: str, text: str) -> str:
        return Header(text, charset="utf-8", header_name=name).encode(linesep=self.linesep)


#: How messages are written on the wire.
WIRE = WholeWords(linesep="\r\n")


class MailNotSent(Exception):
    """The message was not taken."""


class MailRefused(MailNotSent):
    """The server will never take this message for this recipient (5xx): trying again is of no use."""


class MailDelayed(MailNotSent):
    """The server does not take this message now (4xx): try it again later."""


class MailServerDown(MailNotSent):
    """The server cannot be reached or does not let us in: no message can be sent now."""


class Sender(Protocol):
    """Something that takes messages one after the other."""

    def send(self, message: EmailMessage) -> None: ...


@dataclass(frozen=True)
class SmtpServer:
    """Where and how to hand mail over: `smtp://user:password@host:port` or `smtps://...`."""

    host: str
    port: int
    username: str = ""
    password: str = ""
    #: TLS from the first byte (smtps); smtp upgrades by STARTTLS where the server offers it.
    is_encrypted: bool = False

    @classmethod
    def parse(cls, url: str) -> "SmtpServer":
        """Raises ValueError for anything but the two schemes with a host; the text never holds the password."""
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("an SMTP address looks like smtp://user:password@host:port or smtps://...")
        is_encrypted = parts.scheme == "smtps"
        return cls(
            host=parts.hostname,
            port=parts.port or (465 if is_encrypted else 587 if parts.username else 25),
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            is_encrypted=is_encrypted,
        )

    def __repr__(self) -> str:
        return f"SmtpServer({self.host}:{self.port})"


class SmtpConnection:
    """One connection for a batch of messages; opened at the first one, opened again when the server closed it."""

    def __init__(self, server: SmtpServer, timeout_s: float = TIMEOUT_S) -> None:
        self._server = server
        self._timeout_s = timeout_s
        self._client: smtplib.SMTP | None = None

    def send(self, message: EmailMessage) -> None:
        """Hand over one message to the one address in its To.

        Raises MailRefused, MailDelayed or MailServerDown; a connection that breaks after the text was sent counts as
        down, so the message is sent once more, with the same Message-ID.
        """
        sender, recipient = address_of(message, "From"), address_of(message, "To")
        client = self._client or self._open()
        try:
            client.send_message(message, from_addr=sender, to_addrs=[recipient])
        except smtplib.SMTPRecipientsRefused as error:
            code, reason = next(iter(error.recipients.values()))
            raise _refusal(code, reason) from error
        except smtplib.SMTPSenderRefused as error:
            raise MailServerDown(_words(error.smtp_code, error.smtp_error)) from error
        except smtplib.SMTPDataError as error:
            raise _refusal(error.smtp_code, error.smtp_error) from error
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise MailServerDown(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        if self._client is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._client.quit()
            self._client = None

    def _open(self) -> smtplib.SMTP:
        server = self._server
        name = socket.gethostname()
        try:
            if server.is_encrypted:
                context = ssl.create_default_context()
                client: smtplib.SMTP = smtplib.SMTP_SSL(
                    server.host, server.port, local_hostname=name, timeout=self._timeout_s, context=context
                )
            else:
                client = smtplib.SMTP(server.host, server.port, local_hostname=name, timeout=self._timeout_s)
        except (smtplib.SMTPException, OSError) as error:
            raise MailServerDown(f"{server!r}: {type(error).__name__}: {error}") from error
        self._client = client
        try:
            self._greet(client)
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise MailServerDown(f"{server!r}: {type(error).__name__}: {error}") from error
        return client

    def _greet(self, client: smtplib.SMTP) -> None:
        """Encrypt where possible, then sign in; a password never crosses a network in the clear."""
        server = self._server
        client.ehlo_or_helo_if_needed()
        is_local = server.host in _LOOPBACK
        is_encrypted = server.is_encrypted
        if not is_encrypted and not is_local and client.has_extn("starttls"):
            client.starttls(context=ssl.create_default_context())
            client.ehlo()
            is_encrypted = True
        if server.username:
            if not is_encrypted and not is_local:
                raise smtplib.SMTPNotSupportedError("the server offers no encryption, so the password is not sent")
            client.login(server.username, server.password)

    def __enter__(self) -> "SmtpConnection":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class NoTransport:
    """Takes every message and sends none: in the demonstration the outbox itself is the mailbox."""

    def send(self, message: EmailMessage) -> None:
        address_of(message, "To")


@contextmanager
def open_sender(server: SmtpServer | None) -> Iterator[Sender]:
    """A sender for one batch: a connection to the server, or without a server one that sends nothing."""
    if server is None:
        yield NoTransport()
        return
    with SmtpConnection(server) as connection:
        yield connection


def plain_header(text: str) -> str:
    """A text that can stand in a header: one line, no control characters, not endless."""
    return " ".join(_CONTROL.sub(" ", text).split())[:HEADER_LENGTH_MAX]


def check_address(address: str) -> str:
    """The address itself. Raises MailRefused unless it is one plain ASCII address."""
    if len(address) > 254 or not _ADDRESS.fullmatch(address):
        raise MailRefused("not an address that mail can be sent to")
    return address


def address_of(message: EmailMessage, header: str) -> str:
    """The one address in a header. Raises MailRefused for none, several or an unsafe one."""
    found = message[header]
    addresses: Sequence[Address] = found.addresses if found is not None else ()
    if len(addresses) != 1:
        raise MailRefused(f"{header} must hold one address")
    return check_address(addresses[0].addr_spec)


def _refusal(code: int, reason: bytes | str) -> MailNotSent:
    return (MailRefused if 500 <= code < 600 else MailDelayed)(_words(code, reason))


def _words(code: int, reason: bytes | str) -> str:
    text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
    return plain_header(f"{code} {text}")
