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
    "ledger_unusable": _l("删除记录写不下来，所以什么也没删。请告诉管理员：密钥文件夹要能写。"),
    "phone_invalid": _l("手机号要有 11 位，现在是 %(digits)s 位"),
    "face_missing": _l("服务器上没有中文字体，打印件做不出来。请管理员运行 make install，再下载一次。"),
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
    "delivery_not_for_unit": _l("这次测试不面向这个单位或行业的人。"),
    "attempt_not_yours": _l("这个地址打不开别人的答卷。要答题请从测验首页开始。"),
    "attempt_read_only": _l("这份卷子已转到另一个浏览器，请到那边接着答。"),
    "attempt_closed": _l("已经交卷，不能再改。"),
    "form_expired": _l("页面放得太久，请回到题目刷新后再做。已存的答案都在。"),
    "answer_malformed": _l("没有看懂这份答案，请刷新题目再选一次。"),
    "code_unknown": _l("没有这个码，或已经用过、过期。请对一对再输。"),
    "already_claimed": _l("这份成绩已经在别的账号名下。"),
    "pool_too_small": _l("题库里的题不够组卷：%(problem)s"),
    # results afterwards
    "reason_missing": _l("请写明理由，另一个人要看着它决定"),
    "accepted_invalid": _l("至少选一个算对的答案，并且和现在的不同"),
    "proposal_open": _l("已经有人提出，还没有人复核。先处理那一条。"),
    "proposal_decided": _l("这一条已经有人处理过，或已经收回。"),
    "second_person_needed": _l("自己提出的，要由另一个人复核。"),
    "attempt_not_closed": _l("还在答的卷子不能作废，等交卷或到时间以后再说。"),
    "end_not_later": _l("新的截止时间要晚于现在，也要晚于原来的截止时间"),
    "extra_out_of_range": _l("延时填 1 到 %(most)s 分钟"),
    "nobody_known": _l("不知道这份卷子是谁的，不能给这个人延时。"),
    # items
    "look_outdated": _l("没有记下：您打开以后，这道题换了版本，或作答又看出别的问题。请再看一看。"),
    "nothing_flagged": _l("不用记：这道题现在从作答看不出问题，或已经停用。"),
    # tests of a training session
    "tests_same": _l("培训前和培训后要是两次不同的测验"),
    "tests_not_parallel": _l("要选同一份测验的两次发布，不同的测验分数不能比"),
    # surveys
    "survey_of_volunteers": _l(
        "谁愿意谁来，估计不了全体。要误差不超过 2 个百分点，得抽签抽到 %(people)s 人答完，请改一种抽法"
    ),
    "survey_value_missing": _l("请填写这一项，种子至少 6 个字"),
    "survey_value_out_of_range": _l("请填写 %(low)s 到 %(high)s 之间的数"),
    "survey_test_unfit": _l("请选一次自己单位的素质测验，要有标准"),
    "survey_age_not_asked": _l("这次测验没有把出生年份设为必填，分不出谁满 18 岁。先改测验，或另选一次"),
    "survey_audience_other": _l("这次测验限定了对象，抽到的人里有人答不了。先改测验的对象，或另选一次"),
    "survey_unit_foreign": _l("请在自己的单位里选一个"),
    "unit_list_invalid": _l("第 %(line)s 行看不懂：要写“单位名称或单位码,人数”，单位要在所选单位下面，不能重复"),
    "unit_list_design": _l("只知道各单位多少人，就要“先抽单位，再抽人”"),
    "frame_too_small": _l("要抽 %(wanted)s 人，只有 %(there)s 人。全请来，误差也要放宽到 %(margin)s 个百分点"),
    "strata_of_one_unit": _l("下级单位里没有更下一级的单位可抽。改成“每个下级单位按人数抽”"),
    "units_too_few": _l("要抽 %(wanted)s 个单位，只有 %(there)s 个。每个单位多抽几人，放宽误差，或改成直接抽人"),
    "frame_empty": _l("名册里没有满 18 岁的人。先导入名册，或改用各单位人数"),
    "survey_announced": _l("名单已经公布，计划不能再改；要改先收回公布。公布过的计划不能删"),
    "survey_drawn": _l("已经抽过签，计划不能再改，也不能再抽。"),
    "survey_not_drawn": _l("还没有抽签。"),
    "survey_closed": _l("这次调查已经结束。"),
    "survey_still_open": _l("先结束调查，才能看分数和估计。"),
    "invitation_settled": _l("这份答卷的分数已经看得到，答完的人不能再改。"),
    "invitation_answered": _l("已经答完的人，不能记成拒答或找不到人。"),
    "margins_invalid": _l("第 %(line)s 行看不懂：要写“性别,女,51000”，每组一行，不能重复"),
    "card_unknown": _l("没有这张卡。请对着卡上的二维码再扫一次，或联系发卡的人。"),
    "card_taken_back": _l("这张卡已经失效。"),
    "card_used": _l("这张卡已经开始答了，再扫一次接着答。"),
    # publishing a delivery
    "delivery_value_missing": _l("请填写这一项"),
    "delivery_value_out_of_range": _l("请填写 %(low)s 到 %(high)s 之间的整数"),
    "delivery_text_too_long": _l("最多 %(most)s 个字，请写短一些"),
    "window_empty": _l("截止要晚于开始，也要晚于现在"),
    "blueprint_unknown": _l("没有这份测验，请另选一份"),
    "unit_closed_for_delivery": _l("这个单位已经停用，请另选一个"),
    "assembly_running": _l("正在组卷，或已经组好。刷新看一看。"),
    "delivery_edited": _l("别人刚刚改过这个测验安排。刷新看一看再改。"),
    "end_only_earlier": _l("已经有人开始答，这里只能提前截止。要推后，用“延长截止”。"),
    "audience_unknowable": _l("限定了对象，就要问单位，不然分不出谁在里面。"),
    "audience_foreign": _l("有一个单位不在自己的范围里，或已经停用。去掉它再保存。"),
    "delivery_started": _l("已经有人开始答，这一项不能再改。可以复制一份新的。"),
    # figures as files
    "export_reason_missing": _l("附上明细要选一个用途"),
    "export_grant_changed": _l("您的授权在导出之后变了，这个文件不能再给。按现在的授权再导出一次。"),
    # training sessions
    "check_in_early": _l("还没到签到时间，开始前两小时起可以签到。"),
    "check_in_late": _l("签到时间已过。请找老师补登。"),
    "check_in_closed": _l("签到已经结束。请找老师补登。"),
    "check_in_full": _l("名额满了。请找老师。"),
    "check_in_struck": _l("老师划去了这次签到。请找老师。"),
    "check_in_right_needed": _l("请先扫屏幕上的新码"),
    "check_in_right_used": _l("这次扫码已经给别人签过。请再扫一次屏幕上的码。"),
    "rotating_code_outdated": _l("这个码过期了，请扫屏幕上的新码"),
    "rotating_code_elsewhere": _l("不是本场的码"),
    "personal_code_unknown": _l("没有这个个人码，请对一对再输"),
    "not_checked_in": _l("还没有签到，不能签退"),
    "check_out_early": _l("还没到签退时间"),
    "session_period_invalid": _l("结束要晚于开始，一场不超过一天"),
    "check_in_called_off": _l("这一场取消了，不用来。要问原因，请找主办单位。"),
    "session_closed": _l("这一场已经结束，名单已定稿。要改，先重新开放。"),
    "session_attended": _l("已经有 %(count)s 人签到，不能取消。课上完了请结束签到。"),
    "session_plan_invalid": _l("请填写 %(low)s 到 %(high)s 之间的数"),
    "registration_end_invalid": _l("报名要在开始之前截止"),
    "trainer_unknown": _l("有一位老师不能给这个单位上课，请重选"),
    "place_missing": _l("请填写地点"),
    "place_given_up": _l("这个场地已经停用，请另选一个"),
    "place_name_taken": _l("这个单位已有同名的场地"),
    "course_closed": _l("这门课程已经停用，不能再开新的一期"),
    "run_closed": _l("这一期已经结束，不能再加场次"),
    "audience_twice": _l("这一条已经有了"),
    "audience_too_wide": _l("请选一个单位"),
    "attendee_name_needed": _l("请填写姓名"),
    "attendee_phone_needed": _l("请填写手机号"),
    "roster_not_kept": _l("讲座和班组培训不设名册，谁来都欢迎。要设名册，先改场次的类型。"),
    "roster_frozen": _l("这一场已经结束，名册不再改。要改，先到场次页重新开放。"),
    "roster_came": _l("这个人已经到场，不能移出名册。"),
    # imports
    "table_too_large": _l("表太大，没有收下。最多 8 MB、50,000 行、60 列；分成几份再传。"),
    "table_unreadable": _l("没有看懂这个文件。要 xlsx、xls、ods 或 CSV；表格程序能打开的，另存为 xlsx 再传。"),
    "table_locked": _l("这个表有密码。去掉密码再传。"),
    "table_empty": _l("这个文件是空的。看一看选对了没有。"),
    "import_expired": _l("文件的期限过了，已经删掉，什么也没有改。再传一次。"),
    "import_moved": _l("这份文件已经导入、放弃，或正在读。刷新看一看。"),
    "import_faulty": _l("还有要改的地方，一行也没有导入。改好再传。"),
    # certificates
    "nothing_to_print": _l("还没有能打印的证书。"),
    "certificate_not_earned": _l("这个人现在不够条件，不能签发。"),
    "certificate_revoked": _l("这张证书已经撤销。"),
    "certificate_still_valid": _l("这张证书没有撤销，不用重新签发。"),
    "revoke_reason_needed": _l("请填写原因"),
    "certificate_number_mistyped": _l("编号不对，请对一对证书上的编号再填"),
    "certificate_unknown": _l("没有这样的证书。编号和校验码都对一对，再试一次。"),
    # scanning at the door
    "scan_malformed": _l("没有看懂这份扫码记录。在扫码的手机上重新存一份再传。"),
    "scan_signature_wrong": _l("这份扫码记录的签名对不上，一条都没有收。记录还在扫码的手机上。"),
    "scan_device_unknown": _l("这部手机没有在这一场登记。记录还在手机上，可以存到文件交给老师。"),
    "scan_device_revoked": _l("这部手机已停用，不再收它的记录。记录还在手机上，可以存到文件交给老师。"),
    "helper_pass_invalid": _l("这个协助链接已过期，或已被收回。请找老师再要一个；已扫的还在手机上。"),
    "helper_pass_late": _l("这一场的签到已经结束，不能再请人协助。"),
    "photo_unreadable": _l("没有读懂这张照片。请选 8 MB 以内的 JPG、PNG 或 WebP 照片。"),
    "photo_without_code": _l("照片里没有找到二维码。靠近一些、拍清楚再试，或直接输码。"),
    "strike_reason_needed": _l("请选划掉的原因"),
    "check_out_impossible": _l("签退要晚于签到，不能晚于现在"),
    "arrival_impossible": _l("到场时间要在签到时段内，不能晚于现在"),
    "evidence_full": _l("一场最多存 %(most)s 张照片，先移除一张再传。"),
    "nothing_to_undo": _l("这一条不能撤回：不是刚补录的，或已经有人处理过。"),
    # kept files
    "file_too_large": _l("文件太大，最多 %(most)s MB。换一张小一些的再传。"),
    "picture_unreadable": _l("打不开这张照片。请用 JPEG、PNG 或 WebP 格式的照片。"),
    "picture_heic": _l("这是 HEIC 格式的照片，这里打不开。请在手机相机设置里选“兼容性最佳”，或截一张图再传。"),
    "picture_too_large": _l("照片的像素太多，打不开。请用手机相机的普通模式再拍一张。"),
    # registration
    "registration_closed": _l("这场不用报名，到时直接来。"),
    "registration_over": _l("报名或取消的时间已经过了。有事请找主办单位。"),
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
    "account_erased": _l("这个人的个人信息已经删除，账号不能再用。要再开通，请新建一个账号。"),
    "tries_locked": _l("错的次数太多，两步验证先锁住。过 %(minutes)s 分钟再试，或请管理员重置两步验证。"),
    "factor_code_wrong": _l("验证码不对或已经用过，等应用里换了新的数字再输"),
    "factor_missing": _l("这个账号的两步验证刚刚关掉了，请重新登录"),
    "factor_stands": _l("已经设过两步验证。要换手机，先关闭再设。"),
    "factor_needed": _l("本系统要求工作人员用两步验证，不能关闭"),
    "last_administrator": _l("这是最后一个能登录的管理员，先给别人授权再做。"),
    # units and industries
    "code_taken": _l("这个代码已有人用，请换一个"),
    "unit_closed": _l("这个单位已停用，请另选一个"),
    "industry_closed": _l("这个行业已停用，请另选一个"),
    "name_needed": _l("这一项要填"),
    # merging people
    "merge_same_person": _l("选的是同一个人。请选两条不同的记录。"),
    "person_is_merged": _l("其中一人已经并入别人。请回到人员页，选现在留下的那一个。"),
    "person_erased": _l("其中一人的个人信息已删除，不能再合并或撤销。"),
    "move_below_itself": _l("不能移到自己或自己的下级下面，请另选一个"),
    "unit_too_deep": _l("这样层级太多，放不下。请先把层级减少。"),
    "merge_same_unit": _l("不能并入自己，请另选一个单位"),
    "merge_into_below": _l("留下的单位在它的下级里。先把留下的单位移出来，再合并。"),
    "unit_is_merged": _l("这个单位已经并入别的单位。要恢复，请撤销那次合并。"),
    "units_changed": _l("合并以后，这里的单位又移动、恢复或停用过，不能再撤销。"),
    "merge_too_old": _l("合并已过 %(days)s 天，不能再撤销。"),
    "later_merge_first": _l("在这之后又合并过。先撤销后一次，再撤销这一次。"),
    "two_accounts": _l("两人各有一个账号，账号不能合并。请先确认是不是同一个人；是的话，以后只用一个账号。"),
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
