"""Negative stems: questions that ask for what is not so, which a hurried reader takes for the opposite.

A rule over words, for Chinese as it is written in items. It is narrow where a negative word only tells of a case ("没戴头盔者", "不会游泳
的人"), sets two things apart ("是权利而不是义务"), gives a limit ("不应超过多少") or asks whether ("能不能").
"""

from __future__ import annotations

import re

from quizapp.banks.parsed import ParsedItem

#: A limit is asked for, not its opposite.
_NO_LIMIT = r"(?!(?:再|被)?(?:超过|少于|低于|高于|大于|小于|多于|晚于|早于|迟于|短于|长于|超出))"
#: Negative words. Not where two things are set apart, nor in "能不能", "是不是", "有没有".
_NEGATIVE = (
    r"(?<![而但却又且])(?:"
    r"不(?:正确|准确|恰当|合适|妥|当(?!班|地|年)|对(?!称|等|应|外|着)|属于|包括|包含|符|合(?!金|作|同)|允许|准(?!时)|许|该|需要|必|用(?!电|水|火|气)|"
    r"适合|适宜|安全|科学|合理|利于|足以|成立|存在|具备|具有)|"
    r"(?<!是)不是|(?<!应)不应当?|(?<!宜)不宜|(?<!能)不能够?|(?<!可)不可以?(?![再回降燃逆抗])|不得|(?<!会)不会|"
    r"(?<![有沉淹埋吞覆出趁])没(?:有|(?![有收落]))|未(?![来知成必婚])|无(?:法|关|需|效|益)|"
    rf"错误|有误|错的){_NO_LIMIT}"
)
#: Who or what is asked for.
_ASKED = r"(?:哪|谁|下列|以下|下面)"
#: Between the two: what is to be reached, which may well be that something does not happen.
_AIM = r"能[使让说证防保避]|最能|都能|足以|可以|使(?!用)|让|保证|防止|避免|说明|证明|判断|因为|由于|即使|如果"
_NEGATIVE_STEM = re.compile(
    rf"{_ASKED}(?:(?!{_AIM})[^，])*?({_NEGATIVE})|"
    rf"({_NEGATIVE})[^，的者时后前该应选用]{{0,6}}{_ASKED}|"
    rf"({_NEGATIVE})[^，的]{{0,12}}的(?:是|有(?![效益利用])|一项|选项)|({_NEGATIVE})[^，的]{{0,3}}的(?:做法|说法)|"
    rf"({_NEGATIVE})(?:做|用|吃|买|说|去)?什么|(除外|是例外|例外的[是有])"
)
#: "Which apart": the rest of the sentence tells what is so of the others.
_APART = re.compile(rf"除了?(?={_ASKED})")


def negative_word(item: ParsedItem) -> str | None:
    """The word by which a choice item asks for what is not so, or None."""
    if not item.options:
        return None
    # Only the last clause asks; what stands before is the situation, and what is quoted or in brackets is aside.
    stem = re.sub(r"“[^”]*”|（[^）]*）|\*\*", "", item.stem["zh"])
    sentence = re.split(r"[。；：！]", stem.strip("。？ "))[-1]
    if apart := _APART.search(sentence):
        return apart.group()
    found = _NEGATIVE_STEM.search(sentence.split("，")[-1])
    return next(group for group in found.groups() if group) if found else None
