"""The codes of the ministry and of the national platform, as members of our enums. Pure."""

from enum import StrEnum
from typing import TypeVar

from equipment.models import AssetSource, AssetState, UseDirection

E = TypeVar("E", bound=StrEnum)

#: The ministry's digits.
SJ_STATES = dict(zip("123456789", AssetState, strict=True))
SJ_SOURCES = dict(zip("1234", AssetSource, strict=True))
#: The asset systems' digits of how a thing came by (取得方式); they have no digit in common with the ministry's but 1.
ASSET_SOURCES = {
    "1": AssetSource.PURCHASE, "2": AssetSource.TRANSFER, "3": AssetSource.SELF_MADE, "4": AssetSource.DONATION,
    "5": AssetSource.TRANSFER, "7": AssetSource.SELF_MADE,
}  # fmt: skip
SJ_DIRECTIONS = {"1": UseDirection.TEACHING, "2": UseDirection.RESEARCH}
#: What sheets say in words.
STATE_WORDS = {
    "在用": AssetState.IN_USE, "正常": AssetState.IN_USE, "偶有故障": AssetState.IN_USE, "完好": AssetState.IN_USE,
    "多余": AssetState.SURPLUS, "闲置": AssetState.SURPLUS, "待修": AssetState.AWAITING_REPAIR,
    "故障频繁": AssetState.AWAITING_REPAIR, "维修": AssetState.AWAITING_REPAIR, "待报废": AssetState.AWAITING_DISPOSAL,
    "丢失": AssetState.LOST, "报废": AssetState.SCRAPPED, "已报废": AssetState.SCRAPPED, "调出": AssetState.TRANSFERRED,
    "降档": AssetState.DOWNGRADED, "其他": AssetState.OTHER, "in use": AssetState.IN_USE, "normal": AssetState.IN_USE,
    "in service": AssetState.IN_USE, "surplus": AssetState.SURPLUS, "awaiting repair": AssetState.AWAITING_REPAIR,
    "awaiting disposal": AssetState.AWAITING_DISPOSAL, "lost": AssetState.LOST, "scrapped": AssetState.SCRAPPED,
    "transferred": AssetState.TRANSFERRED, "downgraded": AssetState.DOWNGRADED, "other": AssetState.OTHER,
    "other state": AssetState.OTHER,
}  # fmt: skip
SOURCE_WORDS = {
    "购置": AssetSource.PURCHASE, "购入": AssetSource.PURCHASE, "捐赠": AssetSource.DONATION,
    "赠送": AssetSource.DONATION,
    "自制": AssetSource.SELF_MADE, "研制": AssetSource.SELF_MADE, "自建": AssetSource.SELF_MADE,
    "自创": AssetSource.SELF_MADE,
    "校外调入": AssetSource.TRANSFER, "调拨": AssetSource.TRANSFER, "划拨": AssetSource.TRANSFER,
    "purchased": AssetSource.PURCHASE, "purchase": AssetSource.PURCHASE, "donated": AssetSource.DONATION,
    "donation": AssetSource.DONATION, "self-made": AssetSource.SELF_MADE, "transferred in": AssetSource.TRANSFER,
}  # fmt: skip
DIRECTION_WORDS = {
    "教学": UseDirection.TEACHING, "教学为主": UseDirection.TEACHING, "科研": UseDirection.RESEARCH,
    "科研为主": UseDirection.RESEARCH, "mostly teaching": UseDirection.TEACHING, "teaching": UseDirection.TEACHING,
    "mostly research": UseDirection.RESEARCH, "research": UseDirection.RESEARCH,
}  # fmt: skip
#: The national platform's digits, where they mean something else: told by its keys as headings.
NATIONAL_SOURCES = {"1": AssetSource.PURCHASE, "2": AssetSource.SELF_MADE, "3": AssetSource.DONATION}
NATIONAL_STATES = {
    "1": AssetState.IN_USE, "4": AssetState.IN_USE, "5": AssetState.AWAITING_REPAIR, "6": AssetState.AWAITING_REPAIR,
    "7": AssetState.AWAITING_DISPOSAL,
}  # fmt: skip


def read_code(text: str, words: dict[str, E], digits: dict[str, E]) -> E | None:
    """A digit, a word, or a digit before its word (`1购置`); None where it is none of these."""
    flat = text.strip().lower()
    if flat in digits:
        return digits[flat]
    if flat in words:
        return words[flat]
    return words.get(flat.lstrip("0123456789.、 -"))
