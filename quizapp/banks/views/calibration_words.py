"""Difficulty and discrimination of a version in sentences that need no knowledge of the model."""

from __future__ import annotations

import math
from typing import Any

from flask_babel import gettext as _

from quizapp.banks.models import BankCalibration, ItemCalibration, ItemFigure
from quizapp.measurement.floors import FEWEST, FEWEST_ANCHORS, OFF_MODEL
from quizapp.ui.filters import format_percent

#: Standard errors to each side of a 95 % interval.
_NORMAL = 1.96
#: A place beyond this is told as that only.
_FAR = 4.0


def calibration_words(found: ItemCalibration | None) -> list[dict[str, Any]]:
    """Name, figure with its interval, and one sentence: difficulty, discrimination, fit. Empty for a version without."""
    if found is None:
        return []
    at_mean, above = (1 / (1 + math.exp(-found.a * (place - found.b))) for place in (0.0, 1.0))
    return [
        {
            "name": _("难度"),
            "value": _signed(found.b),
            "interval": _interval(found.b, found.se_b, signed=True),
            "meaning": _half_right(found.b),
        },
        {
            "name": _("区分度（模型）"),
            "value": f"{found.a:.2f}",
            # the error of a shared slope says nothing of this item
            "interval": _interval(found.a, found.se_a, signed=False) if found.own_slope else None,
            "meaning": _(
                "从平均水平到高一个标准差，答对的机会从 %(low)s 变到 %(high)s。",
                low=format_percent(at_mean, 0),
                high=format_percent(above, 0),
            )
            + ("" if found.own_slope else _("作答还不到 %(count)s 人次，用同类题共同的区分度。", count=FEWEST["2pl"])),
        },
        {
            "name": _("合不合模型"),
            "value": f"infit {found.infit:.2f} · outfit {found.outfit:.2f}",
            "interval": None,
            "meaning": _fit(found),
        },
    ]


def missing_words(figure: ItemFigure | None, state: BankCalibration | None, version_id: int) -> str:
    """Why a version has no calibration."""
    asked = figure.asked if figure else 0
    if asked < FEWEST["rasch"]:
        return str(_("满 %(count)s 人次首次作答才估计；换了新版就从头算起。", count=FEWEST["rasch"]))
    if state is not None and version_id in state.apart:
        return str(_("答过它的卷子，和别的卷子共同的题不到 %(count)s 道，放不到一把尺上。", count=FEWEST_ANCHORS))
    return str(_("还没有估计：夜里自动算。几乎人人答对或答错的题估计不了。"))


def _half_right(place: float) -> str:
    if abs(place) < 0.05:
        return str(_("平均水平的人，答对的机会是一半。"))
    if place > 0:
        return str(_("比平均水平高 %(sd)s 个标准差的人，答对的机会才到一半：偏难。", sd=f"{min(place, _FAR):.1f}"))
    return str(_("比平均水平低 %(sd)s 个标准差的人，答对的机会就有一半：偏易。", sd=f"{min(-place, _FAR):.1f}"))


def _fit(found: ItemCalibration) -> str:
    if found.flags and found.off is not None and found.off > OFF_MODEL:
        return str(
            _("不合：得分相同的人里，答对的比例和模型平均差 %(points)s 个百分点。", points=f"{100 * found.off:.0f}")
        )
    if found.flags:
        return str(_("不合：意外的对错比模型该有的多三成以上。"))
    return str(_("看不出不合：1 左右是正好，超过 1.3 才说明意外的对错太多。"))


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{abs(value):.2f}"


def _interval(value: float, error: float | None, *, signed: bool) -> str | None:
    if error is None:
        return None
    ends = [value - _NORMAL * error, value + _NORMAL * error]
    low, high = (_signed(end) if signed else f"{end:.2f}".replace("-", "−") for end in ends)
    return str(_("95%% 区间 %(low)s 到 %(high)s", low=low, high=high))
