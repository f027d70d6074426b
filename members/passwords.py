"""Argon2id hashes (OWASP: 19 MiB, two passes, one lane), computed by few at a time so that memory stays bounded."""

import threading
from collections.abc import Callable
from typing import TypeVar

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from core.errors import Unavailable
from members.errors import PasswordTooCommon, PasswordTooLong, PasswordTooShort

SHORTEST, LONGEST = 8, 128
AT_ONCE = 4
WAIT_S = 4
COMMON = frozenset(
    [
        "12345678",
        "123456789",
        "1234567890",
        "11111111",
        "00000000",
        "88888888",
        "66666666",
        "password",
        "password1",
        "passw0rd",
        "qwertyui",
        "qwerty123",
        "iloveyou",
        "abc12345",
        "a1234567",
        "1qaz2wsx",
        "1q2w3e4r",
        "woaini1314",
        "5201314520",
        "admin123",
        "administrator",
        "letmein1",
        "welcome1",
    ]
)

T = TypeVar("T")
_hasher = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19456, parallelism=1),))
_turns = threading.BoundedSemaphore(AT_ONCE)
#: Verified when nobody has the address, so that the answer takes as long.
_nobodys_hash = _hasher.hash("nobody has this password")


def hash_password(password: str) -> str:
    return _with_turn(lambda: _hasher.hash(password))


def matches(password: str, stored: str | None) -> bool:
    """Whether the password is the stored one; takes as long when nothing is stored."""
    found = _with_turn(lambda: _hasher.verify(password[:LONGEST], stored or _nobodys_hash))
    return bool(found) and stored is not None


def require_good(password: str) -> None:
    """Raises PasswordTooShort, PasswordTooLong, PasswordTooCommon."""
    if len(password) < SHORTEST:
        raise PasswordTooShort(field="password", shortest=SHORTEST)
    if len(password) > LONGEST:
        raise PasswordTooLong(field="password", longest=LONGEST)
    if password.lower() in COMMON:
        raise PasswordTooCommon(field="password")


def _with_turn(work: Callable[[], T]) -> T:
    if not _turns.acquire(timeout=WAIT_S):
        raise Unavailable
    try:
        return work()
    finally:
        _turns.release()
