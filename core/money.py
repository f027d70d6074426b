"""Integer fen (1/100 yuan). Every division says its rounding; parts always add up to the whole. Pure."""

import re
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

#: More than the zone will ever move, and far inside a signed 64-bit column.
FEN_MAX = 10**14
_DECIMAL = re.compile(r"-?(\d{1,20}(\.\d*)?|\.\d+)", re.ASCII)


def line_fen(quantity: Decimal, price_fen: int) -> int:
    """Price of one line, rounded half up to the fen. `quantity` is exact (hours as a fraction of minutes)."""
    return int((quantity * price_fen).to_integral_value(ROUND_HALF_UP))


def time_fen(minutes: int, price_fen_per_hour: int) -> int:
    """Price of a length of time at an hourly rate, rounded half up to the fen."""
    return (2 * minutes * price_fen_per_hour + 60) // 120


def share_fen(amount_fen: int, share_bp: int) -> int:
    """The public share of an amount in basis points (3000 = 30 %), rounded down: the odd fen stays private."""
    return amount_fen * share_bp // 10_000


def format_yuan(amount_fen: int) -> str:
    """`123456` -> `1,234.56`; negative with a minus sign U+2212."""
    sign = "−" if amount_fen < 0 else ""
    yuan, fen = divmod(abs(amount_fen), 100)
    return f"{sign}{yuan:,}.{fen:02d}"


def format_signed_yuan(amount_fen: int) -> str:
    """A change: `+1,234.56`, `−1,234.56`; nothing for no change."""
    return f"{'+' if amount_fen > 0 else ''}{format_yuan(amount_fen)}" if amount_fen else ""


def parse_yuan(text: str) -> int:
    """Yuan as written in a file or form to fen. Raises ValueError for anything finer than a fen, for an exponent and
    for what is not a number."""
    cleaned = text.strip().replace(",", "").replace("，", "").removeprefix("¥").removeprefix("￥")
    if not _DECIMAL.fullmatch(cleaned):
        raise ValueError(text)
    amount = Decimal(cleaned)
    if abs(amount) > FEN_MAX // 100:
        raise ValueError(text)
    fen = amount * 100
    if fen != fen.to_integral_value(ROUND_DOWN):
        raise ValueError(text)
    return int(fen)


_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "万亿")


def write_amount(amount_fen: int) -> str:
    """An amount as contracts and receipts write it beside the figures: `123456` -> `壹仟贰佰叁拾肆元伍角陆分`.

    Zeros between digits are read once; `整` ends an amount without fen. Not negative, below 10**16 yuan.
    """
    assert 0 <= amount_fen < 10**18, "an amount that no contract holds"
    yuan, rest = divmod(amount_fen, 100)
    jiao, fen = divmod(rest, 10)
    text = _write_whole(yuan) + "元" if yuan else ""
    if jiao:
        text += f"{_DIGITS[jiao]}角"
    elif fen and yuan:
        text += "零"
    return (text or "" if fen else text or "零元") + (f"{_DIGITS[fen]}分" if fen else "整")


def _write_whole(number: int) -> str:
    groups: list[int] = []
    while number:
        number, group = divmod(number, 10_000)
        groups.append(group)
    text, gap = "", False
    for place in reversed(range(len(groups))):
        group = groups[place]
        if not group:
            gap = bool(text)
            continue
        if text and (gap or group < 1000):
            text += "零"
        text += _write_group(group) + _GROUPS[place]
        gap = False
    return text


def _write_group(group: int) -> str:
    text, gap = "", False
    for place in (3, 2, 1, 0):
        digit = group // 10**place % 10
        if not digit:
            gap = bool(text)
            continue
        text += ("零" if gap else "") + _DIGITS[digit] + _PLACES[place]
        gap = False
    return text
