"""Uploaded documents: a few kinds, told by their content and their name together. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from equipment.errors import DocumentKindNotAllowed, UploadTooLarge

MEGABYTES_MAX = 10
NAME_MOST = 150
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: How content begins; several ways; None: text.
Begins = bytes | tuple[bytes, ...] | None
#: Extension -> media type, and how the content begins.
KINDS: dict[str, tuple[str, Begins]] = {
    "pdf": ("application/pdf", b"%PDF-"),
    "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", _ZIP),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _ZIP),
    "zip": ("application/zip", _ZIP),
    "doc": ("application/msword", _OLE),
    "xls": ("application/vnd.ms-excel", _OLE),
    "txt": ("text/plain", None),
    "csv": ("text/csv", None),
}
_JPEG, _TIFF = b"\xff\xd8\xff", (b"II*\x00", b"MM\x00*")
#: Beside documents: pictures as instruments write them.
RESULT_KINDS: dict[str, tuple[str, Begins]] = KINDS | {
    "jpg": ("image/jpeg", _JPEG),
    "jpeg": ("image/jpeg", _JPEG),
    "png": ("image/png", b"\x89PNG\r\n\x1a\n"),
    "tif": ("image/tiff", _TIFF),
    "tiff": ("image/tiff", _TIFF),
}
_MARKUP = re.compile(rb"<\s*(!doctype|html|script|svg|\?xml)", re.IGNORECASE)


@dataclass(frozen=True)
class Paper:
    file_name: str
    media_type: str


def check_document(data: bytes, name: str, kinds: Mapping[str, tuple[str, Begins]] = KINDS) -> Paper:
    """Raises UploadTooLarge, DocumentKindNotAllowed."""
    if len(data) > MEGABYTES_MAX * 1_000_000:
        raise UploadTooLarge(field="file", megabytes=MEGABYTES_MAX)
    cleaned = clean_name(name)
    extension = cleaned.rpartition(".")[2].lower()
    if extension not in kinds or not data:
        raise DocumentKindNotAllowed(field="file")
    media_type, begins = kinds[extension]
    if begins is None:
        good = b"\x00" not in data[:4096] and not _MARKUP.search(data[:4096]) and not data.startswith(b"#!")
    else:
        good = data.startswith(begins)
    if not good:
        raise DocumentKindNotAllowed(field="file")
    return Paper(cleaned, media_type)


def clean_name(name: str) -> str:
    """The last part of a path without control characters, cut before its extension."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    kept = "".join(
        letter for letter in last if unicodedata.category(letter)[0] != "C" and letter not in '<>:"|?*'
    ).strip(". ")  # fmt: skip
    stem, dot, extension = kept.rpartition(".")
    return stem[: NAME_MOST - len(extension) - 1] + dot + extension if dot else kept[:NAME_MOST]
