"""What is wrong with an item, in the words of a page. The terminal has its own words, in English (`banks.faults`)."""

from __future__ import annotations

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from quizapp.banks.faults import Fault
from quizapp.ui.filters import page_language

#: code → what is wrong and what to do; a code that is not here says what its terminal words say.
WORDS: dict[str, LazyString] = {
    "sheet_columns": _l("没有一张表里有“题干（中文）”这一列。请用这里的模板填。"),
    "sheet_topic": _l("题库 %(bank)s 里没有主题 %(topic)s。可以写：%(known)s"),
    "sheet_long": _l("一次最多 %(most)s 道题，其余的另存一份再传。"),
    "missing_field": _l("缺少：%(field)s。请填上。"),
    "unknown_field": _l("不认识的内容：%(field)s"),
    "wrong_type": _l("%(what)s 写成了 %(given)s，格式不对。例子：%(example)s"),
    "not_one_of": _l("%(what)s 写成了 %(given)s，只能写其中之一：%(wanted)s"),
    "wrong_pattern": _l("%(what)s 写成了 %(given)s，样子不对。例子：%(example)s"),
    "empty_text": _l("%(what)s 是空的，请填上。"),
    "too_short": _l("%(what)s 只有 %(length)s 个字，至少 %(least)s 个。"),
    "too_long": _l("%(what)s 有 %(length)s 个字，最多 %(limit)s 个，请缩短。"),
    "out_of_range": _l("%(what)s 写成了 %(given)s，应在 %(low)s 到 %(high)s 之间。"),
    "wrong_count": _l("%(what)s 有 %(given)s 个，应有 %(wanted)s 个。"),
    "repeated_entry": _l("%(what)s 里有重复的，每样只写一次。"),
    "options_not_allowed": _l("判断题没有选项，请清空选项，或改题型。"),
    "duplicate_id": _l("编号 %(id)s 已经有了。请清空编号，自动编一个新的。"),
    "option_order": _l("选项要从 A 起连续填，中间不能空。"),
    "key_unknown": _l("答案 %(key)s 不在选项里。"),
    "english_mark": _l("中文题干用 ** 标了词，英文没有。请两边标同一个词。"),
    "english_has_chinese": _l("%(what)s 里有汉字，请译成英文。"),
    "chinese_missing": _l("%(what)s 里没有汉字，请写中文。"),
    "stem_too_long": _l("题干有 %(length)s 个字，最多 %(most)s 个，请缩短。"),
    "rationale_length": _l("解析有 %(length)s 个字，应为 25 到 120 个：为什么对，最像对的那个为什么错。"),
    "rationale_copy": _l("解析只是重复了题干或答案。请写为什么。"),
    "article_vague": _l("依据没有写到条、章或页，请写清在文件的哪里。"),
    "citation_expired": _l("依据 %(until)s 已经失效，请换成现行的。"),
    "review_due": _l("复查期限 %(by)s 已过，请核对后改成以后的月份。"),
    "stale": _l("%(found)s 已经过时，请换成现行规定。"),
    "duplicate_stem": _l("题干和 %(other)s 一样。请问别的，或不写这道。"),
    "near_duplicate": _l("题干和答案与 %(other)s 有 %(share)s%% 相同。请问别的，或不写这道。"),
    "all_of_above": _l("选项 %(option)s 写了“%(found)s”。每个选项都要有自己的内容。"),
    "option_same": _l("选项 %(one)s 和 %(other)s 说的一样，请改一个。"),
    "option_inside": _l("选项 %(one)s 包含在选项 %(other)s 里，请改写。"),
    "numbers_not_ascending": _l("选项是数，要从小到大排，并在“选项按顺序”填“是”。"),
    "labels_not_ordered": _l("选项是甲、乙这样的编号，请在“选项按顺序”填“是”。"),
    "numbers_not_ordered": _l("选项是数，请在“选项按顺序”填“是”。"),
    "option_lengths": _l("最长的选项有 %(longest)s 个字，最短的 %(shortest)s 个，相差太大，会泄露答案。"),
    "option_ends": _l("有的选项末尾有句号，有的没有，请统一。"),
    "negative_unmarked": _l("题干问的是“%(found)s”，请给这个词两边加上 **，或改成正面的问法。"),
    "mark_unbalanced": _l("题干里的 ** 要成对。"),
    "stem_echo": _l("答案和题干相同的字太多，别的选项没有，会泄露答案。"),
    "stem_echo_words": _l("英文题干和英文答案有别的选项没有的相同词（%(count)s 个），会泄露答案。"),
    "markup": _l("%(what)s 里有网页代码：%(found)s。请只写文字。"),
    "formula": _l("%(what)s 的开头像表格公式。请用字或数字开头。"),
    "picture_missing": _l("材料要看图，但没有图。请补上图，或改“材料”一栏。"),
    "picture_spoken_of": _l("题干说到“%(found)s”，但没有图。请补上图，或用文字写明。"),
    "review_far": _l("复查期限 %(by)s 太远，请写 %(years)s 年以内的月份。"),
    "fact_practised": _l("和 %(other)s 是同一个知识点（%(fact)s）：素质测试考的，不能拿来练。请改“用途”，或问别的。"),
    "audience_missing": _l("安全题要写给谁做。"),
}


def fault_text(fault: Fault) -> str:
    """One fault in the page's language."""
    words = WORDS.get(fault.code)
    if words is None:
        return f"{fault.message}. {fault.cure}."
    from quizapp.banks.formats.sheet import HEADINGS  # readers of files only where one comes

    names = {heading.name: heading for heading in HEADINGS}
    data = dict(fault.data)
    for name in ("what", "field"):
        heading = names.get(str(data.get(name, "")))
        if heading:
            data[name] = heading.zh if page_language() == "zh" else heading.en
    return str(words) % data
