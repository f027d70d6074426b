"""Suspensions in the reader's words."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from core.formats import format_date
from core.i18n import N_, Lang, gettext, translate
from core.rendering import localised
from members.access import Caller
from members.models import Suspension
from members.words import SUSPENSION_WORDS


def is_held(suspension: Suspension | None, now: datetime) -> bool:
    return suspension is not None and suspension.holds(now)


def until_text(suspension: Suspension, lang: Lang, zone: ZoneInfo) -> str:
    """Its last day, or that it has none."""
    if suspension.until is None:
        return gettext(lang, N_("until it is lifted"))
    last_on = (suspension.until - timedelta(microseconds=1)).astimezone(zone).date()
    return translate(lang, N_("until the end of %(day)s"), day=format_date(last_on, lang, year=True))


def suspension_notices(caller: Caller) -> list[str]:
    """One sentence for each of one's organisations that may not book now."""
    lang, zone = caller.lang, caller.site.renderer.zone
    return [
        translate(
            lang, N_("%(organisation)s may not book %(until)s: %(reason)s. Ask the zone's office."),
            organisation=localised(grant, lang), until=until_text(found, lang, zone),
            reason=gettext(lang, SUSPENSION_WORDS[found.code]),
        )
        for grant in {grant.organisation_id: grant for grant in caller.actor.grants}.values()
        if (found := grant.suspension) and found.holds(caller.now)
    ]  # fmt: skip
