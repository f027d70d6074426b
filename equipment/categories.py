"""The groups in which people look for instruments, and how the words of source lists fall into them. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Category:
    """A group of the catalogue; the slug is also the name of its drawing."""

    slug: str
    name_zh: str
    name_en: str
    #: Words of source lists that belong here.
    words: tuple[str, ...]


_ALL = (
    Category("electron-microscope", "电子显微镜", "Electron microscopes", ("electron microscopy",)),
    Category("light-microscope", "光学显微镜", "Light microscopes", ("light microscopy", "imaging")),
    Category("spectroscopy", "光谱与光学测量", "Spectroscopy and optics",
             ("optical spectroscopy", "optical metrology", "remote sensing")),
    Category("x-ray", "X 射线与表面分析", "X-ray and surfaces", ("X-ray", "X-ray imaging", "NDT", "surface analysis")),
    Category("mass-spectrometer", "质谱与元素分析", "Mass spectrometry and elements",
             ("mass spectrometry", "elemental analysis")),
    Category("chromatography", "色谱、制样与粒度", "Chromatography, preparation, particles",
             ("chromatography", "sample preparation", "particle sizing")),
    Category("thermal", "热分析", "Thermal analysis", ("thermal analysis",)),
    Category("magnet", "磁共振、低温与磁学", "Magnetic resonance, cold, magnetism",
             ("NMR/EPR", "low temperature & magnetism", "geophysics")),
    Category("mechanical", "力学与振动", "Mechanics and vibration", ("mechanical test", "vibration", "textile test")),
    Category("metrology", "几何量、扫描与测绘", "Dimensions, scanning, surveying",
             ("dimensional metrology", "metrology", "3D scanning", "surveying", "scanning probe")),
    Category("printer", "3D 打印", "3D printing", ("3D printing", "additive manufacturing")),
    Category("machine-tool", "机加工与创客工具", "Machining and maker tools",
             ("CNC machining", "maker tools", "robotics")),
    Category("laser", "激光与光通信", "Lasers and optical communication",
             ("laser", "optical communication", "optical packaging")),
    Category("wafer", "微纳加工与半导体", "Micro-nano and semiconductors",
             ("micro-nano fabrication", "semiconductor test", "semiconductor packaging")),
    Category("electronics", "电子、射频与电磁兼容", "Electronics, RF and EMC",
             ("RF & microwave", "electronic test", "wireless", "EMC")),
    Category("battery", "电化学与电力电子", "Electrochemistry and power", ("electrochemistry", "power electronics")),
    Category("life-science", "生命科学与农业食品", "Life science, crops and food",
             ("life science", "agri-food", "plant science")),
    Category("chamber", "环境试验与监测", "Environmental testing", ("environmental test", "environment", "hydrology")),
    Category("computing", "计算", "Computing", ("computing",)),
    Category("generic", "其他", "Other", ()),
)  # fmt: skip

CATEGORIES: dict[str, Category] = {category.slug: category for category in _ALL}
_BY_WORD = {word: category.slug for category in _ALL for word in (*category.words, category.name_zh, category.name_en)}
#: First four digits of a class of the national platform.
_BY_CLASS = {
    "0101": "electron-microscope", "0102": "mass-spectrometer", "0103": "x-ray", "0104": "spectroscopy",
    "0105": "chromatography", "0106": "magnet", "0107": "battery", "0108": "light-microscope", "0109": "thermal",
    "0110": "life-science", "0111": "chamber", "0112": "chromatography", "0201": "mechanical", "0202": "metrology",
    "0203": "spectroscopy", "0204": "mechanical", "0205": "chromatography", "0206": "x-ray", "0301": "metrology",
}  # fmt: skip


def category_named(word: str) -> str | None:
    """The slug that a source list's word, or our own name in either language, stands for; None: not known."""
    word = word.strip()
    return word if word in CATEGORIES else _BY_WORD.get(word)


def category_of(class_code: str) -> str:
    """The slug that a class code suggests, else "generic"."""
    return _BY_CLASS.get(class_code[:4]) or "generic"
