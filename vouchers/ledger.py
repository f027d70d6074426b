"""The chart of accounts, and how shares and captures are divided. Pure: no session; integer fen."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from core.money import share_fen
from vouchers.models import AccountClass, PaidTo


def source_code(fund: str) -> str:
    return f"source:{fund}"


def pot_code(programme: str) -> str:
    return f"pot:{programme}"


def voucher_code(voucher: UUID, part: AccountClass) -> str:
    return f"voucher:{voucher}:{part.value}"


def earned_code(programme: str, payee_id: int) -> str:
    """Kept per programme, so that each fund's way can be followed to its payees."""
    return f"earned:{programme}:{payee_id}"


def own_due_code(organisation_id: int) -> str:
    return f"own_due:{organisation_id}"


def own_earned_code(payee_id: int) -> str:
    return f"own_earned:{payee_id}"


@dataclass(frozen=True, slots=True)
class Accounts:
    """Where a voucher's money stands, by account id."""

    available: int
    held: int


@dataclass(frozen=True, slots=True)
class Usable:
    """A voucher with what may be spent of it, and its programme's rule."""

    voucher_id: int
    public_id: UUID
    number: str
    programme_id: int
    holder_id: int
    accounts: Accounts
    available_fen: int
    share_bp: int
    cap_per_booking_fen: int | None
    paid_to: PaidTo
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class SharePart:
    """What one voucher pays of a booking."""

    voucher_id: int
    voucher_public_id: UUID
    number: str
    holder_id: int
    accounts: Accounts
    amount_fen: int


@dataclass(frozen=True, slots=True)
class SharePlan:
    """What vouchers pay of a booking, by the rule of one programme. Empty: nothing."""

    parts: tuple[SharePart, ...] = ()
    share_bp: int = 0
    paid_to: PaidTo | None = None
    programme_name_zh: str = ""
    programme_name_en: str = ""

    @property
    def share_fen(self) -> int:
        return sum(part.amount_fen for part in self.parts)


NOTHING = SharePlan()


def wanted_fen(eligible_fen: int, voucher: Usable) -> int:
    """The share by the programme's rule, rounded down, under its cap per booking."""
    share = share_fen(eligible_fen, voucher.share_bp)
    return share if voucher.cap_per_booking_fen is None else min(share, voucher.cap_per_booking_fen)


def plan_parts(eligible_fen: int, usable: Sequence[Usable]) -> SharePlan:
    """Divide the share over vouchers in the given order (first expiring first); only the first one's programme pays."""
    usable = [voucher for voucher in usable if voucher.available_fen > 0]
    if not usable:
        return NOTHING
    first = usable[0]
    left = wanted_fen(eligible_fen, first)
    parts: list[SharePart] = []
    for voucher in usable:
        if voucher.programme_id != first.programme_id or left == 0:
            continue
        amount = min(left, voucher.available_fen)
        parts.append(_part_of(voucher, amount))
        left -= amount
    if not parts:
        return NOTHING
    return SharePlan(tuple(parts), first.share_bp, first.paid_to, first.name_zh, first.name_en)


def _part_of(voucher: Usable, amount_fen: int) -> SharePart:
    return SharePart(
        voucher.voucher_id, voucher.public_id, voucher.number, voucher.holder_id, voucher.accounts, amount_fen
    )


def divide_capture(amount_fen: int, held: Sequence[int]) -> list[tuple[int, int]]:
    """(captured, released) of each hold in order: captured up to the amount, the rest released; nothing is lost."""
    left = amount_fen
    parts = []
    for hold in held:
        captured = min(left, hold)
        parts.append((captured, hold - captured))
        left -= captured
    return parts
