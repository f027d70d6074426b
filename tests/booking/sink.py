"""A real SMTP server in this process that keeps what it gets and can be told to refuse."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class Sink:
    """The handler of the server. `answers` maps a recipient to the answer to RCPT or DATA."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.envelopes: list[tuple[str, tuple[str, ...]]] = []
        self.rcpt_answers: dict[str, str] = {}
        self.data_answer = "250 ok"
        self.url = ""

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, *_: Any) -> str:
        answer = self.rcpt_answers.get(address, "250 ok")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        if self.data_answer.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            message = message_from_bytes(content, policy=policy.default)
            assert isinstance(message, EmailMessage)
            self.messages.append(message)
            self.envelopes.append((envelope.mail_from or "", tuple(envelope.rcpt_tos)))
        return self.data_answer

    def ids(self) -> Counter[str]:
        """How often each Message-ID came."""
        return Counter(str(message["Message-ID"]) for message in self.messages)


def check_password(_server: Any, _session: Any, _envelope: Any, _mechanism: str, auth: Any) -> AuthResult:
    good = isinstance(auth, LoginPassword) and (auth.login, auth.password) == (b"yi xiang", b"p@ss:word")
    return AuthResult(success=good)


@contextmanager
def running_sink(*, wants_password: bool = False) -> Iterator[Sink]:
    """On a free port of the loopback."""
    sink = Sink()
    options: dict[str, Any] = {}
    if wants_password:
        options = {"authenticator": check_password, "auth_required": True, "auth_require_tls": False}
    controller = _AnyPort(sink, hostname="127.0.0.1", port=0, **options)
    controller.start()
    try:
        user = "yi%20xiang:p%40ss%3Aword@" if wants_password else ""
        sink.url = f"smtp://{user}127.0.0.1:{controller.server.sockets[0].getsockname()[1]}"
        yield sink
    finally:
        controller.stop()


class _AnyPort(Controller):
    """Lets the system choose the port and asks it which."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
