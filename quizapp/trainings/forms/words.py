"""Words that forms and pages share: kinds of sessions, job roles."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than the types

from quizapp.organisation.models import JobRole
from quizapp.trainings.models import SessionKind

KIND_WORDS = {
    SessionKind.LECTURE: _l("讲座"),
    SessionKind.JOINT: _l("合训"),
    SessionKind.SECTOR: _l("分训"),
    SessionKind.CREW: _l("班组课"),
}
KIND_CHOICES = [SelectChoice(kind.value, word) for kind, word in KIND_WORDS.items()]

JOB_WORDS = {
    JobRole.HEAD: _l("负责人"),
    JobRole.SAFETY_OFFICER: _l("安全员"),
    JobRole.MARKET_MANAGER: _l("市场管理员"),
    JobRole.CREW: _l("班组成员"),
    JobRole.SPECIAL_OPERATOR: _l("特种作业人员"),
    JobRole.HOTEL_STAFF: _l("酒店员工"),
    JobRole.ENTERTAINMENT_STAFF: _l("娱乐场所员工"),
    JobRole.DRIVER: _l("驾驶员"),
    JobRole.COMMUNITY_STAFF: _l("社区工作者"),
    JobRole.WORKER: _l("一线工人"),
    JobRole.RESIDENT: _l("居民"),
    JobRole.PUPIL: _l("学生"),
}
