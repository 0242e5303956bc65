"""A person's own data as a file: a zip with JSON for machines and a page that anybody can read, in one language."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from html import escape
from typing import Any

from quizapp.core.clock import LOCAL_ZONE
from quizapp.core.privacy_parts import ExportSection
from quizapp.mail.letters import Words

JSON_NAME, PAGE_NAME = "my-data.json", "my-data.html"
#: The page stands alone: no address, no script, nothing that is fetched.
_STYLE = (
    "body{font:16px/1.6 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1a1a1a}"
    "table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}"
    "th,td{border:1px solid #767676;padding:.3rem .5rem;text-align:left;vertical-align:top}"
    ".wide{overflow-x:auto}"
)


def make_zip(sections: Sequence[ExportSection], *, language: str, now: datetime) -> bytes:
    """The file: the same sections twice, the page without the kinds of which there is nothing."""
    data = {"made_at": now, **{section.kind: section.rows for section in sections}}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(JSON_NAME, json.dumps(data, ensure_ascii=False, indent=1, default=_plain) + "\n")
        archive.writestr(PAGE_NAME, make_page(sections, language=language, now=now))
    return buffer.getvalue()


def make_page(sections: Sequence[ExportSection], *, language: str, now: datetime) -> str:
    """The page: a heading and a table for each kind."""
    _ = Words(language)
    titles, fields, codes = _titles(_), _fields(_), _codes(_)
    nothing = [titles[section.kind] for section in sections if not section.rows]
    title = _("关于我的全部信息")
    when = _("%(time)s 导出", time=_moment(now))
    parts = [
        f'<!doctype html><html lang="{"en" if _.english else "zh-Hans"}"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main><h1>{escape(title)}</h1>",
        f"<p>{escape(when)}</p>",
    ]
    parts += [
        f"<h2>{escape(titles[section.kind])}</h2>{_table(titles[section.kind], section.rows, fields, codes, _)}"
        for section in sections
        if section.rows
    ]
    if nothing:
        between = ", " if _.english else "、"
        missing = _("没有记录的：%(kinds)s", kinds=between.join(nothing))
        parts.append(f"<p>{escape(missing)}</p>")
    return "".join([*parts, "</main></body></html>\n"])


def _table(
    title: str,
    rows: Sequence[Mapping[str, Any]],
    fields: Mapping[str, str],
    codes: Mapping[str, Mapping[str, str]],
    _: Words,
) -> str:
    names = list(rows[0])
    head = "".join(f'<th scope="col">{escape(fields[name])}</th>' for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td>{_cell(name, row[name], codes, _)}</td>" for name in names) + "</tr>" for row in rows
    )
    wide = f'<div class="wide" role="region" tabindex="0" aria-label="{escape(title)}">'
    return f"{wide}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _cell(name: str, value: Any, codes: Mapping[str, Mapping[str, str]], _: Words) -> str:
    if value is None:
        return "—"
    if isinstance(value, bool):
        return escape(_("是") if value else _("否"))
    if isinstance(value, datetime):
        return escape(_moment(value))
    if isinstance(value, list | tuple):
        return escape(", ".join(_short(row) for row in value)) or "—"
    return escape(codes.get(name, {}).get(str(value), str(value)))


def _short(row: Mapping[str, Any]) -> str:
    """One answer within an attempt: "3: b"."""
    return f"{row['position']}: {row['answer'] or '—'}"


def _moment(value: datetime) -> str:
    return f"{value.astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M}"


def _plain(value: object) -> str:
    """Instants and days in JSON."""
    if isinstance(value, datetime):
        return value.astimezone(LOCAL_ZONE).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in an export")


def _titles(_: Words) -> dict[str, str]:
    return {
        "account": _("账号"),
        "grant": _("授权"),
        "sign_in": _("登录记录"),
        "log": _("操作日志"),
        "person": _("个人资料"),
        "personal_code": _("个人码"),
        "attempt": _("测试答卷"),
        "extra_time": _("答题延时"),
        "practice_answer": _("练习答题"),
        "wrong_book": _("错题本"),
        "daily_result": _("每日一练"),
        "attendance": _("培训签到"),
        "registration": _("培训报名"),
        "roster": _("应到名单"),
        "roster_removal": _("移出应到名单"),
        "certificate": _("培训证书"),
        "survey_invitation": _("抽样调查邀请"),
    }


def _fields(_: Words) -> dict[str, str]:
    when, why = _("时间"), _("原因")
    return {
        "action": _("做了什么"),
        "age_band": _("年龄段"),
        "answer": _("答案"),
        "answered": _("答了几题"),
        "answers": _("各题答案"),
        "at": when,
        "birth_year": _("出生年"),
        "checked_out_at": _("签退时间"),
        "closed_at": _("交卷时间"),
        "code": _("码"),
        "course": _("课程"),
        "created_at": _("建立时间"),
        "day": _("日期"),
        "device": _("设备"),
        "education": _("文化程度"),
        "ended_at": _("结束时间"),
        "elder": _("大字版"),
        "email_kept": _("留有邮箱"),
        "first": _("是首次作答"),
        "granted_at": _("授权时间"),
        "hours": _("学时"),
        "identity_level": _("身份核实"),
        "industry": _("行业"),
        "issued_at": _("发放时间"),
        "issued_on": _("发证日期"),
        "issuer": _("发证单位"),
        "item": _("题号"),
        "job_role": _("岗位"),
        "key_group": _("重点人群"),
        "language": _("语言"),
        "max_score": _("满分"),
        "minutes": _("分钟"),
        "method": _("签到方式"),
        "name": _("姓名"),
        "note": _("备注"),
        "number": _("证书编号"),
        "object_type": _("对什么做的"),
        "outcome": _("调查的情况"),
        "passed": _("合格"),
        "phone": _("手机号"),
        "place": _("地点"),
        "reason": why,
        "registered_at": _("报名时间"),
        "revoked_at": _("作废时间"),
        "right": _("答对"),
        "right_count": _("答对几题"),
        "right_in_a_row": _("连续答对"),
        "role": _("角色"),
        "rostered_on": _("进入名单的日期"),
        "score": _("得分"),
        "seen_at": _("上次使用"),
        "started": _("凭卡开始答了"),
        "sex": _("性别"),
        "source": _("从哪里来"),
        "started_at": _("开始时间"),
        "starts_at": _("开始时间"),
        "state": _("状态"),
        "suspended_at": _("停用时间"),
        "text_size": _("字号"),
        "title": _("名称"),
        "unit": _("单位"),
        "username": _("登录名"),
        "valid_until": _("有效期到"),
    }


def _codes(_: Words) -> dict[str, dict[str, str]]:
    return {
        "sex": {"female": _("女"), "male": _("男")},
        "education": {
            "primary": _("小学及以下"),
            "junior": _("初中"),
            "senior": _("高中、中专"),
            "college": _("大专"),
            "university": _("本科及以上"),
        },
        "key_group": {
            "youth": _("青少年"),
            "farmer": _("农民"),
            "industrial_worker": _("产业工人"),
            "elderly": _("老年人"),
            "official": _("领导干部和公务员"),
            "other": _("都不是"),
        },
        "identity_level": {
            "signed_in": _("登录"),
            "invited": _("凭邀请卡"),
            "matched": _("姓名手机号对上"),
            "device": _("同一手机同一姓名"),
            "none": _("未识别"),
        },
        "source": {
            "roster": _("单位名单"),
            "account": _("自己注册"),
            "typed": _("填表时写的"),
            "device": _("同一手机同一姓名"),
            "rule": _("按单位和岗位算出"),
            "import": _("导入的名单"),
        },
        "outcome": {
            "invited": _("还没答"),
            "refused": _("拒答"),
            "unreachable": _("找不到人"),
            "ineligible": _("不在范围"),
        },
        "state": {
            "open": _("作答中"),
            "submitted": _("已交卷"),
            "expired": _("到时自动交卷"),
            "void": _("作废"),
            "counted": _("已计入"),
            "pending": _("待核对"),
            "struck": _("已划掉"),
            "undone": _("已撤回"),
            "registered": _("已报名"),
            "waiting": _("候补中"),
            "cancelled": _("已取消"),
        },
    }
