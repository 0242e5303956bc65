"""The shape of what is typed into the pages of accounts."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than the types
from wtforms.validators import InputRequired, Length, Optional

from quizapp.accounts.passwords import LEAST, MOST
from quizapp.core.errors import DomainError
from quizapp.core.scope import Role
from quizapp.ui.words import words_for

#: The words for roles.
ROLE_WORDS = {
    Role.UNIT_LIAISON: _l("单位联络员"),
    Role.TRAINER: _l("培训教师"),
    Role.EDITOR: _l("命题员"),
    Role.REVIEWER: _l("审题员"),
    Role.COORDINATOR: _l("单位管理员"),
    Role.LEADER: _l("领导（只看汇总）"),
    Role.ADMINISTRATOR: _l("管理员"),
}
PASSWORD_HELPER = _l("至少 %(least)s 个字符，可以是一句话", least=LEAST)


class AccountsForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """A form that shows a service's refusal at its field."""

    def show(self, error: DomainError) -> None:
        """Put a refusal at the field that it names, or at the top."""
        name = error.data.get("field")
        if isinstance(name, str) and name in self:
            self[name].errors = [*self[name].errors, words_for(error)]
        else:
            self.form_errors.append(words_for(error))


class SignInForm(AccountsForm):
    """Phone number or sign-in name, and password."""

    login = StringField(_l("手机号"), validators=[InputRequired(_l("请填写手机号")), Length(max=60)])
    password = PasswordField(_l("密码"), validators=[InputRequired(_l("请填写密码"))])
    remember = BooleanField(_l("在这部手机上记住我"))
    next = HiddenField("")
    not_before = HiddenField("")


class CodeForm(AccountsForm):
    """A code of the second factor. `sealed`: the secret that is being set up."""

    code = StringField(_l("验证码"), validators=[InputRequired(_l("请填写验证码")), Length(max=40)])
    not_before = HiddenField("")
    sealed = HiddenField("")


class SignUpForm(AccountsForm):
    """What an account needs."""

    name = StringField(_l("姓名"), validators=[InputRequired(_l("请填写姓名")), Length(max=40)])
    phone = StringField(_l("手机号"), validators=[InputRequired(_l("请填写手机号")), Length(max=30)])
    password = PasswordField(_l("密码"), validators=[InputRequired(_l("请设一个密码")), Length(max=MOST)])
    unit_id = StringField(_l("单位或社区"), validators=[Optional(), Length(max=12)])
    consent = BooleanField(
        _l("我已满 14 岁，看过隐私说明，同意保存这些信息"), validators=[InputRequired(_l("请先看隐私说明并勾选同意"))]
    )
    next = HiddenField("")


class SetUpForm(AccountsForm):
    """A new password."""

    @staticmethod
    def asking(*, for_name: bool, **values: str) -> SetUpForm:
        """The form, with or without the name to sign in by."""
        return (NamedSetUpForm if for_name else SetUpForm)(**values)

    username = StringField(_l("登录名"), validators=[Optional(), Length(max=40)])
    password = PasswordField(_l("密码"), validators=[InputRequired(_l("请设一个密码")), Length(max=MOST)])
    repeated = PasswordField(_l("再输一次密码"), validators=[InputRequired(_l("请再输一次密码"))])


class NamedSetUpForm(SetUpForm):
    """For whoever has no phone number here: with the name to sign in by."""

    username = StringField(_l("登录名"), validators=[InputRequired(_l("请填写登录名")), Length(max=40)])


class GrantForm(AccountsForm):
    """Role × unit × industry."""

    role = SelectField(_l("角色"), choices=[SelectChoice(role.value, word) for role, word in ROLE_WORDS.items()])
    all_units = BooleanField(_l("全部单位"))
    unit_id = StringField(_l("单位"), validators=[Length(max=12)])
    industry_id = SelectField(_l("行业"), validators=[Optional()], choices=[SelectChoice("", _l("全部行业"))])


class StaffForm(GrantForm):
    """A new staff account with its first grant."""

    name = StringField(_l("姓名"), validators=[InputRequired(_l("请填写姓名")), Length(max=40)])
    username = StringField(_l("登录名"), validators=[InputRequired(_l("请填写登录名")), Length(max=40)])
