"""Handing mail to a server: what it may refuse, what must never be sent, and where passwords go."""

import socket
from email.message import EmailMessage

import pytest

from core.mail import (
    WIRE,
    MailDelayed,
    MailRefused,
    MailServerDown,
    SmtpConnection,
    SmtpServer,
    check_address,
    plain_header,
)
from tests.booking.sink import running_sink


def letter(to: str = "a@example.com") -> EmailMessage:
    message = EmailMessage(policy=WIRE)
    message["From"], message["To"], message["Subject"] = "yixiang@zone.example", to, "x"
    message.set_content("text")
    return message


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", SmtpServer("mail.example.com", 25)),
        ("smtp://u:p%40%3A@mail.example.com", SmtpServer("mail.example.com", 587, "u", "p@:")),
        ("smtps://u:p@mail.example.com", SmtpServer("mail.example.com", 465, "u", "p", True)),
        ("smtp://[::1]:2525", SmtpServer("::1", 2525)),
    ],
)
def test_an_address_of_a_server_is_read(url: str, server: SmtpServer) -> None:
    assert SmtpServer.parse(url) == server


@pytest.mark.parametrize("url", ["", "mail.example.com", "http://mail.example.com", "smtp://", "smtp://h:99999"])
def test_anything_else_is_no_address_of_a_server(url: str) -> None:
    with pytest.raises(ValueError):
        SmtpServer.parse(url)


def test_the_password_is_never_shown() -> None:
    assert "secret" not in repr(SmtpServer.parse("smtp://u:secret@mail.example.com"))


def test_messages_of_a_batch_share_a_connection_and_reach_one_reader_each() -> None:
    with running_sink() as sink, SmtpConnection(SmtpServer.parse(sink.url)) as connection:
        connection.send(letter("a@example.com"))
        connection.send(letter("b@example.com"))

    assert sink.envelopes == [
        ("yixiang@zone.example", ("a@example.com",)),
        ("yixiang@zone.example", ("b@example.com",)),
    ]


def test_a_server_that_wants_a_password_gets_it_decoded() -> None:
    with running_sink(wants_password=True) as sink, SmtpConnection(SmtpServer.parse(sink.url)) as connection:
        connection.send(letter())

    assert len(sink.messages) == 1


def test_a_wrong_password_is_a_server_that_is_down() -> None:
    with running_sink(wants_password=True) as sink:
        server = SmtpServer.parse(sink.url.replace("p%40ss", "wrong"))
        with SmtpConnection(server) as connection, pytest.raises(MailServerDown) as error:
            connection.send(letter())

    assert "wrong" not in str(error.value)


@pytest.mark.parametrize(("answer", "kind"), [("550 no such user", MailRefused), ("451 try later", MailDelayed)])
def test_what_the_server_says_of_a_recipient_decides_whether_to_try_again(answer: str, kind: type[Exception]) -> None:
    with running_sink() as sink, SmtpConnection(SmtpServer.parse(sink.url)) as connection:
        sink.rcpt_answers["a@example.com"] = answer
        with pytest.raises(kind):
            connection.send(letter())

        connection.send(letter("b@example.com"))
    assert [to for _, to in sink.envelopes] == [("b@example.com",)]


@pytest.mark.parametrize(("answer", "kind"), [("554 spam", MailRefused), ("452 full", MailDelayed)])
def test_what_the_server_says_of_the_text_decides_too(answer: str, kind: type[Exception]) -> None:
    with running_sink() as sink, SmtpConnection(SmtpServer.parse(sink.url)) as connection:
        sink.data_answer = answer
        with pytest.raises(kind):
            connection.send(letter())


def test_nobody_listening_is_a_server_that_is_down() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with SmtpConnection(SmtpServer("127.0.0.1", port)) as connection, pytest.raises(MailServerDown):
        connection.send(letter())


def test_a_server_that_says_nothing_does_not_hold_us_for_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        server = SmtpServer("127.0.0.1", mute.getsockname()[1])
        with SmtpConnection(server, timeout_s=0.2) as connection, pytest.raises(MailServerDown):
            connection.send(letter())


@pytest.mark.parametrize(
    "address",
    ["", "a", "a@", "@b", "a b@c.d", "a@b.c\r\nX: 1", "a@b.c\n", "a@b.c,d@e.f", "<a@b.c>", "ä@b.c", "a@b\x00.c"],
)
def test_only_one_plain_address_is_written_to(address: str) -> None:
    with pytest.raises(MailRefused):
        check_address(address)


def test_a_header_is_one_line_without_control_characters() -> None:
    assert plain_header("a\r\nBcc: b\x00\u2028c\t d") == "a Bcc: b c d"
    assert len(plain_header("长" * 1000)) == 300


def test_several_recipients_are_a_mistake_not_a_mailing() -> None:
    message = letter()
    message.replace_header("To", "a@example.com, b@example.com")

    with SmtpConnection(SmtpServer("127.0.0.1", 1)) as connection, pytest.raises(MailRefused):
        connection.send(message)
