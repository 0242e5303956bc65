"""Use cases of accounts: `signing` (residents and staff come in), `staff` (accounts, links, grants), `sessions`, `second_factor`."""

from quizapp.accounts.logins import normalize_login
from quizapp.accounts.services.sessions import (
    SEEN_STEP,
    end_other_sessions,
    end_session,
    end_sessions_of,
    leave,
    open_session,
    prove_session,
    touch_session,
)
from quizapp.accounts.services.signing import (
    Verified,
    complete_sign_in,
    keep_new_hash,
    keep_preferences,
    normalize_username,
    record_failed_sign_in,
    sign_up,
    verify_sign_in,
)
from quizapp.accounts.services.staff import (
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
    "SEEN_STEP",
    "Verified",
    "complete_sign_in",
    "create_grant",
    "create_staff_account",
    "end_other_sessions",
    "end_session",
    "end_sessions_of",
    "ensure_first_administrator",
    "keep_new_hash",
    "keep_preferences",
    "leave",
    "make_set_up_link",
    "may_grant",
    "normalize_login",
    "normalize_username",
    "open_session",
    "prove_session",
    "record_failed_sign_in",
    "restore_account",
    "revoke_grant",
    "sign_up",
    "suspend_account",
    "touch_session",
    "use_set_up_link",
    "verify_sign_in",
]
