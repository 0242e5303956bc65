"""The words of records: headings and what the codes in them mean."""

from __future__ import annotations

from flask_babel import gettext as _

from quizapp.core.spreadsheet import Kind
from quizapp.organisation.models import Education, Sex
from quizapp.organisation.web import KEY_GROUP_WORDS
from quizapp.quizzes.models import AttemptState, IdentityLevel
from quizapp.reports.attempt_rows import COLUMNS


def record_columns() -> list[tuple[str, str, int]]:
    """Heading, kind and width of each column of `attempt_rows.COLUMNS`."""
    columns: dict[str, tuple[str, Kind, int]] = {
        "attempt": (_("答卷号"), Kind.TEXT, 20),
        "delivery": (_("测验"), Kind.TEXT, 28),
        "name": (_("姓名"), Kind.TEXT, 12),
        "unit": (_("当天单位"), Kind.TEXT, 26),
        "unit_code": (_("单位码"), Kind.TEXT, 14),
        "industry": (_("行业"), Kind.TEXT, 14),
        "age_band": (_("年龄段"), Kind.TEXT, 10),
        "sex": (_("性别"), Kind.TEXT, 8),
        "education": (_("文化程度"), Kind.TEXT, 14),
        "key_group": (_("重点人群"), Kind.TEXT, 14),
        "identity_level": (_("身份核实"), Kind.TEXT, 14),
        "started_at": (_("开始时间"), Kind.MOMENT, 18),
        "closed_at": (_("交卷时间"), Kind.MOMENT, 18),
        "state": (_("状态"), Kind.TEXT, 12),
        "is_first": (_("是首次作答"), Kind.TEXT, 10),
        "try_number": (_("第几次"), Kind.WHOLE, 8),
        "score": (_("得分"), Kind.WHOLE, 8),
        "max_score": (_("满分"), Kind.WHOLE, 8),
        "passed": (_("合格"), Kind.TEXT, 8),
    }
    return [(heading, kind.value, width) for heading, kind, width in (columns[name] for name in COLUMNS)]


def record_words() -> dict[str, dict[str, str]]:
    """Column (its number, as JSON keeps keys) → code → word."""
    return {str(COLUMNS.index(name)): words for name, words in code_words().items()}


def code_words() -> dict[str, dict[str, str]]:
    """Column → code → word."""
    yes_no = {"1": _("是"), "0": _("否")}
    words: dict[str, dict[str, str]] = {
        "sex": {Sex.FEMALE: _("女"), Sex.MALE: _("男")},
        "education": {
            Education.PRIMARY: _("小学及以下"),
            Education.JUNIOR: _("初中"),
            Education.SENIOR: _("高中、中专"),
            Education.COLLEGE: _("大专"),
            Education.UNIVERSITY: _("本科及以上"),
        },
        "key_group": {code: str(word) for code, word in KEY_GROUP_WORDS.items()},
        "identity_level": {
            IdentityLevel.SIGNED_IN: _("登录"),
            IdentityLevel.INVITED: _("凭邀请卡"),
            IdentityLevel.MATCHED: _("姓名手机号对上"),
            IdentityLevel.DEVICE: _("同一手机同一姓名"),
            IdentityLevel.NONE: _("未识别"),
        },
        "state": {
            AttemptState.OPEN: _("作答中"),
            AttemptState.SUBMITTED: _("已交卷"),
            AttemptState.EXPIRED: _("到时自动交卷"),
            AttemptState.VOID: _("作废"),
        },
        "is_first": yes_no,
        "passed": yes_no,
    }
    return {name: {str(code): str(word) for code, word in codes.items()} for name, codes in words.items()}
