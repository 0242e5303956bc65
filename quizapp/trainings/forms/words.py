"""Words that forms and pages share: kinds of sessions."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than the types

from quizapp.trainings.models import SessionKind

KIND_WORDS = {
    SessionKind.LECTURE: _l("讲座"),
    SessionKind.JOINT: _l("合训"),
    SessionKind.SECTOR: _l("分训"),
    SessionKind.CREW: _l("班组课"),
}
KIND_CHOICES = [SelectChoice(kind.value, word) for kind, word in KIND_WORDS.items()]
