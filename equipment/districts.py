"""Districts of Wuhan, in which people look for something near. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class District:
    """`words`: what an address says when it means this one."""

    code: str
    name_zh: str
    name_en: str
    words: tuple[str, ...]


_ALL = (
    # The two zones first: their addresses often also name the district around them.
    District("east-lake", "东湖高新区", "East Lake High-tech", ("东湖高新", "东湖新技术", "光谷", "east lake high")),
    District("wedz", "武汉经开区", "Wuhan Development Zone", ("经开区", "经济技术开发区", "汉南区", "hannan")),
    District("hongshan", "洪山区", "Hongshan", ("洪山区", "hongshan district")),
    District("wuchang", "武昌区", "Wuchang", ("武昌区", "wuchang district")),
    District("jiangxia", "江夏区", "Jiangxia", ("江夏区", "jiangxia district")),
    District("qingshan", "青山区", "Qingshan", ("青山区", "qingshan district")),
    District("jiangan", "江岸区", "Jiang'an", ("江岸区", "jiang'an district", "jiangan district")),
    District("jianghan", "江汉区", "Jianghan", ("江汉区", "jianghan district")),
    District("qiaokou", "硚口区", "Qiaokou", ("硚口区", "qiaokou district")),
    District("hanyang", "汉阳区", "Hanyang", ("汉阳区", "hanyang district")),
    District("dongxihu", "东西湖区", "Dongxihu", ("东西湖区", "dongxihu district")),
    District("caidian", "蔡甸区", "Caidian", ("蔡甸区", "caidian district")),
    District("huangpi", "黄陂区", "Huangpi", ("黄陂区", "huangpi district")),
    District("xinzhou", "新洲区", "Xinzhou", ("新洲区", "xinzhou district")),
)

DISTRICTS: dict[str, District] = {district.code: district for district in _ALL}


def read_district(address: str) -> str:
    """The code of the district that an address names; "" where it names none."""
    text = address.lower()
    return next((place.code for place in _ALL if any(word in text for word in place.words)), "")
