"""The national platform's fields of large instruments, as a sheet of keys and values. Pure.

Length limits and enumerations are those of the platform's interface; what does not fit is cut at a character and
reported, what is required and missing is reported.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.formats import format_money
from core.i18n import Lang
from equipment.exporting.report import Export, Finding
from equipment.exporting.tables import write_sheet
from equipment.models import AssetSource, AssetState, Equipment
from equipment.tariffs import tariff_on

SOURCES = {AssetSource.PURCHASE: "1", AssetSource.SELF_MADE: "2", AssetSource.DONATION: "3", AssetSource.TRANSFER: "4"}
STATES = {AssetState.IN_USE: "1", AssetState.AWAITING_REPAIR: "6", AssetState.AWAITING_DISPOSAL: "7"}
GENERAL_USE, NOT_ATTACHED, NO = "2", "4", "否"


@dataclass(frozen=True, slots=True)
class Field:
    """One column: the platform's key, its meaning, how it is filled, its longest length, and whether it is required."""

    key: str
    meaning: str
    of: Callable[[Equipment], str]
    longest: int = 200
    is_required: bool = True


def write_national(entries: Sequence[Equipment], *, unit_code: str, base_url: str, lang: Lang = "zh-CN") -> Export:
    """Instruments of 500,000 yuan and more; the others are counted only."""
    fields = _fields(unit_code, base_url)
    rows, findings = [], []
    large = [entry for entry in entries if entry.is_due_for_sharing]
    for entry in large:
        cells = []
        for field in fields:
            text = " ".join(field.of(entry).split())
            kept = text[: field.longest]
            if kept != text:
                findings.append(Finding(entry.asset_number, field.meaning, "cut", text, kept))
            if field.is_required and not kept:
                findings.append(Finding(entry.asset_number, field.meaning, "missing"))
            cells.append(kept)
        rows.append(cells)
    content = write_sheet([field.meaning for field in fields], rows, above=[[field.key for field in fields]])
    return Export(content, len(rows), len(entries) - len(large), findings)


def _fields(unit_code: str, base_url: str) -> list[Field]:
    return [
        Field("insCode", "单位代码", lambda _: unit_code),
        Field("innerId", "仪器编号", lambda entry: entry.asset_number),
        Field("cname", "仪器名称", lambda entry: entry.name_zh),
        Field("ename", "英文名称", lambda entry: entry.name_en),
        Field("instrBelongsType", "所属资源载体类型", lambda _: NOT_ATTACHED),
        Field(
            "instrCategory", "仪器分类编码", lambda entry: entry.class_code.ljust(6, "0") if entry.class_code else ""
        ),
        Field("street", "安放地址", lambda entry: entry.lab.address),
        Field("worth", "原值(万元)", lambda entry: _wan(entry.original_value_fen)),
        Field("instrSource", "仪器来源", lambda entry: SOURCES[entry.asset_source] if entry.asset_source else ""),
        Field("type", "专用/通用", lambda _: GENERAL_USE),
        Field("nation", "产地国别", lambda entry: entry.country),
        Field("instrVersion", "规格型号", lambda entry: entry.model),
        Field("manufacturer", "生产厂商", lambda entry: entry.maker),
        Field("beginDate", "启用日期", lambda entry: str(entry.started_on or entry.acquired_on or "")),
        Field("technical", "主要技术指标", _technical, 500),
        Field("function", "主要功能", lambda entry: entry.capability_zh, 300),
        Field("serviceContent", "服务内容", lambda entry: entry.service_content, 200),
        Field("requirement", "用户须知", lambda entry: entry.user_notice, 500),
        Field("fee", "参考收费标准", _fee, 500),
        Field("serviceUrl", "预约服务网址", lambda entry: f"{base_url}/equipment/{entry.public_id}"),
        Field("instrSupervise", "海关监管", lambda _: NO),
        Field("runMachine", "年总运行机时", _hours_run),
        Field("serviceMachine", "年服务机时", lambda entry: str(entry.reported.get("service_hours", ""))),
        Field("status", "运行状态", lambda entry: STATES.get(entry.asset_state, "1"), is_required=False),
        Field("insideDepart", "所在单位内部门", lambda entry: entry.lab.name_zh),
        Field("contact", "联系人", lambda entry: entry.contact_name or entry.lab.contact_name, 20),
        Field("phone", "联系电话", lambda entry: entry.contact_phone or entry.lab.contact_phone, 20),
        Field("email", "电子邮箱", lambda entry: entry.contact_email or entry.lab.contact_email, 50),
    ]


def _technical(entry: Equipment) -> str:
    return "; ".join([*(f"{name}: {value}" for name, value in entry.specs), entry.specification]).strip("; ")


def _wan(fen: int | None) -> str:
    """Ten thousand yuan with two decimals, rounded half up."""
    if fen is None:
        return ""
    hundredths = (fen + 5_000) // 10_000
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def _fee(entry: Equipment) -> str:
    tariff = tariff_on(entry.tariffs, entry.updated_at.date())
    if tariff is None:
        return ""
    return "; ".join(f"{rate.tier}/{rate.charge_unit} {format_money(rate.price_fen)}" for rate in tariff.rates)


def _hours_run(entry: Equipment) -> str:
    names = ("teaching_hours", "research_hours", "service_hours")
    if not any(name in entry.reported for name in names):
        return ""
    return str(sum(int(entry.reported.get(name, 0)) for name in names))
