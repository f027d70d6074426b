"""Rules of booking as they are typed and as they are read. Pure."""

from typing import Any

from core.formats import format_length
from core.i18n import N_, Lang, gettext, translate
from equipment.errors import LengthInvalid, RuleInvalid
from equipment.lengths import DAY, read_length, write_length
from equipment.models import ApprovalMode
from equipment.rules import Kind, Rule

#: How a booking is decided.
APPROVAL_NAMES: dict[ApprovalMode, str] = {
    ApprovalMode.LAB: N_("by the lab"),
    ApprovalMode.AUTOMATIC: N_("at once"),
}
YES_NO = {True: N_("yes"), False: N_("no")}


def rule_text(rule: Rule, value: Any, lang: Lang) -> str:
    """A rule's value in words."""
    if value is None:
        return gettext(lang, "no limit")
    if rule.kind is Kind.MINUTES:
        return format_length(value, lang) if value else gettext(lang, "none")
    if rule.kind is Kind.DAYS:
        return translate(lang, "%(number)s days", number=value)
    if rule.kind is Kind.PERCENT:
        return f"{value / 100:g} %"
    if rule.kind is Kind.CHOICE:
        return gettext(lang, APPROVAL_NAMES[ApprovalMode(value)])
    if rule.kind is Kind.YES_NO:
        return gettext(lang, YES_NO[bool(value)])
    return str(value)


def typed_rule(rule: Rule, value: Any, lang: Lang) -> str:
    """A rule's value as its field holds it."""
    if value is None:
        return ""
    if rule.kind is Kind.YES_NO:
        return "yes" if value else "no"
    if rule.kind is Kind.MINUTES:
        return write_length(value, lang)
    if rule.kind is Kind.DAYS:
        return translate(lang, "%(number)s days", number=value)
    return f"{value / 100:g}" if rule.kind is Kind.PERCENT else str(value)


def read_rule(rule: Rule, text: str) -> Any:
    """Raises LengthInvalid, RuleInvalid at the rule."""
    if rule.kind is Kind.CHOICE:
        return text
    if rule.kind is Kind.YES_NO:
        return {"yes": True, "no": False}.get(text)
    if not text.strip() and rule.house is None:
        return None
    if rule.kind in (Kind.MINUTES, Kind.DAYS):
        return _read_time(rule, text)
    try:
        return round(float(text) * 100) if rule.kind is Kind.PERCENT else int(text)
    except (ValueError, OverflowError) as error:
        raise RuleInvalid(field=rule.name, rule=rule.label) from error


def _read_time(rule: Rule, text: str) -> int:
    try:
        minutes = read_length(text, bare=DAY if rule.kind is Kind.DAYS else 1)
    except ValueError as error:
        raise LengthInvalid(field=rule.name) from error
    if rule.kind is Kind.MINUTES:
        return minutes
    days, rest = divmod(minutes, DAY)
    if rest:
        raise RuleInvalid(field=rule.name, rule=rule.label)
    return days
