"""What an import says of a file and its rows, in the reader's language. Pure."""

from collections.abc import Mapping
from typing import Any

from core.i18n import Lang, gettext, translate
from equipment.importing.headings import FIELDS
from equipment.models import ImportRun


def refusal_text(run: ImportRun, lang: Lang) -> str:
    """Why the whole file was refused; "" where it was not."""
    if not run.refusal:
        return ""
    message, fields = run.refusal["message"], run.refusal["fields"]
    return translate(lang, message, **fields)


def problem_column(problem: Mapping[str, Any], lang: Lang) -> str:
    """The heading as it stands in the file, else what we call the field."""
    column: str = problem["column"]
    return gettext(lang, FIELDS[column]) if column in FIELDS else column


def problem_text(problem: Mapping[str, Any], lang: Lang) -> str:
    """What is wrong with a row, or was done to it."""
    message, fields = problem["reason"], problem["fields"]
    return translate(lang, message, **fields)
