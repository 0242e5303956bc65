"""The words of the log: what was done, to what kind of thing. An action without a word shows its code."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

ACTION_WORDS = {
    "account_created": _l("新建账号"),
    "account_restored": _l("恢复账号"),
    "account_suspended": _l("停用账号"),
    "assembly_asked_again": _l("重新组卷"),
    "assembly_failed": _l("组卷未成"),
    "attempt_claimed": _l("认领答卷"),
    "attendance_added": _l("补登签到"),
    "attendance_exported": _l("导出签到表"),
    "banks_loaded": _l("载入题库"),
    "delivery_changed": _l("修改测验安排"),
    "delivery_published": _l("发布测验"),
    "demo_made": _l("生成演示数据"),
    "figures_exported": _l("导出合格率"),
    "grant_created": _l("授权"),
    "grant_revoked": _l("收回授权"),
    "industry_closed": _l("停用行业"),
    "industry_created": _l("新建行业"),
    "industry_edited": _l("修改行业"),
    "industry_reopened": _l("恢复行业"),
    "papers_assembled": _l("组卷完成"),
    "password_set": _l("设置密码"),
    "registrations_cancelled": _l("取消报名"),
    "registrations_made": _l("代为报名"),
    "session_closed": _l("结束场次"),
    "session_opened": _l("开始场次"),
    "session_reopened": _l("重开场次"),
    "set_up_link_made": _l("生成设置链接"),
    "sign_in_refused": _l("登录未成"),
    "signed_in": _l("登录"),
    "unit_closed": _l("停用单位"),
    "unit_created": _l("新建单位"),
    "unit_edited": _l("修改单位"),
    "unit_reopened": _l("恢复单位"),
}

OBJECT_WORDS = {
    "account": _l("账号"),
    "attempt": _l("答卷"),
    "attendance": _l("签到"),
    "delivery": _l("测验安排"),
    "industry": _l("行业"),
    "item_bank": _l("题库"),
    "org_unit": _l("单位"),
    "training_session": _l("场次"),
}
