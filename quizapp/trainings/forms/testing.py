"""Which tests stand before and after a session."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l
from wtforms import SelectField
from wtforms.validators import InputRequired

from quizapp.trainings.forms.base import TrainingForm


class TestsForm(TrainingForm):
    """Two deliveries of one quiz."""

    __test__ = False  # no test for pytest

    before = SelectField(_l("培训前的测验"), validators=[InputRequired(_l("请选择一个"))])
    after = SelectField(_l("培训后的测验"), validators=[InputRequired(_l("请选择一个"))])

    def offer(self, choices: Sequence[tuple[str, str]]) -> None:
        """Set what can be chosen."""
        self.before.choices = self.after.choices = [("", _l("请选择")), *choices]
