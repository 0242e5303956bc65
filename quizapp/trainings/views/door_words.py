"""What the door says when it does not say "in": colour, icon, word, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from quizapp.core.errors import DomainError
from quizapp.trainings import errors
from quizapp.ui.filters import format_moment

#: Refusals after which one only has to scan again.
_HELPED = frozenset(
    error.code for error in (errors.RightNeeded, errors.RightUsed, errors.CodeOutdated, errors.CodeElsewhere)
)


@dataclass(frozen=True)
class DoorWords:
    """A full-bleed sentence. `code` marks it for scripts and tests; kind: amber (try again, ask) or red (not here)."""

    code: str
    kind: str
    icon: str
    title: str
    text: str

    @property
    def how(self) -> bool:
        """Whether it helps to say how one checks in."""
        return self.code in _HELPED


def door_words(error: DomainError) -> DoorWords | None:
    """The words of a refusal that stands for itself; None for one that belongs to a field, or to no door."""
    said = _said().get(type(error))
    if said is None:
        return None
    kind, icon, title, text = said
    opens_at = error.data.get("opens_at")
    if isinstance(opens_at, int):
        text = text.replace("{time}", format_moment(opens_at))
    return DoorWords(error.code, kind, icon, title, text)


def _said() -> dict[type[DomainError], tuple[str, str, str, str]]:
    ask = _("人在现场的，请找老师补登。")
    return {
        errors.CheckInEarly: ("amber", "clock", _("还没到签到时间"), _("{time} 起可以签到。")),
        errors.CheckInLate: ("amber", "clock", _("签到时间已过"), ask),
        errors.CheckInClosed: ("amber", "lock", _("签到已经结束"), ask),
        errors.CheckInCalledOff: ("red", "circle-x", _("这一场取消了"), _("不用来。要问原因，请找主办单位。")),
        errors.CheckInFull: ("amber", "users", _("名额满了"), _("请找老师。老师可以加人。")),
        errors.CheckInStruck: ("red", "circle-x", _("老师划去了这次签到"), _("有疑问，请找老师。")),
        errors.RightNeeded: (
            "amber",
            "qr-code",
            _("请扫屏幕上的新码"),
            _("这个地址只看得到场次，签到要扫现场屏幕上的码。"),
        ),
        errors.RightUsed: (
            "amber",
            "refresh-cw",
            _("请再扫一次屏幕上的码"),
            _("一次扫码签一个人，这一次已经给别人签过。"),
        ),
        errors.CodeOutdated: ("amber", "refresh-cw", _("这个码过期了"), _("请扫屏幕上的新码")),
        errors.CodeElsewhere: ("red", "circle-x", _("不是本场的码"), _("请扫这一场屏幕上的码。")),
        errors.NotCheckedIn: ("amber", "circle-alert", _("还没有签到"), _("先签到，再签退。")),
        errors.CheckOutEarly: ("amber", "clock", _("还没到签退时间"), _("{time} 起可以签退。")),
    }
