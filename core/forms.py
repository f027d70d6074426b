"""Posted forms: read once, refused without our token, their texts fit for a database."""

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import unquote_plus, unquote_to_bytes

from fastapi import Depends, Request

from core.http import CsrfRefused, MalformedText, csrf_token


@dataclass(frozen=True)
class Upload:
    """A file that came with a form."""

    name: str
    content: bytes


class Form(Mapping[str, str]):
    """A posted form whose token has been checked. Missing names read as an empty text."""

    def __init__(
        self,
        pairs: list[tuple[str, str]],
        files: Mapping[str, Upload] | None = None,
        wrong: Sequence[MalformedText] = (),
    ) -> None:
        self._pairs = pairs
        #: Texts that cannot be stored, each at its field; what is kept of them is only for showing.
        self.wrong = tuple(wrong)
        self.files = dict(files or {})
        self._first: dict[str, str] = {}
        for name, value in pairs:
            self._first.setdefault(name, value.strip())

    def __getitem__(self, name: str) -> str:
        return self._first.get(name, "")

    def __iter__(self) -> Iterator[str]:
        return iter(self._first)

    def __len__(self) -> int:
        return len(self._first)

    def getlist(self, name: str) -> list[str]:
        return [value for key, value in self._pairs if key == name]

    def require_storable(self) -> None:
        """Raises MalformedText, at the field."""
        if self.wrong:
            raise self.wrong[0]

    @property
    def key(self) -> str:
        return self["_key"]

    @property
    def body(self) -> bytes:
        """What was asked, without the token and the key: the fingerprint's input."""
        asked: list[Any] = [pair for pair in self._pairs if pair[0] not in ("csrf", "_key")]
        sums = [(name, hashlib.sha256(file.content).hexdigest()) for name, file in self.files.items()]
        return json.dumps(asked + sums).encode()


async def kept_form(request: Request) -> Form:
    """Read a form and refuse it unless it carries our token. Runs in the event loop and waits for no lock.

    What cannot be stored is in `wrong`, so that a page can show what was typed; such a route calls `require_storable`.
    """
    return await _read_form(request, max_files=0)


async def verified_form(request: Request) -> Form:
    """As kept_form, and refuse what cannot be stored."""
    form = await _read_form(request, max_files=0)
    form.require_storable()
    return form


async def verified_upload(request: Request) -> Form:
    """A form that may bring one file."""
    form = await _read_form(request, max_files=1)
    form.require_storable()
    return form


async def _read_form(request: Request, *, max_files: int) -> Form:
    unreadable = set() if max_files else await _find_unreadable(request)
    data = await request.form(max_files=max_files, max_fields=400)
    files = {
        name: Upload(value.filename or "", await value.read())
        for name, value in data.multi_items()
        if not isinstance(value, str) and value.filename
    }
    pairs = [(name, value) for name, value in data.multi_items() if isinstance(value, str)]
    for name, _value in pairs:
        check_text(name)
    bad = {name for name, value in pairs if not is_storable(value)} | unreadable
    kept = [(name, _storable(value) if name in bad else value) for name, value in pairs]
    form = Form(kept, files, [MalformedText(field=name) for name in sorted(bad)])
    if not secrets.compare_digest(form["csrf"].encode("utf-8", "replace"), csrf_token(request).encode()):
        raise CsrfRefused
    return form


async def _find_unreadable(request: Request) -> set[str]:
    """Fields whose bytes are not UTF-8: the reader of forms would put other letters in their place without a word."""
    body = await request.body()
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return set() if _is_utf8(body) else {""}
    found = set()
    for pair in body.split(b"&"):
        name, _, value = pair.partition(b"=")
        if not _is_utf8(unquote_to_bytes(value)) or not _is_utf8(unquote_to_bytes(name)):
            found.add(unquote_plus(name.decode("latin-1")))
    return found


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


FormIn = Annotated[Form, Depends(verified_form)]
KeptFormIn = Annotated[Form, Depends(kept_form)]
UploadIn = Annotated[Form, Depends(verified_upload)]


def is_storable(text: str) -> bool:
    """Whether databases take a text: no NUL, no lone surrogates."""
    return "\x00" not in text and (text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text))


def _storable(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()


def check_text(text: str) -> None:
    """Refuse what no database takes."""
    if not is_storable(text):
        raise MalformedText
