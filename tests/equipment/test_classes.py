"""Names of classes: one for each code, in both languages."""

from equipment.classes import class_name, class_names


def test_every_class_has_a_name_in_both_languages() -> None:
    chinese, english = class_names("zh-CN"), class_names("en")

    assert chinese.keys() == english.keys()
    assert all(name.isascii() for name in (text.replace("·", "") for text in english.values()))


def test_a_longer_code_has_the_name_of_its_class() -> None:
    assert class_name("0101", "zh-CN") == "分析仪器 · 电子光学仪器"
    assert class_name("010199", "en") == "Analytical instruments · Electron optics"
    assert class_name("9999", "en") == ""
