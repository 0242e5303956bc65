"""What the columns of imported tables can hold, by which headings they are known, and how their texts are read.

A text that cannot be read is a `Bad`: a code with data that says nothing about a person.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from quizapp.core.columns import Field
from quizapp.core.phones import PhoneInvalid, normalize_phone
from quizapp.organisation.models import JobRole, KeyGroup, Residence, Sex, UnitKind
from quizapp.organisation.people import MOST_YEARS, clean_name

PEOPLE_FIELDS = (
    Field("name", ("姓名", "名字", "人员姓名", "学员姓名", "Name", "Full name")),
    Field(
        "phone",
        (
            "手机",
            "手机号",
            "手机号码",
            "电话",
            "电话号码",
            "联系电话",
            "联系方式",
            "移动电话",
            "Phone",
            "Phone number",
            "Mobile",
            "Mobile number",
            "Telephone",
            "Tel",
        ),
    ),
    Field(
        "unit",
        (
            "单位",
            "单位名称",
            "工作单位",
            "所在单位",
            "所属单位",
            "企业名称",
            "公司",
            "社区",
            "Unit",
            "Unit name",
            "Organisation",
            "Organization",
            "Employer",
            "Company",
        ),
    ),
    Field(
        "unit_code",
        ("单位代码", "单位码", "单位编码", "单位编号", "Unit code", "Organisation code", "Organization code"),
    ),
    Field("industry", ("行业", "所属行业", "行业类别", "Industry", "Sector")),
    Field(
        "job_role", ("岗位", "职务", "工种", "岗位类别", "人员类别", "Job role", "Role", "Position", "Job", "Job title")
    ),
    Field(
        "birth_year",
        ("出生年份", "出生年", "出生年月", "出生日期", "生日", "Birth year", "Year of birth", "Born", "Date of birth"),
    ),
    Field("sex", ("性别", "Sex", "Gender")),
    Field("key_group", ("重点人群", "重点人群类别", "人群", "人群类别", "Key group", "Target group")),
)
UNIT_FIELDS = (
    Field("name", ("名称", "单位", "单位名称", "企业名称", "Name", "Unit", "Unit name")),
    Field("code", ("代码", "单位代码", "单位码", "编码", "单位编码", "单位编号", "Code", "Unit code")),
    Field(
        "parent", ("上级", "上级单位", "上级单位名称", "上级名称", "主管单位", "Parent", "Parent unit", "Parent name")
    ),
    Field("parent_code", ("上级代码", "上级单位代码", "上级单位码", "上级编码", "Parent code", "Parent unit code")),
    Field("kind", ("类型", "单位类型", "类别", "单位类别", "性质", "Kind", "Type", "Unit type", "Unit kind")),
    Field("industry", ("行业", "所属行业", "行业类别", "Industry", "Sector")),
    Field(
        "residence",
        ("城乡", "城乡分类", "城乡类别", "城乡分类代码", "城乡属性", "Town or country", "Urban or rural", "Residence"),
    ),
)
#: Without these columns nothing can be taken in.
NEEDED = {"roster": ("name",), "units": ("name", "kind")}
MOST_NAME = 40
MOST_UNIT_NAME = 120
MOST_CODE = 40

_JOB_ROLES = {
    JobRole.HEAD: (
        "负责人",
        "主要负责人",
        "企业负责人",
        "单位负责人",
        "法人",
        "法定代表人",
        "经理",
        "总经理",
        "店长",
        "head",
        "manager",
        "person in charge",
    ),
    JobRole.SAFETY_OFFICER: (
        "安全员",
        "安全管理人员",
        "安全管理员",
        "专职安全员",
        "兼职安全员",
        "safety officer",
        "safety manager",
    ),
    JobRole.MARKET_MANAGER: ("市场管理人员", "市场管理员", "市场管理", "market manager"),
    JobRole.CREW: ("班组长", "班组成员", "班组", "一线班组", "crew", "crew leader"),
    JobRole.SPECIAL_OPERATOR: ("特种作业人员", "特种作业", "特种设备作业人员", "电工", "焊工", "special operator"),
    JobRole.HOTEL_STAFF: ("宾馆从业人员", "宾馆员工", "酒店员工", "旅馆从业人员", "hotel staff"),
    JobRole.ENTERTAINMENT_STAFF: ("娱乐场所从业人员", "娱乐场所员工", "entertainment staff"),
    JobRole.DRIVER: ("驾驶员", "司机", "driver"),
    JobRole.COMMUNITY_STAFF: ("社区工作者", "社区工作人员", "网格员", "community staff", "community worker"),
    JobRole.WORKER: ("职工", "员工", "工人", "从业人员", "worker", "employee", "staff"),
    JobRole.RESIDENT: ("居民", "村民", "resident"),
    JobRole.PUPIL: ("学生", "pupil", "student"),
}
_KINDS = {
    UnitKind.CITY: ("市", "city"),
    UnitKind.DISTRICT: ("区县", "区", "县", "district", "county"),
    UnitKind.DEPARTMENT: ("部门", "局", "机关", "department"),
    UnitKind.STREET: ("街道乡镇", "街道", "乡镇", "镇", "乡", "street", "town", "township", "street or town"),
    UnitKind.COMMUNITY: ("社区", "村", "居委会", "村委会", "community", "village"),
    UnitKind.ENTERPRISE: ("企业", "公司", "商户", "enterprise", "company"),
    UnitKind.SCHOOL: ("学校", "school"),
    UnitKind.WORK_TEAM: ("班组", "work team", "team"),
}
_SEXES = {
    Sex.FEMALE: ("女", "女性", "f", "female", "woman"),
    Sex.MALE: ("男", "男性", "m", "male", "man"),
}
#: With the codes of the statistical division (统计用城乡划分代码): 1xx town, 2xx country.
_RESIDENCES = {
    Residence.URBAN: ("城镇", "城市", "城区", "镇区", "town", "111", "112", "121", "122", "123"),
    Residence.RURAL: ("乡村", "农村", "country", "210", "220"),
}
_KEY_GROUPS = {
    KeyGroup.YOUTH: ("青少年", "青年", "少年", "young people"),
    KeyGroup.FARMER: ("农民", "农村居民", "farmers", "rural resident", "rural residents"),
    KeyGroup.INDUSTRIAL_WORKER: ("产业工人", "工人", "城镇劳动者", "industrial workers", "worker", "workers"),
    KeyGroup.ELDERLY: ("老年人", "老人", "older people", "older person", "senior"),
    KeyGroup.OFFICIAL: (
        "领导干部和公务员",
        "领导干部",
        "公务员",
        "干部",
        "officials",
        "civil servant",
        "civil servants",
    ),
    KeyGroup.OTHER: ("都不是", "其他", "其它", "无", "none", "none of these"),
}


class Bad(Exception):
    """A text that cannot be read: why (a code), and what the words need to know. Never the text itself."""

    def __init__(self, field: str, code: str, **data: object) -> None:
        super().__init__(code)
        self.field = field
        self.code = code
        self.data = data


@lru_cache(maxsize=8192)  # a file says the same units and roles over and over
def word_key(text: str) -> str:
    """A word, name or code as it is compared: full-width folded, lower case, without spaces, hyphens and underscores."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", "".join(c for c in folded if not c.isspace() and c not in "_-"))


def code_key(text: str) -> str:
    """A unit's code as it is compared: full-width folded, lower case, without spaces."""
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


def _words_of(table: Mapping[Any, tuple[str, ...]]) -> dict[str, str]:
    return {word_key(word): member.value for member, words in table.items() for word in (member.value, *words)}


_JOB_ROLE_OF = _words_of(_JOB_ROLES)
_KIND_OF = _words_of(_KINDS)
_SEX_OF = _words_of(_SEXES)
_RESIDENCE_OF = _words_of(_RESIDENCES)
_KEY_GROUP_OF = _words_of(_KEY_GROUPS)


def read_name(text: str, most: int = MOST_NAME) -> str:
    """A name of a person or unit. Bad where there is none, or no letter in it, or far too many."""
    name = clean_name(text)
    if not name:
        raise Bad("name", "name_needed")
    if not any(c.isalpha() for c in name):
        raise Bad("name", "name_without_letters")
    if len(name) > most:
        raise Bad("name", "name_long", most=most)
    return name


def read_phone(text: str) -> str | None:
    """The eleven digits, or None where nothing stands."""
    if not text:
        return None
    if re.fullmatch(r"[0-9.]+[eE]\+?[0-9]+", text):
        raise Bad("phone", "phone_shortened")
    try:
        return normalize_phone(text)
    except PhoneInvalid as error:
        raise Bad("phone", "phone_start" if error.data["digits"] == 11 else "phone_digits", **_digits(error)) from error


def _digits(error: PhoneInvalid) -> dict[str, object]:
    return {"digits": error.data["digits"]}


def read_birth_year(text: str, this_year: int) -> int | None:
    """The year of a year or a day; None where nothing stands."""
    folded = unicodedata.normalize("NFKC", text).strip()
    if not folded:
        return None
    found = re.match(r"(\d{4})(?!\d)|(\d{4})(?=\d{2,4}$)", folded)
    year = int(found[1] or found[2]) if found else 0
    if not this_year - MOST_YEARS <= year <= this_year:
        raise Bad("birth_year", "birth_year_unknown")
    return year


def read_sex(text: str) -> str | None:
    """A `Sex`, or None where nothing stands."""
    return _known(text, _SEX_OF, "sex", "sex_unknown")


def read_key_group(text: str) -> str | None:
    """A `KeyGroup`, or None where nothing stands."""
    return _known(text, _KEY_GROUP_OF, "key_group", "key_group_unknown")


def read_residence(text: str) -> str | None:
    """A `Residence`, or None where nothing stands."""
    return _known(text, _RESIDENCE_OF, "residence", "residence_unknown")


def read_job_role(text: str) -> str | None:
    """A `JobRole`, or None where nothing stands."""
    return _known(text, _JOB_ROLE_OF, "job_role", "job_role_unknown")


def read_kind(text: str) -> str:
    """A `UnitKind`."""
    found = _known(text, _KIND_OF, "kind", "kind_unknown")
    if found is None:
        raise Bad("kind", "kind_needed")
    return found


def _known(text: str, words: dict[str, str], field: str, code: str) -> str | None:
    key = word_key(text)
    if not key:
        return None
    if key not in words:
        raise Bad(field, code)
    return words[key]
