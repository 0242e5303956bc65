"""What the pages of imports say of columns and of faults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from quizapp.organisation.web import JOB_ROLE_WORDS, KEY_GROUP_WORDS, KIND_WORDS

FIELD_WORDS: dict[str, LazyString] = {
    "name": _l("姓名"),
    "phone": _l("手机号"),
    "unit": _l("单位"),
    "unit_code": _l("单位码"),
    "industry": _l("行业"),
    "job_role": _l("岗位"),
    "birth_year": _l("出生年份"),
    "sex": _l("性别"),
    "key_group": _l("重点人群"),
    "code": _l("单位码"),
    "parent": _l("上级单位"),
    "parent_code": _l("上级单位码"),
    "kind": _l("类型"),
    "residence": _l("城乡"),
}
_UNIT_NAME = _l("单位名称")
SEX_WORDS = {"female": _l("女"), "male": _l("男")}
#: Code of a fault → what is wrong, and what to do.
FAULT_WORDS: dict[str, tuple[LazyString, LazyString]] = {
    "name_needed": (_l("名称空着"), _l("填上，或删掉这一行")),
    "name_without_letters": (_l("名称里没有字"), _l("看一看列有没有认错")),
    "name_long": (_l("超过 %(most)s 个字"), _l("只留名称")),
    "phone_digits": (_l("手机号有 %(digits)s 位"), _l("改成 11 位手机号；座机请换成手机")),
    "phone_start": (_l("手机号不是以 1 开头"), _l("对一对号码")),
    "phone_shortened": (_l("手机号被表格缩成了 1.38E+10 这样"), _l("把这一列设成文本，重新填号码")),
    "phone_or_unit_needed": (_l("手机号和单位都空着"), _l("至少填一样，只有姓名认不出是谁")),
    "name_repeated": (_l("没有手机号，同单位第 %(row)s 行有同名的人"), _l("填上手机号，才分得清")),
    "name_several": (_l("没有手机号，单位里已有 %(count)s 个同名的人"), _l("填上手机号，才分得清")),
    "unit_code_unknown": (_l("没有这个单位码，或不在您的范围里"), _l("对一对“单位”页上的单位码")),
    "unit_other_name": (_l("单位码是“%(name)s”的，和单位名称对不上"), _l("两样里改一样")),
    "unit_closed": (_l("这个单位已停用"), _l("换一个在用的单位")),
    "unit_unknown": (_l("没有这个单位，或不在您的范围里"), _l("写全称，或加一列单位码")),
    "unit_ambiguous": (_l("有 %(count)s 个单位叫这个名称"), _l("加一列单位码，填其中一个：%(codes)s")),
    "industry_unknown": (_l("没有这个行业"), _l("填“行业”页上的名称或代码，或空着")),
    "industry_closed": (_l("这个行业已停用"), _l("换一个在用的行业，或空着")),
    "job_role_unknown": (_l("没有这个岗位"), _l("填其中一个，或空着：%(roles)s")),
    "birth_year_unknown": (_l("出生年份看不懂"), _l("填四位年份，例如 1980，或空着")),
    "sex_unknown": (_l("性别看不懂"), _l("填男或女，或空着")),
    "key_group_unknown": (_l("没有这一类重点人群"), _l("填其中一个，或空着：%(groups)s")),
    "kind_needed": (_l("类型空着"), _l("填其中一个：%(kinds)s")),
    "kind_unknown": (_l("没有这个类型"), _l("填其中一个：%(kinds)s")),
    "residence_unknown": (_l("城乡看不懂"), _l("填城镇或乡村，或统计用的城乡分类代码，或空着")),
    "code_long": (_l("单位码超过 %(most)s 个字符"), _l("改短一些")),
    "code_repeated": (_l("第 %(row)s 行已有这个单位码"), _l("改其中一个，或空着让系统给")),
    "code_taken": (_l("这个单位码已有别的单位在用"), _l("换一个，或空着让系统给")),
    "code_of_another": (_l("这个单位码是“%(name)s”的"), _l("换一个单位码，或照那个名称写")),
    "parent_unknown": (_l("没有这个上级单位，或不在您的范围里"), _l("写全称，或填上级单位码；它也可以在这份文件里")),
    "parent_ambiguous": (_l("有 %(count)s 个单位叫这个名称"), _l("填上级单位码：%(codes)s")),
    "parent_closed": (_l("上级单位已停用"), _l("换一个在用的单位")),
    "parent_needed": (_l("上级单位空着"), _l("填上级单位；最上面的一级由管理员建")),
    "parent_circle": (_l("上下级绕成了圈：第 %(rows)s 行"), _l("改其中一行的上级单位")),
    "unit_repeated": (_l("和第 %(row)s 行是同一个单位"), _l("删掉一行，或各填一个单位码")),
}


def field_word(kind: str, field: str) -> str:
    """A column's name. `kind` is that of the import: a unit has a name, a person too."""
    return str(_UNIT_NAME if kind == "units" and field == "name" else FIELD_WORDS[field])


def fault_words(code: str, data: Mapping[str, Any]) -> tuple[str, str]:
    """What is wrong, and what to do."""
    comma = str(_l("、"))
    values = {
        "roles": comma.join(str(word) for word in JOB_ROLE_WORDS.values()),
        "groups": comma.join(str(word) for word in KEY_GROUP_WORDS.values()),
        "kinds": comma.join(str(word) for word in KIND_WORDS.values()),
        **{name: comma.join(map(str, value)) if isinstance(value, list) else value for name, value in data.items()},
    }
    what, cure = FAULT_WORDS[code]
    return str(what) % values, str(cure) % values
