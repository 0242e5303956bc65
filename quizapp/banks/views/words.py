"""Words for the codes of items."""

from __future__ import annotations

from flask_babel import gettext as _

from quizapp.banks.models import ItemState, ItemType, ItemUse
from quizapp.banks.reviews import ReaderRole


def type_words() -> dict[str, str]:
    """Types of items."""
    return {
        ItemType.TRUE_FALSE: _("判断题"),
        ItemType.SINGLE_CHOICE: _("单选题"),
        ItemType.MULTIPLE_CHOICE: _("多选题"),
    }


def use_words() -> dict[str, str]:
    """Where items may appear."""
    return {ItemUse.TEST: _("只用于测试"), ItemUse.PRACTICE: _("只用于练习"), ItemUse.BOTH: _("测试和练习都用")}


def state_words() -> dict[str, tuple[str, str]]:
    """States of items with the kind of their chip."""
    return {
        ItemState.DRAFT: (_("草稿"), "neutral"),
        ItemState.IN_REVIEW: (_("待审"), "amber"),
        ItemState.APPROVED: (_("已审定"), "green"),
        ItemState.RETIRED: (_("已停用"), "red"),
    }


def ability_words() -> dict[str, str]:
    """What items ask for."""
    return {
        "knowledge": _("科学知识"),
        "method": _("科学方法"),
        "spirit": _("科学精神"),
        "application": _("应用能力"),
    }


def audience_words() -> dict[str, str]:
    """Whom items are for, in the order of the tables."""
    return {
        "head_of_enterprise": _("企业主要负责人"),
        "safety_officer": _("安全管理员"),
        "market_manager": _("市场管理者"),
        "demolition_crew": _("拆除班组"),
        "hospitality_staff": _("宾馆、娱乐场所员工"),
        "driver": _("司机"),
        "resident": _("社区居民"),
        "pupil": _("中小学生"),
    }


def reader_words() -> dict[str, tuple[str, str]]:
    """Kinds of readers, with what they did."""
    return {
        ReaderRole.EXPERT: (_("内行"), _("只看题干和选项，凭知识认真作答")),
        ReaderRole.SCEPTIC: (_("挑错者"), _("专找第二个说得通的答案")),
        ReaderRole.GUESSER: (_("猜题者"), _("不懂内容，只找破绽猜")),
        ReaderRole.OPTIONS_ONLY: (_("只看选项"), _("看不到题干，凭选项猜")),
    }


def flag_words() -> dict[str, tuple[str, str]]:
    """What the answers to an item can show, with what to do."""
    return {
        "key_suspect": (_("答案可疑"), _("别的题做得好的人，更多选了另一个选项。先核对答案和依据。")),
        "no_discrimination": (_("区分不出"), _("做对做错和别的题的成绩几乎无关。看题干是否含糊、是否靠猜。")),
        "misfit": (
            _("对错和水平对不上"),
            _("水平高的人意外答错、水平低的人意外答对的太多。看题干是否有歧义，是否考了别的东西。"),
        ),
        "speeded": (_("来不及做"), _("超过 5% 的人没做到这里。看时间是否太短。")),
        "dead_distractor": (_("干扰项太弱"), _("有的选项不到 5% 的人选。换一个更像的。")),
        "too_easy": (_("太容易"), _("超过 95% 的人答对，几乎量不出什么。")),
    }


def level_words() -> list[str]:
    """Estimates of difficulty 1 to 5."""
    return [_("很容易"), _("容易"), _("中等"), _("较难"), _("难")]
