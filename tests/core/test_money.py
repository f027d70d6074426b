"""Fen: nothing is lost, every rounding is said."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import format_yuan, line_fen, parse_yuan, share_fen, time_fen

fen = st.integers(0, 10**12)


@given(fen, st.integers(0, 10_000))
def test_a_share_is_rounded_down_and_the_rest_is_the_rest(amount: int, share_bp: int) -> None:
    share = share_fen(amount, share_bp)

    assert 0 <= share <= amount
    assert share * 10_000 <= amount * share_bp < (share + 1) * 10_000


@given(st.integers(0, 10**6), st.integers(0, 10**8))
def test_time_is_rounded_half_up(minutes: int, price: int) -> None:
    assert time_fen(minutes, price) == line_fen(Decimal(minutes) / 60, price) or (minutes * price * 2) % 120 == 60
    assert abs(time_fen(minutes, price) * 60 - minutes * price) <= 30


@given(st.integers(-(10**12), 10**12))
def test_what_is_written_is_read_again(amount: int) -> None:
    assert parse_yuan(format_yuan(amount).replace("−", "-")) == amount


@pytest.mark.parametrize(
    "text", ["", "1.234", "abc", "1e400", "NaN", "Infinity", "１．２．３", "--1", "1 2", "1e9", "1_000", "+5"]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_yuan(text)


def test_yuan_as_people_write_it() -> None:
    assert (parse_yuan("¥1,234.5"), parse_yuan("￥20"), parse_yuan(" 0.01 ")) == (123_450, 2_000, 1)
    assert (format_yuan(123_456), format_yuan(-5), format_yuan(0)) == ("1,234.56", "−0.05", "0.00")
