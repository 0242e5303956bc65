"""What pages say of two people and of merging them. A part that brings a new kind of rows brings its words here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from quizapp.core.registry import MergeFact
from quizapp.organisation.models import PersonSource


@dataclass(frozen=True)
class FactWords:
    """A kind of rows: its name with the measure word, what moves (%(count)s), and what becomes of doubles (%(count)s)."""

    label: LazyString
    moves: LazyString
    both: LazyString | None = None


FACT_WORDS: dict[str, FactWords] = {
    "account": FactWords(_l("登录账号（个）"), _l("登录账号转给留下的人，密码不变")),
    "attempts": FactWords(
        _l("答卷（份）"),
        _l("移过去 %(count)s 份答卷，答卷当天的单位等资料不变"),
        _l("有 %(count)s 次测验两人都有首次答卷，首次要重新认定，一般是较早的那份"),
    ),
    "attendances": FactWords(
        _l("签到（次）"),
        _l("移过去 %(count)s 次签到"),
        _l("有 %(count)s 场两人都签到了，只算一次，一般是较早的那次"),
    ),
    "registrations": FactWords(
        _l("报名（场）"),
        _l("移过去 %(count)s 场报名"),
        _l("有 %(count)s 场两人都报了名，只占一个名额"),
    ),
    "roster_entries": FactWords(
        _l("在册（场）"),
        _l("移过去 %(count)s 场名册"),
        _l("有 %(count)s 场两人都在名册上，只算一人"),
    ),
    "certificates": FactWords(
        _l("证书（张）"),
        _l("移过去 %(count)s 张证书"),
        _l("有 %(count)s 期两人都有有效证书，并入的那张留在原来的名下，照样有效"),
    ),
    "invitations": FactWords(
        _l("调查邀请（张）"),
        _l("移过去 %(count)s 张调查邀请卡"),
        _l("有 %(count)s 次调查两人都抽到了，并入的那张留在原来的名下"),
    ),
}

SOURCE_WORDS = {
    PersonSource.ROSTER: _l("名册"),
    PersonSource.ACCOUNT: _l("自己开的账号"),
    PersonSource.TYPED: _l("自己填的姓名和手机号"),
    PersonSource.DEVICE: _l("自己填的姓名"),
}

REASON_WORDS = {"phone": _l("同名，手机号也相同"), "unit": _l("同名，同一单位")}


def consequences(facts: list[MergeFact]) -> list[str]:
    """What would move, or has moved, one sentence each."""
    return sentences([(fact.kind, fact.merged, fact.both) for fact in facts])


def sentences(counts: Iterable[tuple[str, int, int]]) -> list[str]:
    """The same from (kind, how many the merged one had, how many of these both had)."""
    found: list[str] = []
    for kind, merged, both in counts:
        words = FACT_WORDS[kind]
        # of attempts all move, the doubles among them
        moving = merged if kind == "attempts" else merged - both
        if moving:
            found.append(str(words.moves) % {"count": moving})
        if both and words.both is not None:
            found.append(str(words.both) % {"count": both})
    return found
