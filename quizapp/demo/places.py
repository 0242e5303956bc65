"""The invented district: units as in the yearly reports of a safety bureau and of a community centre. No name is of a real place."""

from __future__ import annotations

DISTRICT = ("临江区", "Linjiang District")

#: Code → names of the industries.
INDUSTRIES: dict[str, tuple[str, str]] = {
    "market": ("商场市场", "Markets and shops"),
    "hotel": ("宾馆饭店", "Hotels and restaurants"),
    "entertainment": ("娱乐场所", "Entertainment venues"),
    "transport": ("交通运输", "Transport"),
    "demolition": ("拆除工程", "Demolition"),
    "construction": ("建筑施工", "Construction"),
    "property": ("物业服务", "Property services"),
}

DEPARTMENTS: tuple[tuple[str, str], ...] = (
    ("区应急管理局", "District Work Safety Bureau"),
    ("区科协", "District Science Association"),
    ("区住建局", "District Housing Bureau"),
    ("区商务局", "District Commerce Bureau"),
    ("区教育局", "District Education Bureau"),
    ("临江社区服务中心", "Linjiang Community Centre"),
)

#: Street → its communities.
STREETS: dict[str, tuple[str, ...]] = {
    "紫兴街道": ("紫兴社区", "东苑社区", "杏林社区", "双塔社区", "银杏社区"),
    "滨江街道": ("滨江社区", "渡口社区", "听潮社区", "长堤社区"),
    "望湖街道": ("望湖社区", "柳岸社区", "荷塘社区", "石桥社区", "南园社区"),
    "青松街道": ("青松社区", "松风社区", "泉井社区", "岭下社区"),
    "和平里街道": ("和平里社区", "梧桐社区", "书院社区", "钟楼社区", "花园社区"),
    "东门街道": ("东门社区", "旧城社区", "鼓楼社区", "集贤社区"),
    "云溪镇": ("云溪社区", "溪头村", "茶场村", "竹坞村"),
}

#: Enterprises in turn: industry, ending of the name. The beginning is a street's and a lucky word.
ENTERPRISES: tuple[tuple[str, str], ...] = (
    ("market", "百货商场"),
    ("market", "农贸市场"),
    ("hotel", "大酒店"),
    ("hotel", "饭庄"),
    ("entertainment", "影城"),
    ("transport", "客运公司"),
    ("transport", "物流公司"),
    ("demolition", "拆除工程队"),
    ("construction", "建筑公司"),
    ("property", "物业公司"),
)
#: The beginnings of enterprises' names.
WORDS = ("兴达", "宏安", "利民", "嘉禾", "永顺", "明远", "同泰", "华盛", "福满", "新源")

SCHOOLS = ("临江第一小学", "望湖中学", "云溪学校")
