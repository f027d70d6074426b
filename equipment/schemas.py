"""Shapes out of the JSON routes."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Self
from uuid import UUID

from core.i18n import Lang
from core.rendering import localised
from core.shapes import Out
from equipment.classes import class_name
from equipment.models import Document, Equipment, Photo, Tariff, Terms
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
    service_modes: list[str]
    units: int
    price_fen: int | None
    price_unit: str | None
    district: str

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
            service_modes=list(entry.service_modes),
            units=len(entry.units),
            price_fen=entry.price_fen,
            price_unit=entry.price_unit,
            district=entry.lab.district,
        )


class EquipmentPage(Out):
    items: list[EquipmentLine]
    total: int
    next_cursor: str | None


def line_as_json(row: Any, lang: Lang) -> dict[str, Any]:
    """`EquipmentLine` of a row of `lines.find_lines`, ready to be written; what the database holds needs no second
    look."""
    english = lang == "en"
    owner = (english and row.owner_name_en) or row.owner_name_zh
    return {
        "id": row.public_id,
        "name": (english and row.name_en) or row.name_zh,
        "name_zh": row.name_zh,
        "name_en": row.name_en,
        "maker": row.maker,
        "model": row.model,
        "category": row.category,
        "institution": {"id": row.owner_id, "name": owner, "kind": row.owner_kind},
        "lab": (english and row.lab_name_en) or row.lab_name_zh,
        "is_bookable": row.is_bookable,
        "is_example": row.is_example,
        "voucher_eligible": row.voucher_eligible,
        "service_modes": row.service_modes,
        "units": row.units,
        "price_fen": row.price_fen,
        "price_unit": row.price_unit,
        "district": row.district,
    }


class RateOut(Out):
    tier: str
    charge_unit: str
    price_fen: int


class BandOut(Out):
    """Wall time of some weekdays (digits, 0 = Monday) in which an hour costs `factor_bp` / 10,000 of its rate."""

    name: str
    weekdays: str
    starts: str
    ends: str
    factor_bp: int


class TariffOut(Out):
    """One version of the prices, in force from a day on. `level`: equipment, lab or institution."""

    id: UUID
    level: str
    effective_on: date
    minimum_fen: int
    setup_fen: int
    operator_fen: int
    rush_bp: int
    rush_within_minutes: int
    is_example: bool
    rates: list[RateOut]
    bands: list[BandOut]

    @classmethod
    def of(cls, tariff: Tariff) -> Self:
        own = {
            name: getattr(tariff, name) for name in cls.model_fields if name not in ("id", "level", "rates", "bands")
        }
        return cls(
            id=tariff.public_id,
            level="equipment" if tariff.equipment_id else "lab" if tariff.lab_id else "institution",
            rates=[RateOut.model_validate(rate) for rate in tariff.rates],
            bands=[
                BandOut(
                    name=band.name, weekdays=band.weekdays, starts=_clock(band.from_minute),
                    ends=_clock(band.to_minute), factor_bp=band.factor_bp,
                )
                for band in tariff.bands
            ],
            **own,
        )  # fmt: skip


class HoursOut(Out):
    """`[opens, closes)` in the lab's wall time; weekday 0 is Monday. A season runs from MMDD to MMDD, both included."""

    season_first: int | None
    season_last: int | None

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
    cancel_fee_bp: int
    escalate_bp: int
    no_show_fee_bp: int
    needs_qualification: bool
    company_week_bookings_max: int | None
    company_week_minutes_max: int | None


class UnitOut(Out):
    id: UUID
    label: str


class PhotoOut(Out):
    caption: str
    width: int
    height: int
    large: str
    small: str


class DocumentOut(Out):
    title: str
    file_name: str
    size_bytes: int
    href: str


class TermsOut(Out):
    """One version of terms of use."""

    id: UUID
    number: int
    effective_on: date
    content: str
    intellectual_property: str
    confidentiality: str
    damage: str

    @classmethod
    def of(cls, terms: Terms) -> Self:
        return cls(
            id=terms.public_id, number=terms.number, effective_on=terms.effective_on, content=terms.content,
            intellectual_property=terms.intellectual_property, confidentiality=terms.confidentiality,
            damage=terms.damage,
        )  # fmt: skip


class EquipmentOut(EquipmentLine):
    """An entry whole."""

    asset_number: str
    specification: str
    specs: list[tuple[str, str]]
    capability_zh: str
    capability_en: str
    service_content: str
    user_notice: str
    safety: str
    accessories: str
    country: str
    class_code: str
    class_name: str
    is_due_for_sharing: bool
    address: str
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
    tariffs: list[TariffOut]
    unit_list: list[UnitOut]
    #: The terms of use that a request must accept (`/api/v1/terms/...`); null where none are published.
    terms_version: UUID | None
    version: int
    photos: list[PhotoOut] = []
    documents: list[DocumentOut] = []

    @classmethod
    def of(cls, entry: Equipment, lang: Lang, photos: Sequence[Photo] = (), documents: Sequence[Document] = ()) -> Self:
        line = EquipmentLine.of(entry, lang).model_dump()
        return cls(
            **line,
            asset_number=entry.asset_number,
            specification=entry.specification,
            specs=[(name, value) for name, value in entry.specs],
            capability_zh=entry.capability_zh,
            capability_en=entry.capability_en,
            service_content=entry.service_content,
            user_notice=entry.user_notice,
            safety=entry.safety,
            accessories=entry.accessories,
            country=entry.country,
            class_code=entry.class_code,
            class_name=class_name(entry.class_code, lang),
            is_due_for_sharing=entry.is_due_for_sharing,
            address=entry.lab.address,
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
                HoursOut(
                    season_first=part.season_first,
                    season_last=part.season_last,
                    weekday=part.weekday,
                    opens=_clock(part.opens_minute),
                    closes=_clock(part.closes_minute),
                )
                for part in entry.hours
            ],
            tariffs=[TariffOut.of(tariff) for tariff in entry.tariffs],
            unit_list=[UnitOut(id=unit.public_id, label=unit.label) for unit in entry.units],
            terms_version=entry.terms_version,
            version=entry.version,
            photos=[
                PhotoOut(
                    caption=photo.caption,
                    width=photo.width,
                    height=photo.height,
                    large=f"/photos/large/{photo.name}.webp",
                    small=f"/photos/small/{photo.name}.webp",
                )
                for photo in photos
            ],
            documents=[
                DocumentOut(
                    title=paper.title,
                    file_name=paper.file_name,
                    size_bytes=paper.size_bytes,
                    href=f"/documents/{paper.public_id}",
                )
                for paper in documents
            ],
        )


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
