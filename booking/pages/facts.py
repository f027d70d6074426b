"""An instrument's facts, rules and hours in words. Pure."""

from booking.pricing import rates_for
from core.formats import format_length, format_money
from core.i18n import N_, Lang, gettext, translate
from core.rendering import localised
from equipment.bands import joined_bands
from equipment.classes import class_name
from equipment.hour_words import days_text, stretch_text
from equipment.models import ApprovalMode, Equipment, Tariff, Tier
from equipment.words import UNIT_NAMES
from members.models import Organisation

ASSIGNMENTS = {
    "known": N_("seen on a public page"),
    "part-known": N_("partly seen on a public page"),
    "literature": N_("named in the literature"),
    "demo": N_("real make and model, place invented for the demonstration"),
}


def fact_rows(entry: Equipment, lang: Lang, *, with_contact: bool = False) -> list[dict[str, str]]:
    """What it is, whose it is, and how sure that is; whom to ask, for those who are signed in."""
    payee = localised(entry.payee, lang)
    pairs = [
        (N_("Maker and model"), f"{entry.maker} {entry.model}".strip()),
        *((name, value) for name, value in entry.specs),
        (N_("Specification"), entry.specification),
        (N_("Accessories"), entry.accessories),
        (N_("Asset number"), entry.asset_number),
        (N_("Place"), f"{localised(entry.lab, lang)} {entry.lab.address}".strip()),
        (N_("Owner"), localised(entry.owner, lang)),
        (N_("Operated by"), _if_other(entry.operator, entry, lang)),
        (N_("Supervised by"), _if_other(entry.supervisor, entry, lang)),
        (N_("Paid to"), payee),
        (N_("Units"), str(len(entry.units)) if len(entry.units) > 1 else ""),
        (N_("Class"), class_name(entry.class_code, lang)),
        (N_("Contact"), _contact(entry) if with_contact else ""),
        (N_("Notes"), entry.notes),
        (N_("Source"), gettext(lang, ASSIGNMENTS[entry.assignment]) if entry.assignment in ASSIGNMENTS else ""),
    ]
    return [{"label": gettext(lang, label), "value": value} for label, value in pairs if value]


def word_rows(entry: Equipment, lang: Lang) -> list[dict[str, str]]:
    """What a user must know, in paragraphs."""
    capability = (entry.capability_en if lang == "en" else "") or entry.capability_zh
    pairs = [
        (N_("What it can do"), capability),
        (N_("Service"), entry.service_content),
        (N_("What users must know"), entry.user_notice),
        (N_("Safety"), entry.safety),
    ]
    return [{"label": gettext(lang, label), "text": text} for label, text in pairs if text]


def _contact(entry: Equipment) -> str:
    of = entry if entry.contact_name or entry.contact_phone or entry.contact_email else entry.lab
    return " · ".join(part for part in (of.contact_name, of.contact_phone, of.contact_email) if part)


def _if_other(party: Organisation, entry: Equipment, lang: Lang) -> str:
    return "" if party.id == entry.owner_id else localised(party, lang)


def rule_rows(entry: Equipment, lang: Lang) -> list[dict[str, str]]:
    """The rules of booking as short sentences."""
    shortest, longest = (format_length(m, lang) for m in (entry.length_minutes_min, entry.length_minutes_max))
    automatic = entry.approval_mode == ApprovalMode.AUTOMATIC
    rows: list[tuple[str, str]] = [
        (gettext(lang, "Length"), f"{shortest} – {longest}"),
        (gettext(lang, "Steps of"), format_length(entry.step_minutes, lang)),
        (gettext(lang, "At most ahead"), translate(lang, "%(number)s days", number=entry.horizon_days)),
        (gettext(lang, "Approval"), gettext(lang, "at once") if automatic else gettext(lang, "by the lab")),
        (gettext(lang, "Free to cancel until before"), format_length(entry.cancel_free_minutes, lang)),
        (gettext(lang, "No-show after"), format_length(entry.no_show_minutes, lang)),
    ]
    if entry.needs_qualification:
        rows.append((gettext(lang, "Only for people who are qualified"), gettext(lang, "yes")))
    if entry.lead_minutes:
        rows.insert(0, (gettext(lang, "At least ahead"), format_length(entry.lead_minutes, lang)))
    if entry.buffer_before_minutes or entry.buffer_after_minutes:
        minutes = entry.buffer_before_minutes + entry.buffer_after_minutes
        rows.append((gettext(lang, "Changeover"), format_length(minutes, lang)))
    return [{"label": label, "value": value} for label, value in rows]


def price_rows(tariff: Tariff | None, tier: Tier, lang: Lang) -> list[tuple[str, str]]:
    """What is charged and how much, for a table of two columns."""
    if tariff is None:
        return []
    example = " · " + gettext(lang, "example price") if tariff.is_example else ""
    rows = [
        (
            translate(lang, "per %(unit)s", unit=gettext(lang, UNIT_NAMES[unit])),
            format_money(rate.price_fen) + example,
        )
        for unit, rate in rates_for(tariff, tier).items()
    ]
    for band in joined_bands(tariff.bands):
        when = f"{days_text(band.days, lang)} {stretch_text(band.from_minute, band.to_minute)}"
        rows.append((f"{band.name}: {when}", f"× {band.factor_bp / 10_000:g}"))
    for label, fen in (
        (N_("Operator, per hour"), tariff.operator_fen), (N_("Start-up"), tariff.setup_fen),
        (N_("At least"), tariff.minimum_fen),
    ):  # fmt: skip
        if fen:
            rows.append((gettext(lang, label), format_money(fen)))
    if tariff.rush_within_minutes and tariff.rush_bp > 10_000:
        soon = format_length(tariff.rush_within_minutes, lang)
        rows.append((translate(lang, "Rush: starts within %(length)s", length=soon), f"× {tariff.rush_bp / 10_000:g}"))
    return rows
