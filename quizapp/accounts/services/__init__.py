"""Use cases of accounts: `signing` (residents and staff come in), `staff` (accounts, links, grants)."""

from quizapp.accounts.logins import normalize_login
from quizapp.accounts.services.signing import (
    Verified,
    complete_sign_in,
    keep_preferences,
    normalize_username,
    record_failed_sign_in,
    sign_up,
    verify_sign_in,
)
from quizapp.accounts.services.staff import (
    check_may_close,
    create_grant,
    create_staff_account,
    ensure_first_administrator,
    make_set_up_link,
    may_grant,
    restore_account,
    revoke_grant,
    suspend_account,
    use_set_up_link,
)

__all__ = [
    "Verified",
    "check_may_close",
    "complete_sign_in",
    "create_grant",
    "create_staff_account",
    "ensure_first_administrator",
    "keep_preferences",
    "make_set_up_link",
    "may_grant",
    "normalize_login",
    "normalize_username",
    "record_failed_sign_in",
    "restore_account",
    "revoke_grant",
    "sign_up",
    "suspend_account",
    "use_set_up_link",
    "verify_sign_in",
]
