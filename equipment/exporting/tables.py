"""The catalogue as CSV and XLSX, with headings that the import knows again. Pure."""

import io
from collections.abc import Callable, Sequence

import xlsxwriter

from core.i18n import N_, Lang, gettext
from core.tables import write_csv
from equipment.models import Equipment
from equipment.words import ASSET_SOURCE_NAMES, ASSET_STATE_NAMES, USE_DIRECTION_NAMES

Cell = str | int | float | None


def _date(value: object) -> str:
    return str(value) if value else ""


#: Heading and what stands below it.
COLUMNS: tuple[tuple[str, Callable[[Equipment, Lang], Cell]], ...] = (
    (N_("Asset number"), lambda entry, _: entry.asset_number),
    (N_("Name of the instrument"), lambda entry, _: entry.name_zh),
    (N_("English name"), lambda entry, _: entry.name_en),
    (N_("Maker"), lambda entry, _: entry.maker),
    (N_("Model"), lambda entry, _: entry.model),
    (N_("Specification"), lambda entry, _: entry.specification),
    (N_("What it can do"), lambda entry, _: entry.capability_zh),
    (N_("Service"), lambda entry, _: entry.service_content),
    (N_("What users must know"), lambda entry, _: entry.user_notice),
    (N_("Safety"), lambda entry, _: entry.safety),
    (N_("Accessories"), lambda entry, _: entry.accessories),
    (N_("Country"), lambda entry, _: entry.country),
    (N_("Original value (CNY)"), lambda entry, _: None if entry.original_value_fen is None
        else entry.original_value_fen / 100),
    (N_("Acquired"), lambda entry, _: _date(entry.acquired_on)),
    (N_("In service from"), lambda entry, _: _date(entry.started_on)),
    (N_("State"), lambda entry, lang: gettext(lang, ASSET_STATE_NAMES[entry.asset_state])),
    (N_("Came by"), lambda entry, lang: gettext(lang, ASSET_SOURCE_NAMES[entry.asset_source])
        if entry.asset_source else ""),
    (N_("Use"), lambda entry, lang: gettext(lang, USE_DIRECTION_NAMES[entry.use_direction])
        if entry.use_direction else ""),
    (N_("Class code"), lambda entry, _: entry.class_code),
    (N_("Lab"), lambda entry, _: entry.lab.name_zh),
    (N_("Place"), lambda entry, _: entry.lab.address),
    (N_("Contact"), lambda entry, _: entry.contact_name),
    (N_("Telephone"), lambda entry, _: entry.contact_phone),
    (N_("E-mail"), lambda entry, _: entry.contact_email),
    (N_("Notes"), lambda entry, _: entry.notes),
)  # fmt: skip


def write_csv_list(entries: Sequence[Equipment], lang: Lang) -> bytes:
    return write_csv(_headings(lang), [[of(entry, lang) for _, of in COLUMNS] for entry in entries])


def write_xlsx_list(entries: Sequence[Equipment], lang: Lang) -> bytes:
    return write_sheet(_headings(lang), [[of(entry, lang) for _, of in COLUMNS] for entry in entries])


def write_sheet(
    headings: Sequence[str], rows: Sequence[Sequence[Cell]], *, above: Sequence[Sequence[str]] = ()
) -> bytes:
    """One sheet; a text never becomes a formula or a link. `above`: further rows of headings before the last."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet()
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#E8EDEB"})
        top = [*above, headings]
        for number, row in enumerate(top):
            for column, text in enumerate(row):
                sheet.write_string(number, column, text, bold)
        for number, cells in enumerate(rows, len(top)):
            for column, cell in enumerate(cells):
                if isinstance(cell, str):
                    sheet.write_string(number, column, cell)
                elif cell is not None:
                    sheet.write_number(number, column, cell)
        sheet.freeze_panes(len(top), 2)
        sheet.set_column(0, max(len(headings) - 1, 0), 16)
    return out.getvalue()


def _headings(lang: Lang) -> list[str]:
    return [gettext(lang, heading) for heading, _ in COLUMNS]
