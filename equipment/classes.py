"""Classes of instruments as the national platform counts them: four digits, or six ending in 00. Pure."""

import csv
from functools import cache
from pathlib import Path

from core.i18n import Lang


@cache
def class_names(lang: Lang) -> dict[str, str]:
    """Code -> name with its group before it: `分析仪器 · 光谱仪器`. The English names are our own translation."""
    end = "en" if lang == "en" else "zh"
    with (Path(__file__).parent / "data" / "class_names.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["code"]: f"{row[f'group_{end}']} · {row[f'name_{end}']}" for row in csv.DictReader(file)}


def class_name(code: str, lang: Lang) -> str:
    """The name of a class code, or of the four digits that it begins with; "" where there is none."""
    names = class_names(lang)
    return names.get(code) or names.get(code[:4], "")
