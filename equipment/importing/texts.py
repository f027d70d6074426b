"""Bytes of a file to text, whatever it was written in. Pure."""

import codecs

from equipment.errors import FileNotReadable

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
#: How much of a file without a mark is looked at to tell UTF-16.
SAMPLE = 4096


def decode(data: bytes) -> tuple[str, str]:
    """Text and encoding: UTF-8 or UTF-16 with or without mark, else GB18030; never with replacements.

    Raises FileNotReadable with the first byte that fits none, also for a file that mixes UTF-8 and GBK.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decode(data, encoding), encoding
    if guessed := _without_mark(data):
        return _decode(data, guessed), guessed
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        first = error.start
    # Where both kinds stand in one file, the later of the two beginnings is where the second kind begins.
    mixed = _find_mixed_line(data)
    text = _decode(data, "gb18030", at=max(first, mixed or 0))
    if mixed is not None:
        raise FileNotReadable(position=max(first, mixed))
    return text, "gb18030"


def _without_mark(data: bytes) -> str | None:
    """UTF-16 by its empty bytes: text with commas and digits has one in nearly every second place of some lines."""
    sample = data[:SAMPLE]
    if len(sample) < 4 or b"\x00" not in sample:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if max(even, odd) < len(sample) // 20 or min(even, odd) * 10 > max(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _decode(data: bytes, encoding: str, at: int | None = None) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise FileNotReadable(position=error.start if at is None else at) from error


def _find_mixed_line(data: bytes) -> int | None:
    """Where a line with Chinese in UTF-8 stands in a file that as a whole is not UTF-8. A line of GBK is by chance
    UTF-8 only when it is very short, so that three characters are asked for."""
    position = 0
    for line in data.split(b"\n"):
        if not line.isascii():
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError:
                pass
            else:
                if sum("㐀" <= letter <= "鿿" for letter in text) >= 3:
                    return position
        position += len(line) + 1
    return None
