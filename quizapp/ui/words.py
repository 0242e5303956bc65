"""The words for refusals: `code` of a `DomainError` → Chinese text with %(name)s places for its data.

Each says what is wrong, then what to do. A literal percent sign is written %%. Add a feature's codes under its own heading.
"""

from __future__ import annotations

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from quizapp.core.errors import DomainError

WORDS: dict[str, LazyString] = {
    # every feature
    "refused": _l("这一步没有做成。回上一页再试一次。"),
    "not_found": _l("没有找到这一页。地址可能不全，或内容已经撤下。"),
    "forbidden": _l("这一页您没有权限看。要看，请找本单位的单位管理员开通。"),
    "sign_in_needed": _l("这一页要先登录。"),
    "invalid": _l("有一处填得不对，改好再提交。"),
    "conflict": _l("别人刚刚改过，或状态已经变了。刷新看一看再做。"),
    "too_many": _l("试的次数太多。过 %(wait_seconds)s 秒再试。"),
    "unavailable": _l("服务器正忙，没有改动任何内容。过一会儿再试一次。"),
    "phone_invalid": _l("手机号要有 11 位，现在是 %(digits)s 位"),
    # attempts
    "delivery_not_open": _l("这次测试还没有开始。"),
    "delivery_ended": _l("这次测试已经结束。成绩用凭证码查。"),
    "delivery_not_ready": _l("正在组卷，稍等一会儿再来。"),
    "delivery_full": _l("名额已满，可以先去练习。"),
    "tries_used_up": _l("%(tries)s 次机会都用完了。"),
    "sign_in_for_delivery": _l("这次测试要登录后答。"),
    "consent_needed": _l("请先看数据说明并勾选同意"),
    "field_missing": _l("这一项要填"),
    "guardian_needed": _l("不满 14 岁要由监护人同意"),
    "unit_outside": _l("这个单位不在这次测试的范围内，请另选一个"),
    "attempt_not_yours": _l("这个地址打不开别人的答卷。要答题请从测验首页开始。"),
    "attempt_read_only": _l("这份卷子已转到另一个浏览器，请到那边接着答。"),
    "attempt_closed": _l("已经交卷，不能再改。"),
    "form_expired": _l("页面放得太久，请回到题目刷新后再做。已存的答案都在。"),
    "answer_malformed": _l("没有看懂这份答案，请刷新题目再选一次。"),
    "code_unknown": _l("没有这个码，或已经用过、过期。请对一对再输。"),
    "already_claimed": _l("这份成绩已经在别的账号名下。"),
    "pool_too_small": _l("题库里的题不够组卷：%(problem)s"),
    # publishing a delivery
    "delivery_value_missing": _l("请填写这一项"),
    "delivery_value_out_of_range": _l("请填写 %(low)s 到 %(high)s 之间的整数"),
    "delivery_text_too_long": _l("最多 %(most)s 个字，请写短一些"),
    "window_empty": _l("截止要晚于开始，也要晚于现在"),
    "blueprint_unknown": _l("没有这份测验，请另选一份"),
    "unit_closed_for_delivery": _l("这个单位已经停用，请另选一个"),
    "assembly_running": _l("正在组卷，或已经组好。刷新看一看。"),
    "poster_face_missing": _l(
        "服务器上没有中文字体，做不了海报。请管理员运行 make install，再下载一次；二维码可以先下载。"
    ),
    "delivery_started": _l("已经有人开始答，这一项不能再改。可以复制一份新的。"),
    # training sessions
    "check_in_early": _l("还没到签到时间，开始前两小时起可以签到。"),
    "check_in_late": _l("签到时间已过。请找老师补登。"),
    "check_in_closed": _l("签到已经结束。请找老师补登。"),
    "session_period_invalid": _l("结束要晚于开始，一场不超过一天"),
    "attendee_name_needed": _l("请填写姓名"),
    "attendee_phone_needed": _l("请填写手机号"),
    # registration
    "registration_closed": _l("这场不用报名，到时直接来。"),
    "registration_over": _l("报名或取消的时间已经过了。有事请找主办单位。"),
    "session_called_off": _l("这场培训已经取消。"),
    "outside_audience": _l("这场不面向这个单位或岗位。有疑问请找主办单位。"),
    "sign_in_to_register": _l("这场要登录后报名，或请本单位联络员代报。"),
    "registration_known": _l("这个姓名和手机号已经报过名。要取消，用报名时给的链接，或找主办单位。"),
    "nobody_chosen": _l("先在名字前打勾，再按按钮。"),
    # practice
    "practice_answer_missing": _l("先选一个答案，再提交。"),
    # portal
    "code_length": _l("海报和签到码有 8 位，凭证码有 12 位，现在是 %(count)s 位。对一对再填。"),
    "code_mistyped": _l("这个凭证码有一位不对。对一对再填。"),
    "poster_code_unknown": _l("没有这个码。对一对海报上的 8 位码，或问发码的人。"),
    # accounts
    "sign_in_failed": _l("手机号或密码不对。再试一次，或用凭证码查成绩。"),
    "link_invalid": _l("这个链接用过了，或已经过期。请向给您链接的人再要一个。"),
    "password_short": _l("密码至少要有 %(least)s 个字符"),
    "password_plain": _l("这个密码太好猜，请换一个，比如一句自己记得住的话"),
    "username_invalid": _l("登录名要有 3 到 40 个字母或数字，不能全是数字"),
    "username_taken": _l("这个登录名已有人用，请换一个"),
    "unit_needed": _l("请选一个单位"),
    "grant_too_wide": _l("只能在自己的授权范围内授权"),
    "account_beyond": _l("这个账号的授权超出您的范围，请找上级管理员处理。"),
    "last_administrator": _l("这是最后一个能登录的管理员，先给别人授权再做。"),
    # units and industries
    "code_taken": _l("这个代码已有人用，请换一个"),
    "unit_closed": _l("这个单位已停用，请另选一个"),
    "industry_closed": _l("这个行业已停用，请另选一个"),
    "name_needed": _l("这一项要填"),
}

#: A page's title by status, then what it says where the error itself brings no words.
STATUS_WORDS: dict[int, tuple[LazyString, LazyString]] = {
    400: (_l("没有看懂这次请求"), _l("页面可能放得太久。回上一页刷新，再做一次；已填的内容请先抄下。")),
    401: (_l("要先登录"), _l("登录后会回到这一页。")),
    403: (_l("没有权限"), _l("这一页您没有权限看。要看，请找本单位的单位管理员开通。")),
    404: (_l("没有找到这一页"), _l("地址可能不全，或内容已经撤下。请对一对地址，或回首页。")),
    405: (_l("这个地址不能这样打开"), _l("回上一页，用页面上的按钮再做一次。")),
    409: (_l("状态已经变了"), _l("别人刚刚改过，或已经做完。刷新看一看再做。")),
    413: (_l("文件太大"), _l("没有收下。换一个小一些的文件再传。")),
    422: (_l("有一处填得不对"), _l("回上一页改好再提交，已填的内容还在。")),
    429: (_l("试的次数太多"), _l("过几分钟再试。已保存的内容都在。")),
    500: (_l("这一步没有做成"), _l("已保存的内容都在。再试一次；还不行，请把错误号告诉管理员。")),
    503: (_l("服务器正忙"), _l("没有改动任何内容，手机上的答案还在。过一会儿再试一次。")),
}


def words_for(error: DomainError) -> str:
    """What a refusal says, in the page's language. A code without words falls back to its status."""
    text = WORDS.get(error.code)
    if text is None:
        return str(STATUS_WORDS.get(error.status, STATUS_WORDS[400])[1])
    try:
        return str(str(text) % error.data)
    except KeyError:
        return str(STATUS_WORDS.get(error.status, STATUS_WORDS[400])[1])
