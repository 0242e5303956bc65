"""An account, when its person is erased or asks what is known: it is closed, signed out everywhere, and holds nothing any more."""

from __future__ import annotations

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from quizapp.accounts.models import Account, AccountGrant, AccountSession, RecoveryCode, SecondFactor, SetUpLink
from quizapp.accounts.services import check_may_close
from quizapp.audit.models import AuditEvent
from quizapp.core.privacy_parts import (
    ErasePersonPart,
    Erasing,
    Exporting,
    ExportPersonPart,
    ExportSection,
    InventoryEntry,
    InventoryPart,
    add_erase_person,
    add_export_person,
    add_inventory,
)
from quizapp.organisation.models import OrgUnit


def erase(db: Session, erasing: Erasing) -> None:
    """Close the accounts. Raises LastAdministrator."""
    for account in db.scalars(select(Account).where(Account.id.in_(erasing.account_ids)).with_for_update()):
        check_may_close(db, account)
    for table in (AccountSession, SecondFactor, RecoveryCode, SetUpLink, AccountGrant):
        db.execute(delete(table).where(table.account_id.in_(erasing.account_ids)))
    db.execute(
        update(Account)
        .where(Account.id.in_(erasing.account_ids))
        .values(
            username=None,
            phone_hash=None,
            password_hash=None,
            session_epoch=Account.session_epoch + 1,
            suspended_at=func.coalesce(Account.suspended_at, erasing.now),
        )
    )


def export(db: Session, exporting: Exporting) -> list[ExportSection]:
    """The account, what it may do, and what the log says that it did."""
    ids = exporting.account_ids
    accounts = db.scalars(select(Account).where(Account.id.in_(ids)).order_by(Account.id))
    grants = db.execute(
        select(AccountGrant.role, OrgUnit.name, AccountGrant.granted_at)
        .outerjoin(OrgUnit, OrgUnit.id == AccountGrant.unit_id)
        .where(AccountGrant.account_id.in_(ids))
        .order_by(AccountGrant.id)
    )
    sign_ins = db.scalars(select(AccountSession).where(AccountSession.account_id.in_(ids)).order_by(AccountSession.id))
    events = db.execute(
        select(AuditEvent.at, AuditEvent.action, AuditEvent.object_type)
        .where(AuditEvent.account_id.in_(ids))
        .order_by(AuditEvent.id)
    )
    return [
        ExportSection(
            "account",
            tuple(
                {
                    "username": account.username,
                    "language": account.language,
                    "text_size": account.text_size,
                    "elder": account.elder,
                    "suspended_at": account.suspended_at,
                    "created_at": account.created_at,
                }
                for account in accounts
            ),
        ),
        ExportSection("grant", tuple({"role": row[0], "unit": row[1], "granted_at": row[2]} for row in grants)),
        ExportSection(
            "sign_in",
            tuple(
                {"device": one.device, "created_at": one.created_at, "seen_at": one.seen_at, "ended_at": one.ended_at}
                for one in sign_ins
            ),
        ),
        ExportSection("log", tuple({"at": row[0], "action": row[1], "object_type": row[2]} for row in events)),
    ]


add_erase_person(
    ErasePersonPart(
        name="accounts",
        empties=(
            "account.phone_hash",
            "account.password_hash",
            "set_up_link.secret_hash",
            "account_session.secret_hash",
            "second_factor.secret_sealed",
            "recovery_code.code_hash",
        ),
        stays={
            "account.person_id": "a closed account leads to an emptied person; the log knows it by its number alone"
        },
        do=erase,
    )
)
add_export_person(
    ExportPersonPart(name="accounts", reads=("account", "account_grant", "account_session", "audit_event"), do=export)
)
add_inventory(
    InventoryPart(
        name="accounts",
        entries=(
            InventoryEntry(
                "accounts",
                ("account", "account_grant", "account_session", "second_factor", "recovery_code", "set_up_link"),
                "sign_in",
                "person",
            ),
            InventoryEntry("failures", ("failure",), "guessing", "day"),
            InventoryEntry("log", ("audit_event",), "accountability", "audit"),
        ),
    )
)
