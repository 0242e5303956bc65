"""The columns of the sheet: their headings, what may stand in them, and how the words of people become the codes of the files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Heading:
    """One column: its name here, its headings, and what stands in it."""

    name: str
    zh: str
    en: str
    help: str


OPTIONS = "abcde"
HEADINGS: tuple[Heading, ...] = (
    Heading(
        "id",
        "编号",
        "Id",
        "新题空着，自动编号；改题填原编号，只填要改的格 / empty for a new item; to correct one, its id and only what changes",
    ),
    Heading("bank", "题库", "Bank", "safety, energy_environment, health, literacy"),
    Heading("topic", "主题", "Topic", "主题的代码，见第二张表 / code of a topic, from the second sheet"),
    Heading("type", "题型", "Type", "判断 true/false, 单选 single choice, 多选 multiple choice"),
    Heading("use", "用途", "Use", "测试 test, 练习 practice, 都用 both"),
    Heading("dimension", "考什么", "Ability", "知识 knowledge, 方法 method, 精神 spirit, 应用 application"),
    Heading("difficulty", "难度", "Difficulty", "1 很容易 … 5 难 / 1 very easy … 5 hard"),
    Heading("point", "基准点", "Benchmark point", "只有 literacy 要填，1–132 / literacy only"),
    Heading("tags", "标签", "Tags", "英文小写代码，逗号分开 / codes with commas, such as hot_work, ppe"),
    Heading("audience", "给谁做", "Audience", "resident, pupil, driver … 逗号分开 / with commas"),
    Heading(
        "stimulus",
        "材料",
        "Stimulus",
        "给了情境、表、图才填 / only where it gives one: situation, table, chart, picture",
    ),
    Heading(
        "image",
        "图片",
        "Picture",
        "改题时原图不变，不要图了填 无；新图随表格另发 / a picture stays; none takes it away; send a new one beside the file",
    ),
    Heading(
        "stem.zh",
        "题干（中文）",
        "Stem (Chinese)",
        "不超过60字；有材料的不超过160字 / at most 60 Chinese characters, 160 with a stimulus",
    ),
    Heading("stem.en", "题干（英文）", "Stem (English)", "和中文说的一样 / says what the Chinese says"),
    *(
        Heading(f"{letter}.{language}", f"选项{letter.upper()}（{zh}）", f"Option {letter.upper()} ({en})", "")
        for letter in OPTIONS
        for language, zh, en in (("zh", "中文", "Chinese"), ("en", "英文", "English"))
    ),
    Heading(
        "ordered",
        "选项按顺序",
        "Keep order",
        "选项是数或甲乙丙丁时填 是 / yes where the options are numbers or labels (A, B, C)",
    ),
    Heading("key", "答案", "Key", "对/错 true/false；b；a,c"),
    Heading(
        "rationale.zh",
        "解析（中文）",
        "Rationale (Chinese)",
        "25–120字：为什么对，为什么最像对的那个错 / why it is right and the likeliest wrong answer wrong",
    ),
    Heading("rationale.en", "解析（英文）", "Rationale (English)", ""),
    Heading("citation.document.zh", "依据文件（中文）", "Source (Chinese)", "文件全名 / full name of the document"),
    Heading(
        "citation.document.en",
        "依据文件（英文）",
        "Source (English)",
        "正式或通行的英文名 / its official or usual title",
    ),
    Heading("citation.article.zh", "条款或页（中文）", "Article or page (Chinese)", "第几条、第几章 / where in it"),
    Heading("citation.article.en", "条款或页（英文）", "Article or page (English)", "Article 64, Chapter 3, p. 12"),
    Heading("citation.year", "年份", "Year", "现行版本的年份 / of the version in force"),
    Heading("citation.valid_until", "依据有效至", "Source valid until", "2027-12，知道才填 / if known"),
    Heading("review_by", "复查期限", "Review by", "到这个月再看一遍 / looked at again by: 2028-12"),
    Heading("fact", "考的事实", "Fact", "同一个事实用同一个代码 / one fact, one code"),
    Heading("objective.zh", "考点（中文）", "Objective (Chinese)", "知道……、会…… / what it asks, in few words"),
    Heading("objective.en", "考点（英文）", "Objective (English)", ""),
)
#: Name → heading; "options" stands for all of its columns.
BY_NAME = {heading.name: heading for heading in HEADINGS} | {"options": Heading("options", "选项", "Options", "")}
#: Heading or name, as a file has it → name.
BY_HEADING = {words.casefold(): h.name for h in HEADINGS for words in (h.zh, h.en, h.name)} | {
    # of templates from before sources had two languages
    "依据文件": "citation.document.zh",
    "source": "citation.document.zh",
    "条款或页": "citation.article.zh",
    "article or page": "citation.article.zh",
}

#: Column → code of the files → what people write for it, Chinese and English.
CHOICES: dict[str, dict[str, tuple[str, str]]] = {
    "bank": {
        "safety": ("安全", "Safety"),
        "energy_environment": ("节能环保", "Energy and environment"),
        "health": ("健康", "Health"),
        "literacy": ("科学素质", "Scientific literacy"),
    },
    "type": {
        "true_false": ("判断", "True/false"),
        "single_choice": ("单选", "Single choice"),
        "multiple_choice": ("多选", "Multiple choice"),
    },
    "use": {"test": ("测试", "Test"), "practice": ("练习", "Practice"), "both": ("都用", "Both")},
    "dimension": {
        "knowledge": ("知识", "Knowledge"),
        "method": ("方法", "Method"),
        "spirit": ("精神", "Spirit"),
        "application": ("应用", "Application"),
    },
    "stimulus": {
        "situation": ("情境", "Situation"),
        "table": ("表", "Table"),
        "chart": ("图表", "Chart"),
        "picture": ("图", "Picture"),
    },
    "audience": {
        "head_of_enterprise": ("企业主要负责人", "Heads of enterprises"),
        "safety_officer": ("安全管理员", "Safety officers"),
        "market_manager": ("市场管理者", "Market managers"),
        "demolition_crew": ("拆除班组", "Demolition crews"),
        "hospitality_staff": ("宾馆、娱乐场所员工", "Hotel and entertainment staff"),
        "driver": ("驾驶员", "Drivers"),
        "resident": ("居民", "Residents"),
        "pupil": ("中小学生", "Pupils"),
    },
}
#: Where the code itself is written, not a word for it.
_WRITTEN_AS_CODE = ("bank", "audience")
_CODES = {
    column: {word.casefold(): code for code, words in codes.items() for word in (code, *words, f"{words[0]}题")}
    for column, codes in CHOICES.items()
}
#: What takes an optional thing away; and what says that a picture stays.
NONE = frozenset({"无", "none", "-", "—"})
STAYS = frozenset({"不变", "保留", "有", "keep", "stays", "yes"})
YES = frozenset({"是", "yes", "y", "true", "1"})
NO = frozenset({"否", "no", "n", "false", "0"})
TRUE = frozenset({"对", "正确", "true", "t", "√", "1"})
FALSE = frozenset({"错", "错误", "false", "f", "×", "0"})

#: How a column looks, where a form is asked of it.
EXAMPLES: dict[str, str] = {
    "topic": "fire",
    "difficulty": "3",
    "point": "28",
    "tags": "hot_work, ppe",
    "audience": "resident, pupil",
    "key": "b",
    "citation.year": "2021",
    "citation.valid_until": "2027-12",
    "review_by": "2028-12",
}


def code_of(column: str, text: str) -> str:
    """The code of the files for what somebody wrote: 单选 and "Single choice" are single_choice; what is not known stays."""
    return _CODES[column].get(text.strip().casefold(), text)


def choice_words(column: str, codes: Sequence[str], language: str) -> str:
    """What may be written in a column, in a language: "判断、单选、多选"."""
    words = CHOICES.get(column, {}) if column not in _WRITTEN_AS_CODE else {}
    shown = [words[code][language != "zh"] if code in words else code for code in codes]
    return ("、" if language == "zh" else ", ").join(shown)


def column_of(at: str, letters: Sequence[str] = OPTIONS) -> str:
    """The column of a field of an item, as a fault names it: "options.2.en" and "option c.en" are c.en, "stem" is stem.zh.

    `letters`: the ids of the options that the item has.
    """
    head, _, rest = at.partition(".")
    if at in BY_NAME:
        return at
    if head == "options":
        position, _, language = rest.partition(".")
        return f"{letters[int(position)]}.{language or 'zh'}" if position else head
    if head.startswith("option "):
        return f"{head.removeprefix('option ')}.{rest or 'zh'}"
    if head in ("stem", "rationale", "objective"):
        return f"{head}.{rest or 'zh'}"
    if head == "citation":
        return f"{head}.{rest or 'document'}.zh"
    return head
