"""What is wrong with an item, in the words of a page. The terminal has its own words, in English (`banks.faults`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from quizapp.banks.faults import Fault
from quizapp.banks.parsed import source_words
from quizapp.ui.filters import page_language

if TYPE_CHECKING:
    from quizapp.banks.formats.sheet import Correction

#: code → what is wrong and what to do; a code that is not here says what its terminal words say.
WORDS: dict[str, LazyString] = {
    "sheet_columns": _l("没有一张表里有“题干（中文）”这一列。请用这里的模板填。"),
    "sheet_bank": _l("没有题库 %(bank)s。可以写：%(known)s"),
    "sheet_topic": _l("题库 %(bank)s 里没有主题 %(topic)s。可以写：%(known)s"),
    "sheet_long": _l("一次最多 %(most)s 道题，其余的另存一份再传。"),
    "sheet_example": _l("这一行是模板里的例子，没有当作题目。请删掉这一行。"),
    "sheet_example_left": _l("这一行里还有模板例子的内容：%(what)s。请删掉这一行，或每一列都写成自己的题。"),
    "sheet_id_twice": _l("第 %(other)s 行也写了编号 %(id)s。一道题只在一行里改；新题的编号请空着。"),
    "sheet_id_unknown": _l(
        "题库 %(bank)s 的主题 %(topic)s 里没有编号 %(id)s。新题请把编号空着；改题请照题目页上的编号填。"
    ),
    "sheet_id_elsewhere": _l(
        "%(id)s 是题库 %(bank)s、主题 %(topic)s 的题，这一行写的是 %(said_bank)s、%(said_topic)s。"
        "请照原来的题库和主题填；如果是新题，请清空编号。"
    ),
    "sheet_id_type": _l("%(id)s 原来是%(type_word)s题，题型不能改。请照原来的填；要换题型，请清空编号当新题写。"),
    "sheet_id_point": _l("%(id)s 原来考基准点 %(point)s，不能改。请照原来的填；要考别的点，请清空编号当新题写。"),
    "sheet_picture": _l(
        "“图片”一列写了“%(given)s”，但图不放在表格里。请空着（改题时原图不变）；不要原图了填“无”；新画的图随表格一起发。"
    ),
    "sheet_unchanged": _l("这一行和 %(id)s 现在的内容一样。请删掉这一行，或写上要改的地方。"),
    "cell_missing": _l("缺少：%(what)s。请填上。"),
    "cell_form": _l("%(what)s写成了“%(given)s”，样子不对。要写成这样：%(example)s"),
    "cell_choice": _l("%(what)s写成了“%(given)s”。只能写其中之一：%(wanted)s"),
    "cell_formula": _l("%(what)s里是一个公式，请直接写文字。"),
    "too_short": _l("%(what)s只有 %(length)s 个字，至少 %(least)s 个。"),
    "too_long": _l("%(what)s有 %(length)s 个字，最多 %(limit)s 个，请缩短。"),
    "out_of_range": _l("%(what)s写成了“%(given)s”，应在 %(low)s 到 %(high)s 之间。"),
    "wrong_count": _l("%(what)s有 %(given)s 个，应有 %(wanted)s 个。"),
    "repeated_entry": _l("%(what)s里有重复的，每样只写一次。"),
    "options_not_allowed": _l("判断题没有选项，请清空选项，或改题型。"),
    "option_order": _l("选项要从 A 起连续填，中间不能空。"),
    "key_unknown": _l("答案 %(key)s 不在选项里。"),
    "english_mark": _l("中文题干用 ** 标了词，英文没有。请两边标同一个词。"),
    "english_has_chinese": _l("%(what)s里有汉字，请译成英文。"),
    "chinese_missing": _l("%(what)s里没有汉字，请写中文。"),
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
    "use_both": _l("科学素质题要么用于测试，要么用于练习，用途不能写“都用”。"),
    "point_missing": _l("科学素质题要填基准点，1 到 132。"),
    "point_unknown": _l("标准里没有基准点 %(point)s，应为 1 到 132。"),
    "point_not_allowed": _l("只有科学素质题填基准点，这里请空着。"),
    "benchmark_mismatch": _l(
        "编号 %(id)s 属于基准 %(said)s，而基准点 %(point)s 属于基准 %(benchmark)s。请改基准点，或换成那个基准的主题。"
    ),
}


def fault_text(fault: Fault) -> str:
    """One fault of a sheet in the page's language, with the headings of its columns."""
    words = WORDS.get(fault.code)
    if words is None:
        return f"{fault.message}. {fault.cure}."
    from quizapp.banks.formats.sheet.columns import choice_words  # readers of files only where one comes

    language = page_language()
    data = dict(fault.data)
    column = str(data.get("column", ""))
    if column:
        data["what"] = _headings([column])
    if "columns" in data:
        data["what"] = _headings(data["columns"])
    if "codes" in data:
        data["wanted"] = choice_words(column, data["codes"], language)
    if "titles" in data:
        mark = "%s（%s）" if language == "zh" else "%s (%s)"
        named = [mark % (code, title[language]) for code, title in data["titles"].items()]
        data["known"] = ("、" if language == "zh" else ", ").join(named)
    if "type" in data:
        data["type_word"] = choice_words("type", [data["type"]], language)
    if fault.code == "cell_form" and column == "key":
        data["example"] = _("对、错") if data["example"] == "true, false" else data["example"]
    return str(words) % data


def correction_text(correction: Correction | None) -> str:
    """What becomes of the item of a row: a new one, or what is changed, what stays, and whether it must be approved again."""
    if correction is None:
        return str(_("新题，由另一个人审定以后才使用。"))
    said = [_("改了：%(columns)s。", columns=_headings(correction.changed))] if correction.changed else []
    if correction.picture == "stays":
        said.append(_("原来的图不变。"))
    elif correction.picture == "goes":
        said.append(_("原来的图不要了。"))
    if correction.replaces:
        said.append(
            _("依据里“代替 %(document)s”的说明不变。", document=source_words(correction.replaces, page_language()))
        )
    if correction.back_to_review:
        said.append(_("这道题原来已审定，改后回到待审，重新审定以前不使用。"))
    return ("" if page_language() == "zh" else " ").join(said)


def _headings(columns: Sequence[str]) -> str:
    """Columns by their headings in the page's language."""
    from quizapp.banks.formats.sheet.columns import BY_NAME

    zh = page_language() == "zh"
    return ("、" if zh else ", ").join(BY_NAME[name].zh if zh else BY_NAME[name].en for name in columns)
