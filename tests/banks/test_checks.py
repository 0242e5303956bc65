"""Each check refuses or warns at its limits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import pytest

from quizapp.banks.checks import CHECKS, check_banks
from quizapp.banks.checks.coverage import blueprint_faults, health_faults, literacy_faults, worst_guess_pass
from quizapp.banks.checks.duplicates import duplicate_faults
from quizapp.banks.checks.items import item_faults, negative_word, option_numbers
from quizapp.banks.checks.shares import FEWEST, share_faults
from quizapp.banks.checks.texts import language_faults
from quizapp.banks.faults import WORDS, Fault
from quizapp.banks.formats.yaml_bank import Reading
from quizapp.banks.parsed import ParsedBanks, ParsedBenchmark, ParsedBlueprint, ParsedItem, ParsedTopic
from tests.banks.files import character, make_banks, make_item, make_true_false, told

TODAY = date(2026, 11, 24)


def faults_of(item: ParsedItem) -> list[tuple[str, str]]:
    return told(list(item_faults(item, TODAY)))


def both(zh: str, en: str = "A question?") -> dict[str, str]:
    return {"zh": zh, "en": en}


def test_a_sound_item_has_no_fault():
    assert faults_of(make_item()) == []
    assert faults_of(make_true_false("SAF-FIRE-002", true=True)) == []


CITATION = {"document": "消防安全手册", "article": "第六条", "year": 2021}
OPTIONS = {"a": "往锅里倒一碗清水", "b": "盖上锅盖并关火", "c": "端锅跑到室外", "d": "用湿手拍打火苗"}

#: What is changed in a sound item, and the fault.
SPOILT = [
    ({"options": {"a": "甲地", "c": "乙处", "b": "丙方", "d": "丁点"}}, "option_order"),
    ({"key": ("e",)}, "key_unknown"),
    ({"stem": both("长" * 61)}, "stem_too_long"),
    ({"stem": both("长" * 161), "stimulus": "situation"}, "stem_too_long"),
    ({"audience": ()}, "audience_missing"),
    ({"options": {**OPTIONS, "b": "盖上锅盖并关火。"}}, "option_ends"),
    ({"stem": both("下列哪种做法**不对？")}, "mark_unbalanced"),
    ({"stem": both("灭火时，下列做法不正确的是哪一个？")}, "negative_unmarked"),
    ({"options": {**OPTIONS, "d": "以上都是"}}, "all_of_above"),
    ({"options": {**OPTIONS, "d": "都不正确"}}, "all_of_above"),
    ({"options": {**OPTIONS, "d": "盖上锅盖，并关火"}}, "option_same"),
    ({"options": {**OPTIONS, "d": "盖上锅盖并关火再跑"}}, "option_inside"),
    ({"options": {"a": "3年", "b": "2年", "c": "5年"}, "ordered": True}, "numbers_not_ascending"),
    ({"options": {"a": "2年", "b": "3年", "c": "5年"}}, "numbers_not_ordered"),
    ({"options": {"a": "甲厂", "b": "乙厂", "c": "丙厂", "d": "丁厂"}}, "labels_not_ordered"),
    ({"options": {"a": "第①句", "b": "第②句", "c": "第③句", "d": "第④句"}}, "labels_not_ordered"),
    ({"stem": both("为什么灭火先要盖上锅盖并关火呢？")}, "stem_echo"),
    ({"rationale": both("太短了。")}, "rationale_length"),
    ({"rationale": both("长" * 121)}, "rationale_length"),
    ({"stem": both("锅盖隔绝了空气，火就会熄灭；而水遇到热油会炸开，把燃着的油溅到身上和灶台上，更加危险。")}, "rationale_copy"),
    ({"citation": {**CITATION, "article": "全文"}}, "article_vague"),
    ({"citation": {**CITATION, "article": {"zh": "第六条", "en": "n/a"}}}, "article_vague"),
    ({"citation": {**CITATION, "valid_until": "2026-10"}}, "citation_expired"),
    ({"citation": {**CITATION, "document": both("中华人民共和国大气污染防治法", "Air Law")}}, "stale"),
    ({"citation": {**CITATION, "document": "GB 2894-2008 安全标志"}}, "stale"),
    ({"citation": {**CITATION, "document": "危险化学品安全管理条例"}}, "stale"),
    ({"citation": {"document": "中华人民共和国安全生产法", "article": "第三条", "year": 2014}}, "stale"),
    ({"options": {**OPTIONS, "b": "每天吃盐不超过6克"}}, "stale"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "code"), SPOILT, ids=[f"{s[1]}-{n}" for n, s in enumerate(SPOILT)])
def test_an_item_is_refused_for_one_fault(values, code):
    assert faults_of(make_item(**values)) == [(code, "refuse")]


def test_an_option_that_stands_out_by_its_length_is_refused_in_chinese_and_told_in_english():
    found = faults_of(make_item(options={**OPTIONS, "b": "盖住"}))
    assert found == [("option_lengths", "refuse"), ("option_lengths", "warn")]


def test_a_situation_may_be_longer():
    assert faults_of(make_item(stem=both("长" * 61), stimulus="situation")) == []


def test_a_month_of_review_that_has_passed_is_only_told():
    assert faults_of(make_item(review_by="2026-10")) == [("review_due", "warn")]
    assert faults_of(make_item(review_by="2026-11")) == []


def test_an_echo_of_three_or_four_pairs_is_only_told():
    assert faults_of(make_item(stem=both("灭火时锅盖并关火哪样先？"))) == [("stem_echo", "warn")]


def test_an_old_limit_may_be_a_distractor_and_a_false_statement():
    assert faults_of(make_item(options={**OPTIONS, "c": "每天吃盐不超过6克"})) == []
    stem = both("成年人每天吃盐不超过6克就好。")
    assert faults_of(make_true_false("SAF-FIRE-003", true=False, stem=stem)) == []
    assert faults_of(make_true_false("SAF-FIRE-003", true=True, stem=stem)) == [("stale", "refuse")]


@pytest.mark.parametrize(
    ("stem", "word"),
    [
        ("下列做法不正确的是？", "不正确"),
        ("燃气泄漏时，不能做的是哪件事？", "不能"),
        ("以下哪项不属于可回收物？", "不属于"),
        ("下列垃圾都能回收，除外的是？", "除外"),
        ("淘米水能不能让绿萝长得更好，哪种安排最能说明问题？", None),
        ("有人说“凡是喝茶的人都不会感冒”，出现哪种情况就足以推翻它？", None),
        ("不会游泳的人看见有人落水，最稳妥的救法是什么？", None),
    ],
)
def test_a_negative_question_is_told_from_a_negative_situation(stem, word):
    assert negative_word(make_item(stem=both(stem))) == word


def test_numbers_are_compared_only_between_the_same_words():
    def numbers(*texts: str) -> list[tuple[float, ...]] | None:
        return option_numbers(make_item(options=dict(zip("abcd", texts, strict=False))).options)

    assert numbers("1,000元", "２０００元", "3000.5元") == [(1000,), (2000,), (3000.5,)]
    assert numbers("6月5日", "8月15日", "9月1日") == [(6, 5), (8, 15), (9, 1)]
    assert numbers("1年", "2个月", "3天") is None
    assert numbers("甲", "乙", "丙") is None


def test_a_number_within_a_longer_number_is_no_overlap():
    item = make_item(options={"a": "2个月", "b": "12个月", "c": "24个月"}, ordered=True)
    assert faults_of(item) == []


def test_both_languages_are_what_they_claim_to_be():
    item = make_item(stem={"zh": "What first?", "en": "先做什么？"})
    assert told(list(language_faults(item))) == [("english_has_chinese", "refuse"), ("chinese_missing", "refuse")]
    marked = make_item(stem={"zh": "哪项是**不能**做的？", "en": "Which must not be done?"})
    assert told(list(language_faults(marked))) == [("english_mark", "refuse")]


def test_a_source_is_in_both_languages_before_the_item_is_approved():
    def told_of(state: str = "approved", **citation: object) -> list[tuple[str, object]]:
        item = make_item(state=state, citation={**make_item().citation, **citation})
        return [(fault.code, fault.data["what"]) for fault in language_faults(item)]

    assert told_of() == []
    assert told_of(document="消防安全手册") == [("citation_one_language", "citation.document")]
    assert told_of(replaces="消防安全手册（2009）") == [("citation_one_language", "citation.replaces")]
    assert told_of(state="in_review", document="消防安全手册", article="第六条") == []
    assert told_of(document="Fire Safety Handbook", article="pp. 3–4") == [], "read by both as it stands"
    assert told_of(article=both("第六条", "Article 六")) == [("english_has_chinese", "citation.article.en")]


def test_what_stands_twice_is_refused_where_it_stands_second():
    first, again = make_item("SAF-FIRE-001", line=5), make_item("SAF-FIRE-001", line=30)
    assert {(fault.code, fault.line) for fault in duplicate_faults(make_banks(first, again))} == {
        ("duplicate_id", 30),
        ("duplicate_stem", 30),
    }
    texts = [
        "下列几种能源，哪一种属于可再生能源？",
        "下列几种能源中，哪一种属于可再生能源？",
        "下列几种能源里面，属于可再生能源的是哪一种？",
    ]
    items = [make_item(f"SAF-FIRE-{n}", stem=both(text)) for n, text in enumerate(texts)]
    found = [(fault.code, str(fault.level), fault.data["other"]) for fault in duplicate_faults(make_banks(*items))]
    assert ("near_duplicate", "refuse", "SAF-FIRE-0") in found


def test_a_topic_in_two_files_is_refused():
    topics = [ParsedTopic("safety", "fire", both("消防"), (), file) for file in ("safety/a.yaml", "safety/b.yaml")]
    (fault,) = duplicate_faults(ParsedBanks(tuple(topics)))
    assert (fault.code, fault.file, fault.data["other"]) == ("duplicate_topic", "safety/b.yaml", "safety/a.yaml")


def shares(items: Iterable[ParsedItem]) -> dict[str, str]:
    """Faults of a bank as a whole, by code, with their level."""
    return {fault.code: str(fault.level) for fault in share_faults(make_banks(*items))}


def choices(count: int, lengths: dict[str, int], keys: str = "abcd") -> list[ParsedItem]:
    """Single-choice items with options of these lengths, the key going round."""
    return [
        make_item(
            f"SAF-FIRE-{n}",
            options={
                o: character(40 * n + i) * (lengths["key"] if o == keys[n % len(keys)] else lengths[f"other{i}"])
                for i, o in enumerate("abcd")
            },
            key=(keys[n % len(keys)],),
            stem=both("这是一个二十个字左右的题干用来测试长度"),
        )
        for n in range(count)
    ]


EVEN = {"key": 5, "other0": 5, "other1": 5, "other2": 5, "other3": 5}


def test_a_balanced_bank_has_no_fault():
    assert shares(choices(24, EVEN)) == {}


def test_keys_that_are_the_longest_option_are_refused():
    found = shares(choices(24, {**EVEN, "key": 9}))
    assert found == {"longest_is_key": "refuse", "longest_is_key_all": "refuse", "key_length": "refuse"}


def test_the_limits_of_the_longest_option():
    def mixed(hits: int, total: int = 40) -> dict[str, str]:
        longest = choices(hits, {**EVEN, "key": 6})
        other = []
        for n in range(total - hits):
            # The option after the key is the longest one.
            options = {o: character(1800 + 9 * n + i) * (5 + (o == "abcd"[(n + 1) % 4])) for i, o in enumerate("abcd")}
            other.append(make_item(f"SAF-HOME-{n}", options=options, key=("abcd"[n % 4],), stem=longest[0].stem))
        return {code: level for code, level in shares([*longest, *other]).items() if code.startswith("longest_is_key")}

    assert mixed(10) == {}
    assert mixed(13) == {"longest_is_key_all": "refuse"}
    assert mixed(14) == {"longest_is_key": "refuse", "longest_is_key_all": "refuse"}
    assert mixed(17) == {"longest_is_key": "refuse", "longest_is_key_all": "refuse"}


def test_keys_that_are_the_shortest_option_are_told():
    assert shares(choices(24, {**EVEN, "key": 3})) == {"shortest_is_key": "warn", "key_length": "warn"}


def test_keys_at_one_letter_are_refused():
    found = shares(choices(24, EVEN, keys="bbbbac"))
    assert found == {"key_balance": "refuse", "key_run": "warn"}
    assert shares(choices(24, EVEN, keys="bbbbbacd"))["key_run"] == "refuse"


def test_true_and_false_are_half_and_half():
    def mixed(true: int, total: int = 20) -> dict[str, str]:
        stem = both("这是一个二十个字左右的题干用来测试长度")
        return shares([make_true_false(f"SAF-FIRE-{n}", true=n < true, stem=stem) for n in range(total)])

    assert mixed(10) == {}
    assert mixed(9) == {}
    assert mixed(8) == {"true_share": "refuse"}
    assert mixed(12) == {"true_share": "refuse"}
    assert mixed(13) == {"true_share": "refuse"}
    assert mixed(0, FEWEST - 1) == {}


@pytest.mark.parametrize(
    ("zh", "en"),
    [("这样做在任何时候都算得上是安全的好做法", "So"), ("这样做算得上是安全的好做法吧你说是不是呢", "Always")],
)
def test_absolute_words_give_nothing_away(zh, en):
    def mixed(in_false: int, in_true: int) -> dict[str, str]:
        items = []
        for n in range(40):
            word = n // 2 < (in_true if n % 2 else in_false)
            stem = both(zh, en) if word else both("这是一个二十个字左右的题干用来测试长度", "So")
            items.append(make_true_false(f"SAF-FIRE-{n}", true=bool(n % 2), stem=stem))
        return shares(items)

    assert mixed(7, 5) == {}
    assert mixed(8, 5) == {"absolute_words": "refuse"}
    assert mixed(0, 9) == {}


def test_rare_characters_are_few():
    def mixed(rare: int) -> dict[str, str]:
        stems = ["这是一个二十个字左右的题干用来测试长度"] * (20 - rare) + [
            "这是一个二十个字左右的龘干用来测试长度"
        ] * rare
        return shares(
            make_true_false(f"SAF-FIRE-{n}", true=n % 2 == 0, stem=both(s, "So")) for n, s in enumerate(stems)
        )

    assert mixed(7) == {}
    assert mixed(8) == {"rare_characters": "refuse"}


def test_the_points_of_health_literacy_are_covered_once_they_are_named():
    def missing(*tags: str) -> str:
        topic = make_banks(make_item(bank="health", tags=tags))
        return "".join(fault.data["points"] for fault in health_faults(topic))

    assert missing() == ""
    assert missing(*(f"hl66_{n:02}" for n in range(1, 66))) == "66"
    assert missing(*(f"hl66_{n:02}" for n in range(1, 67))) == ""


def test_all_options_right_is_rare():
    def multiple(key: str, n: int) -> ParsedItem:
        return make_item(f"SAF-FIRE-{n}", type="multiple_choice", key=tuple(key))

    assert shares([multiple("abcd", 0), *(multiple("ab", n) for n in range(1, 4))]) == {}
    assert shares([multiple("abcd", 0), multiple("ab", 1)]) == {"all_options_right": "refuse"}


def test_negative_stems_are_rare():
    def mixed(negative: int) -> dict[str, str]:
        items = choices(40, EVEN)
        stem = both("这是一个二十个字的题干，下列哪项**不属于**它？")
        asked = [replace(item, stem=stem) for item in items[:negative]]
        return shares([*asked, *items[negative:]])

    assert mixed(4) == {}
    assert mixed(5) == {"negative_share": "warn"}
    assert mixed(7) == {"negative_share": "refuse"}


def test_hedges_in_the_key_alone_are_told():
    items = choices(24, EVEN)
    hedged = []
    for item in items[:4]:
        options = tuple(replace(o, zh="通常会着火" if o.id in item.key else o.zh) for o in item.options)
        hedged.append(replace(item, options=options))
    assert shares([*hedged, *items[4:]]) == {"hedge_share": "warn"}


def test_stems_that_are_long_on_the_whole_are_told():
    items = [make_true_false(f"SAF-FIRE-{n}", true=n % 2 == 0, stem=both("长" * 50)) for n in range(20)]
    assert shares(items) == {"stem_lengths": "warn"}


def literacy(short: int = 0, **values: object) -> ParsedBanks:
    """Items for the test on 26 benchmarks of four points each, two a point; the last `short` items are left out."""
    benchmarks = tuple(
        ParsedBenchmark(b, both("名"), both("题"), {(b - 1) * 4 + p: both("点") for p in range(1, 5)})
        for b in range(1, 27)
    )
    items = [
        make_item(
            f"LIT-B{b:02}-{n + 1}",
            **{"bank": "literacy", "topic": f"b{b:02}", "file": "literacy/all.yaml", "use": "test", **values},
            point=(b - 1) * 4 + n // 2 + 1,
        )
        for b in range(1, 27)
        for n in range(8)
    ]
    kept = tuple(items[: len(items) - short])
    return ParsedBanks((ParsedTopic("literacy", "all", both("全"), kept, "literacy/all.yaml"),), benchmarks)


def test_the_literacy_bank_covers_every_benchmark_and_point_for_the_test():
    assert list(literacy_faults(literacy())) == []
    assert [(f.code, f.data) for f in literacy_faults(literacy(1))] == [
        ("benchmark_items", {"benchmark": 26, "count": 7, "least": 8}),
        ("point_cover", {"least": 2, "points": "104", "count": 1}),
    ]
    assert {f.code for f in literacy_faults(literacy(state="draft"))} == {"benchmark_items", "point_cover"}
    assert {f.code for f in literacy_faults(literacy(use="practice"))} == {"benchmark_items", "point_cover"}


def test_a_literacy_item_is_for_the_test_or_for_practice():
    assert "use_both" in {f.code for f in literacy_faults(literacy(use="both"))}


def test_points_stand_in_literacy_items_and_belong_to_the_standard():
    def codes(item: ParsedItem, standard: bool = True) -> list[str]:
        whole = literacy()
        topic = ParsedTopic("literacy", "x", both("题"), (item,), "literacy/x.yaml")
        banks = ParsedBanks((*whole.topics, topic), whole.benchmarks if standard else ())
        return [fault.code for fault in literacy_faults(banks)]

    item = {"bank": "literacy", "topic": "x", "file": "literacy/x.yaml", "use": "practice"}
    assert codes(make_item("LIT-B01-9", point=1, **item)) == []
    assert codes(make_item("LIT-B01-9", point=None, **item)) == ["point_missing"]
    assert codes(make_item("LIT-B01-9", point=131, **item)) == ["point_unknown"]
    assert codes(make_item("LIT-B01-9", point=6, **item)) == ["benchmark_mismatch"]
    assert codes(make_item("LIT-B01-9", point=1, **item), standard=False) == ["no_standard"]
    assert codes(make_item("SAF-FIRE-001", point=1)) == ["point_not_allowed"]


RULES = {"items": 4, "types": {"true_false": 2, "single_choice": 2}, "points_each": 25, "pass_score": 75, "minutes": 5}


def of_blueprint(bank: str = "safety", **rules: object) -> list[Fault]:
    items = [make_item(f"SAF-FIRE-{n}") for n in range(2)] + [
        make_true_false(f"SAF-FIRE-{n}", true=True) for n in range(2, 4)
    ]
    blueprint = ParsedBlueprint("quiz", bank, both("题"), both("述"), {**RULES, **rules}, "blueprints.yaml", 3)
    banks = ParsedBanks(make_banks(*items).topics, (), (blueprint,))
    return list(blueprint_faults(banks))


def test_a_blueprint_that_the_bank_fills_has_no_fault():
    assert of_blueprint() == []


@pytest.mark.parametrize(
    ("bank", "rules", "code", "words"),
    [
        ("health", {}, "blueprint_bank", "health"),
        ("safety", {"topics": {"names": ["fire", "water"], "min": 0}}, "blueprint_topic", "water"),
        ("safety", {"topics": {"counts": {"water": 1}}}, "blueprint_topic", "water"),
        ("safety", {"difficulty": {"5": 3}}, "blueprint_short", "difficulty 5 has 0 of 3"),
        ("safety", {"pass_score": 110}, "blueprint_score", "110 of 100"),
        ("safety", {"items": 5, "types": {"true_false": 2, "single_choice": 3}}, "blueprint_short", "single_choice has 2 of 3"),
        ("safety", {"guess_pass_max": 0.1}, "blueprint_guess", "at most 10 %"),
    ],
)  # fmt: skip
def test_a_blueprint_that_cannot_be_kept_is_refused(bank, rules, code, words):
    found = [fault for fault in of_blueprint(bank, **rules) if fault.code == code and words in fault.message]
    assert [(fault.file, fault.line, bool(fault.cure)) for fault in found] == [("blueprints.yaml", 3, True)]


def test_the_worst_paper_takes_the_items_that_are_easiest_to_guess():
    items = [make_item(f"SAF-FIRE-{n}") for n in range(3)]
    three = [make_item("SAF-FIRE-9", options={"a": "甲甲", "b": "乙乙", "c": "丙丙"})]
    rules = {"types": {"single_choice": 1}, "points_each": 100, "pass_score": 60}
    assert worst_guess_pass(rules, items) == 0.25
    assert worst_guess_pass(rules, items + three) == pytest.approx(1 / 3)


def test_faults_come_in_the_order_of_the_files():
    banks = make_banks(make_item("SAF-FIRE-002", line=30, key=("e",)), make_item("SAF-FIRE-001", line=5, key=("e",)))
    assert [fault.line for fault in check_banks(Reading(banks), TODAY)] == [5, 30]


def test_every_fault_has_words_and_every_check_a_line_in_the_help():
    for code, (message, cure) in WORDS.items():
        assert not message.endswith("."), code
        assert not cure.endswith("."), code
    import inspect

    from quizapp.banks.checks import coverage, duplicates, items, shares, stale, texts

    source = "".join(inspect.getsource(module) for module in (coverage, duplicates, items, shares, stale, texts))
    for check in CHECKS:
        assert f'"{check}"' in source, check
