"""What a page says of sessions that are in the way of another one."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from quizapp.core.tokens import digest
from quizapp.trainings import queries
from quizapp.trainings.queries import Clash
from quizapp.ui.filters import format_period


def clash_words(db: Session, clashes: Sequence[Clash]) -> list[str]:
    """A sentence for each: when, which session (not of a foreign unit's), and what both want."""
    ids = {account_id for clash in clashes for account_id in clash.trainers}
    names = queries.trainer_names(db, ids)
    return [_sentence(clash, names) for clash in clashes]


def _sentence(clash: Clash, names: dict[int, str]) -> str:
    wanted = [_("地点")] if clash.same_place else []
    wanted += [_("老师 %(name)s", name=names[account_id]) for account_id in clash.trainers]
    return str(
        _(
            "%(time)s %(session)s：%(wanted)s",
            time=format_period(clash.session.starts_at, clash.session.ends_at),
            session=_("“%(title)s”", title=clash.session.title) if clash.visible else _("另一场"),
            wanted=_("、").join(wanted),
        )
    )


def clash_token(clashes: Sequence[Clash]) -> str:
    """Names the conflicts that were shown, so that others that come up are shown too."""
    ids = ",".join(str(clash.session.id) for clash in clashes)
    return digest(f"clashes {ids}").hex()[:32] if clashes else ""
