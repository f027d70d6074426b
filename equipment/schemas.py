"""Shapes out of the JSON routes."""

from typing import Self
from uuid import UUID

from core.i18n import Lang
from core.rendering import localised
from core.shapes import Out
from equipment.models import Equipment
from members.models import Organisation


class PartyOut(Out):
    id: UUID
    name: str
    kind: str

    @classmethod
    def of(cls, organisation: Organisation, lang: Lang) -> Self:
        return cls(id=organisation.public_id, name=localised(organisation, lang), kind=organisation.kind)


class EquipmentLine(Out):
    """An entry in a list."""

    id: UUID
    name: str
    name_zh: str
    name_en: str
    maker: str
    model: str
    category: str
    institution: PartyOut
    lab: str
    is_bookable: bool
    is_example: bool
    voucher_eligible: bool
    service_mode: str
    units: int
    price_fen: int | None
    price_unit: str | None

    @classmethod
    def of(cls, entry: Equipment, lang: Lang) -> Self:
        return cls(
            id=entry.public_id,
            name=localised(entry, lang),
            name_zh=entry.name_zh,
            name_en=entry.name_en,
            maker=entry.maker,
            model=entry.model,
            category=entry.category,
            institution=PartyOut.of(entry.owner, lang),
            lab=localised(entry.lab, lang),
            is_bookable=entry.is_bookable,
            is_example=entry.is_example,
            voucher_eligible=entry.voucher_eligible,
            service_mode=entry.service_mode,
            units=len(entry.units),
            price_fen=entry.price_fen,
            price_unit=entry.price_unit,
        )


class EquipmentPage(Out):
    items: list[EquipmentLine]
    total: int
    next_cursor: str | None


class RateOut(Out):
    tier: str
    charge_unit: str
    price_fen: int
    effective_on: str
    is_example: bool


class HoursOut(Out):
    """`[opens, closes)` in the lab's wall time; weekday 0 is Monday."""

    weekday: int
    opens: str
    closes: str


class RulesOut(Out):
    approval_mode: str
    step_minutes: int
    length_minutes_min: int
    length_minutes_max: int
    lead_minutes: int
    horizon_days: int
    buffer_before_minutes: int
    buffer_after_minutes: int
    cancel_free_minutes: int
    no_show_minutes: int
    decide_minutes: int


class UnitOut(Out):
    id: UUID
    label: str


class EquipmentOut(EquipmentLine):
    """An entry whole."""

    asset_number: str
    specification: str
    class_code: str
    notes: str
    certainty: str
    assignment: str
    zone: str
    owner: PartyOut
    operator: PartyOut
    supervisor: PartyOut
    payee: PartyOut
    rules: RulesOut
    hours: list[HoursOut]
    rates: list[RateOut]
    unit_list: list[UnitOut]
    version: int

    @classmethod
    def of(cls, entry: Equipment, lang: Lang) -> Self:
        line = EquipmentLine.of(entry, lang).model_dump()
        return cls(
            **line,
            asset_number=entry.asset_number,
            specification=entry.specification,
            class_code=entry.class_code,
            notes=entry.notes,
            certainty=entry.certainty,
            assignment=entry.assignment,
            zone=entry.lab.zone,
            owner=PartyOut.of(entry.owner, lang),
            operator=PartyOut.of(entry.operator, lang),
            supervisor=PartyOut.of(entry.supervisor, lang),
            payee=PartyOut.of(entry.payee, lang),
            rules=RulesOut.model_validate(entry),
            hours=[
                HoursOut(weekday=part.weekday, opens=_clock(part.opens_minute), closes=_clock(part.closes_minute))
                for part in entry.hours
            ],
            rates=[
                RateOut(
                    tier=rate.tier,
                    charge_unit=rate.charge_unit,
                    price_fen=rate.price_fen,
                    effective_on=rate.effective_on.isoformat(),
                    is_example=rate.is_example,
                )
                for rate in entry.rates
            ],
            unit_list=[UnitOut(id=unit.public_id, label=unit.label) for unit in entry.units],
            version=entry.version,
        )


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
