"""What a line of the log says in full: its details in words, units and industries by their names of today."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from quizapp.accounts.forms import ROLE_WORDS
from quizapp.accounts.queries import UNIT_KEYS, AuditRow
from quizapp.core.clock import from_ms
from quizapp.core.scope import Role
from quizapp.organisation.models import UnitKind
from quizapp.organisation.web import KIND_WORDS

#: Key of a detail → its words. A number after it is how many, a key of ours, or a number of ours, as the words say.
KEY_WORDS = {
    "people": _l("人员"),
    "accounts": _l("账号"),
    "accounts_rewritten": _l("账号"),
    "persons": _l("人员"),
    "mails": _l("邮件"),
    "factors": _l("验证器"),
    "files": _l("文件"),
    "unreadable": _l("打不开的"),
    "twins": _l("重复的"),
    "left": _l("没带走的"),
    "attempts_aged": _l("到期的答卷"),
    "people_aged": _l("到期的人员"),
    "registrations_aged": _l("到期的报名"),
    "attendances_aged": _l("到期的签到"),
    "mails_aged": _l("到期的邮件"),
    "photos_aged": _l("到期的照片"),
    "audit_aged": _l("到期的记录"),
    "added": _l("新增"),
    "after": _l("后来的编号"),
    "after_start": _l("已有人开始"),
    "answering": _l("当时正在答"),
    "at_ms": _l("时间"),
    "before": _l("原来的编号"),
    "by": _l("分组"),
    "beyond_capacity": _l("超出名额"),
    "blueprint": _l("组卷方案"),
    "bytes": _l("字节"),
    "carry_grants": _l("授权一起转"),
    "changed": _l("改动"),
    "code": _l("码"),
    "codes": _l("换掉的码"),
    "content": _l("内容指纹"),
    "count": _l("数量"),
    "delivery": _l("测验安排编号"),
    "delivery_id": _l("测验安排编号"),
    "empty": _l("清空"),
    "evidence_id": _l("佐证编号"),
    "fields": _l("涉及的项"),
    "figures": _l("数据"),
    "flags": _l("问题"),
    "first_flags": _l("首次改认的答卷"),
    "form": _l("样式"),
    "format": _l("格式"),
    "from": _l("从"),
    "from_parent_id": _l("原来的上级"),
    "grant_id": _l("授权编号"),
    "industry_id": _l("行业"),
    "kind": _l("种类"),
    "minutes": _l("延时分钟"),
    "running": _l("当时在答的答卷"),
    "merge_id": _l("合并编号"),
    "merged_id": _l("并入的"),
    "new_codes": _l("新的码"),
    "number": _l("证书编号"),
    "papers": _l("卷数"),
    "parent_id": _l("上级"),
    "person_before": _l("原来的人员编号"),
    "person_id": _l("人员编号"),
    "period": _l("时间"),
    "personal_data": _l("含个人信息"),
    "reason": _l("原因"),
    "registrations": _l("报名"),
    "retired": _l("停用的题"),
    "role": _l("角色"),
    "rows": _l("行数"),
    "rule_id": _l("规则编号"),
    "run_id": _l("期编号"),
    "session_id": _l("场次编号"),
    "sign_in_id": _l("登录编号"),
    "sign_ins": _l("退出的登录"),
    "state": _l("原来的状态"),
    "table": _l("文件"),
    "target_id": _l("对象编号"),
    "to": _l("到"),
    "unit_id": _l("单位"),
    "units": _l("单位数"),
    "drawn": _l("抽到"),
    "answers": _l("已答"),
    "list": _l("名单的指纹"),
    "refusal": _l("没有估计"),
    "columns": _l("加权用的表"),
    "cap": _l("权重上限"),
}

#: Codes of values that many lines have.
VALUE_WORDS = {
    "left": _l("已离开"),
    "moved": _l("已调走"),
    "excused": _l("请假"),
    "mistake": _l("录错"),
    "roster": _l("名册"),
    "units": _l("单位"),
    "pass_rates": _l("合格率"),
    "grid": _l("只看汇总的表"),
    "age_band": _l("年龄段"),
    "sex": _l("性别"),
    "education": _l("文化程度"),
    "key_group": _l("重点人群"),
    "photo": _l("照片"),
    "sheet": _l("签到表"),
    "counted": _l("已计入"),
    "pending": _l("待确认"),
    "struck": _l("已划掉"),
    "key_suspect": _l("答案可疑"),
    "no_discrimination": _l("区分不出"),
    "misfit": _l("对错和水平对不上"),
    "speeded": _l("来不及做"),
    "dead_distractor": _l("干扰项太弱"),
    "too_easy": _l("太容易"),
    "name": _l("名称"),
    "name_en": _l("英文名称"),
    "title": _l("标题"),
    "place": _l("地点"),
    "code": _l("码"),
    "kind": _l("类型"),
    "capacity": _l("名额"),
    "industry_id": _l("行业"),
    "address": _l("地址"),
    "closes_at": _l("截止时间"),
    "opens_at": _l("开始时间"),
    "starts_at": _l("开始时间"),
    "ends_at": _l("结束时间"),
    **{kind.value: word for kind, word in KIND_WORDS.items()},
    **{role.value: word for role, word in ROLE_WORDS.items() if role.value not in set(UnitKind)},
}


@dataclass(frozen=True)
class LogNames:
    """The names that details are told by: industries by key, and how an instant is written."""

    industries: Mapping[int, str]
    moment: Callable[[Any], str]


def details_text(row: AuditRow, names: LogNames) -> str:
    """The details of a line, in words; what is empty is left out.

    A key that has no words is counted, not shown: the code would tell nobody anything.
    """
    parts, unknown = [], 0
    for key, value in sorted(row.event.details.items()):  # one database keeps their order, the other does not
        if value is None or value is False or value == [] or value == "":
            continue
        if key not in KEY_WORDS:
            unknown += 1
        elif value is True:
            parts.append(str(KEY_WORDS[key]))
        else:
            parts.append(f"{KEY_WORDS[key]} {_value(key, value, row, names)}")
    if unknown:
        parts.append(_("另有 %(count)s 项", count=unknown))
    return str(_("；")).join(parts)


def _value(key: str, value: Any, row: AuditRow, names: LogNames) -> str:
    if isinstance(value, list):
        if all(isinstance(one, str) for one in value):
            return str(_("、")).join(_word(one) for one in value)
        return str(_("%(count)s 项", count=len(value)))
    if isinstance(value, dict):
        return str(_("、")).join(_word(str(one)) for one in value)
    if isinstance(value, int) and (key in UNIT_KEYS or (key == "merged_id" and row.event.object_type == "org_unit")):
        return row.units.get(value) or str(value)
    if key == "industry_id" and isinstance(value, int):
        return names.industries.get(value) or str(value)
    if key == "role" and value in set(Role):
        return str(ROLE_WORDS[Role(value)])
    if key == "at_ms" and isinstance(value, int):
        return names.moment(from_ms(value))
    return _word(str(value))


def _word(code: str) -> str:
    return str(VALUE_WORDS[code]) if code in VALUE_WORDS else code
