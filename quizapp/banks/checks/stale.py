"""What is out of date: withdrawn documents and replaced limits. Reviewed 2026-11.

A withdrawn document must not be cited. A replaced limit must not be the right answer; as a distractor it is a good one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from quizapp.banks.checks.making import refuse, warn
from quizapp.banks.faults import Fault
from quizapp.banks.parsed import ParsedItem, source_words


class Stale(NamedTuple):
    """A pattern, why it is out of date, and what to use instead."""

    pattern: re.Pattern[str]
    why: str
    cure: str


#: The ten laws that became part of the Ecological and Environmental Code.
_IN_THE_CODE = (
    "环境保护法|环境影响评价法|海洋环境保护法|大气污染防治法|水污染防治法|土壤污染防治法|固体废物污染环境防治法|"
    "噪声污染防治法|环境噪声污染防治法|放射性污染防治法|清洁生产促进法"
)

#: Documents that may not be cited any more.
DOCUMENTS = (
    Stale(
        re.compile(rf"^(中华人民共和国)?({_IN_THE_CODE})$"),
        "it ceased on 2026-08-15",
        "Cite the article of 生态环境法典",
    ),
    Stale(re.compile(r"GB\s*/?T?\s*3608\s*[-—]\s*2008"), "it was replaced in 2025", "Cite GB/T 3608-2025 or the law"),
    Stale(
        re.compile(r"GB\s*(2893|2894)\s*[-—]\s*2008|GB\s*7231\s*[-—]\s*2003"),
        "GB 2894-2025 replaced it on 2026-03-01",
        "Cite GB 2894-2025",
    ),
    Stale(
        re.compile(r"危险化学品安全管理条例"),
        "the law took its place on 2026-05-01",
        "Cite 危险化学品安全法",
    ),
    Stale(re.compile(r"GB\s*3095\s*[-—]\s*2012"), "GB 3095-2026 replaced it", "Cite GB 3095-2026"),
    Stale(re.compile(r"HJ\s*633\s*[-—]\s*2012"), "HJ 633-2026 replaced it", "Cite HJ 633-2026"),
    Stale(re.compile(r"GB\s*17761\s*[-—]\s*2018"), "GB 17761-2024 replaced it", "Cite GB 17761-2024"),
)

#: Law → the year from which its present articles count; an older year cites numbers that no longer hold.
EDITIONS = {
    "安全生产法": 2021,
    "突发事件应对法": 2024,
    "治安管理处罚法": 2025,
    "传染病防治法": 2025,
    "科学技术普及法": 2024,
    "消防法": 2021,
    "道路交通安全法": 2021,
}

#: Limits and names that may not be the right answer.
ANSWERS = (
    Stale(
        re.compile(r"PM\s*2\.5.{0,12}(年均|年平均).{0,8}35|PM\s*2\.5.{0,12}(日均|24小时).{0,8}75"),
        "GB 3095-2026 has other limits",
        "Use 30 a year, 60 a day",
    ),
    Stale(re.compile(r"盐.{0,12}(?<!\d)6\s*(克|g)"), "the guideline is 5 g a day", "Use 5 g"),
    Stale(re.compile(r"全国科普日"), "the law names September 全国科普月", "Use 全国科普月"),
    Stale(re.compile(r"传染病.{0,12}39种|39种.{0,12}传染病"), "the law of 2025 names 40", "Do not ask for the number"),
    Stale(
        re.compile(r"(环境保护法|法律).{0,12}6月5日.{0,6}环境日"),
        "the code no longer names the day",
        "Ask for 全国生态日, 8月15日",
    ),
)


def stale_faults(item: ParsedItem, today: date) -> Iterator[Fault]:
    """E3: what the item cites or keys is out of date, or its own dates have passed."""
    document = source_words(item.citation["document"]).strip("《》 ")
    for stale in DOCUMENTS:
        if found := stale.pattern.search(document):
            yield refuse(item, "E3", "stale", "citation", found=found.group(), why=stale.why, cure=stale.cure)
    for law, year in EDITIONS.items():
        if document.removeprefix("中华人民共和国") == law and item.citation["year"] < year:
            found_text, why = f"{law} {item.citation['year']}", f"the articles of {year} have other numbers"
            cure = f"Look the article up in the text of {year}"
            yield refuse(item, "E3", "stale", "citation", found=found_text, why=why, cure=cure)
    for stale in ANSWERS:
        if found := stale.pattern.search(_asserted(item)):
            at = "key" if item.options else "stem"
            yield refuse(item, "E3", "stale", at, found=found.group(), why=stale.why, cure=stale.cure)
    month = f"{today.year:04}-{today.month:02}"
    until = item.citation.get("valid_until")
    if until and until < month:
        yield refuse(item, "E3", "citation_expired", "citation", until=until)
    if item.review_by < month:
        yield warn(item, "E3", "review_due", "review_by", by=item.review_by)


def _asserted(item: ParsedItem) -> str:
    """What the item teaches as right: stem and right options; of a true/false item its stem, if it is true."""
    if item.options:
        return item.stem["zh"] + "：" + "；".join(o.zh for o in item.options if o.id in item.key)
    return item.stem["zh"] if item.is_true else ""
