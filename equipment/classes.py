"""Classes of instruments as the national platform counts them: four digits, or six ending in 00. Pure."""

import csv
from functools import cache
from pathlib import Path


@cache
def class_names() -> dict[str, str]:
    """Code -> name in Chinese, with its group before it: `分析仪器 · 光谱仪器`."""
    with (Path(__file__).parent / "data" / "class_names.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["code"]: f"{row['group_zh']} · {row['name_zh']}" for row in csv.DictReader(file)}


def class_name(code: str) -> str:
    """The name of a class code, or of the four digits that it begins with; "" where there is none."""
    names = class_names()
    return names.get(code) or names.get(code[:4], "")
