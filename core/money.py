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
