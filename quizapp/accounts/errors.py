"""What accounts refuse.

SignInFailed       422  name or password is not right; alike for unknown, suspended and unready accounts
LinkInvalid        404  a set-up link that is unknown, used or expired
PasswordShort      422  fewer than ten characters
PasswordPlain      422  a password that everybody guesses first
UsernameInvalid    422  not 3 to 40 letters, digits, dots, hyphens
UsernameTaken      409  another account has this name
UnitNeeded         422  a grant names a unit, or says that it is for all
GrantTooWide       403  wider than one's own grant
AccountBeyond      403  an account with grants beyond one's own
LastAdministrator  409  nobody would be left who can grant access
TwoAccounts        409  two persons with an account each are not merged
AccountErased      409  the account of somebody whose data were erased
TriesLocked        429  too many wrong codes: closed for an hour
FactorCodeWrong    422  a code of the second factor that is wrong, or was used before
FactorMissing      409  the account has no second factor
FactorStands       409  it has one already
FactorNeeded       409  staff may not go without one here
"""

from __future__ import annotations

from quizapp.core.errors import Conflict, Forbidden, Invalid, NotFound, TooMany


class SignInFailed(Invalid):
    """Name or password is not right. `account_id` is for the log alone: the words are the same for every cause."""

    code = "sign_in_failed"


class LinkInvalid(NotFound):
    """The set-up link is unknown, used or expired."""

    code = "link_invalid"


class PasswordShort(Invalid):
    """Too few characters; `least` says how many it takes."""

    code = "password_short"


class PasswordPlain(Invalid):
    """One of the first that a guesser tries."""

    code = "password_plain"


class UsernameInvalid(Invalid):
    """Not 3 to 40 letters, digits, dots, hyphens or underscores, or all digits (that would be a phone number)."""

    code = "username_invalid"


class UsernameTaken(Conflict):
    """Another account signs in by this name."""

    code = "username_taken"


class UnitNeeded(Invalid):
    """A grant names an open unit, or says that it is for all."""

    code = "unit_needed"


class GrantTooWide(Forbidden):
    """Nobody grants a role, unit or industry beyond their own grant."""

    code = "grant_too_wide"


class AccountBeyond(Forbidden):
    """The account holds grants beyond the actor's: its password and state are not theirs to change."""

    code = "account_beyond"


class LastAdministrator(Conflict):
    """The last administrator over all units who can sign in."""

    code = "last_administrator"


class TwoAccounts(Conflict):
    """Both persons can sign in: an account cannot be merged into another."""

    code = "two_accounts"


class AccountErased(Conflict):
    """Its person was erased: it gets no password and no grant any more."""

    code = "account_erased"


class TriesLocked(TooMany):
    """Too many wrong codes of the second factor; `minutes` says for how long."""

    code = "tries_locked"


class FactorCodeWrong(Invalid):
    """Not a code of this moment, used before, or no recovery code. `account_id` is for the log alone."""

    code = "factor_code_wrong"


class FactorMissing(Conflict):
    """The account has no second factor: it was taken away meanwhile."""

    code = "factor_missing"


class FactorStands(Conflict):
    """The account has a second factor: it is taken away before another one is set up."""

    code = "factor_stands"


class FactorNeeded(Conflict):
    """The installation asks all staff for a second factor."""

    code = "factor_needed"
