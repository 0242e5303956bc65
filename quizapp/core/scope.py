"""Who may do what, to which units: permissions, roles, and the one filter that every query uses.

A grant is role × unit × industry; a unit covers everything below it, `None` means all. `accounts` reads the grants of an account and
makes a `Scope`; queries turn it into SQL conditions with `Scope.condition`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, false, or_, true
from sqlalchemy.orm import InstrumentedAttribute


class Role(StrEnum):
    """The roles that can be granted (a guest and a resident have no grant)."""

    UNIT_LIAISON = "unit_liaison"
    TRAINER = "trainer"
    EDITOR = "editor"
    REVIEWER = "reviewer"
    COORDINATOR = "coordinator"
    LEADER = "leader"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    """What a view can demand."""

    READ_BANKS = "read_banks"
    REVIEW_ITEMS = "review_items"
    MANAGE_DELIVERIES = "manage_deliveries"
    SEE_FIGURES = "see_figures"
    EXPORT_FIGURES = "export_figures"
    RUN_SESSIONS = "run_sessions"
    REGISTER_OTHERS = "register_others"
    ISSUE_CERTIFICATES = "issue_certificates"
    MERGE_PEOPLE = "merge_people"
    MANAGE_UNITS = "manage_units"
    MANAGE_ACCOUNTS = "manage_accounts"
    SEE_AUDIT = "see_audit"


ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.UNIT_LIAISON: frozenset({Permission.REGISTER_OTHERS}),
    Role.TRAINER: frozenset({Permission.RUN_SESSIONS}),
    Role.EDITOR: frozenset({Permission.READ_BANKS}),
    Role.REVIEWER: frozenset({Permission.READ_BANKS, Permission.REVIEW_ITEMS}),
    Role.COORDINATOR: frozenset(
        {
            Permission.READ_BANKS,
            Permission.MANAGE_DELIVERIES,
            Permission.SEE_FIGURES,
            Permission.EXPORT_FIGURES,
            Permission.RUN_SESSIONS,
            Permission.REGISTER_OTHERS,
            Permission.ISSUE_CERTIFICATES,
            Permission.MERGE_PEOPLE,
        }
    ),
    Role.LEADER: frozenset({Permission.SEE_FIGURES}),
    Role.ADMINISTRATOR: frozenset(Permission),
}


def path_end(path: str) -> str:
    """The first path after all that begin with `path`: every path ends in "/", and "0" is the character after it."""
    return path[:-1] + "0"


def below(
    column: ColumnElement[str] | InstrumentedAttribute[str] | InstrumentedAttribute[str | None], path: str
) -> ColumnElement[bool]:
    """ "This unit and all below", as a range of the path column."""
    return and_(column >= path, column < path_end(path))


@dataclass(frozen=True)
class Grant:
    """One grant: `path` None means every unit, `industry_id` None every industry."""

    role: Role
    path: str | None
    industry_id: int | None = None

    def covers(self, path: str | None, industry_id: int | None = None) -> bool:
        """Whether an object of a unit path and an industry lies within."""
        if self.path is not None and (path is None or not path.startswith(self.path)):
            return False
        return self.industry_id is None or self.industry_id == industry_id


@dataclass(frozen=True)
class Scope:
    """What an account may see: all its grants."""

    grants: tuple[Grant, ...] = ()

    def with_permission(self, permission: Permission) -> tuple[Grant, ...]:
        """The grants that carry a permission."""
        return tuple(g for g in self.grants if permission in ROLE_PERMISSIONS[g.role])

    def allows(self, permission: Permission) -> bool:
        """Whether any grant carries the permission, for whatever unit."""
        return bool(self.with_permission(permission))

    def covers(self, permission: Permission, path: str | None, industry_id: int | None = None) -> bool:
        """Whether the permission reaches an object of this unit path and industry."""
        return any(g.covers(path, industry_id) for g in self.with_permission(permission))

    def condition(
        self,
        permission: Permission,
        path: InstrumentedAttribute[str] | InstrumentedAttribute[str | None],
        industry: InstrumentedAttribute[int | None] | None = None,
    ) -> ColumnElement[bool]:
        """The same as SQL: true for the rows that the permission reaches.

        A grant limited to an industry reaches no row of a table without an industry column.
        """
        parts: list[ColumnElement[bool]] = []
        for grant in self.with_permission(permission):
            if grant.industry_id is not None and industry is None:
                continue
            terms: list[ColumnElement[bool]] = []
            if grant.path is not None:
                terms.append(below(path, grant.path))
            if grant.industry_id is not None and industry is not None:
                terms.append(industry == grant.industry_id)
            parts.append(and_(*terms) if terms else true())
        return or_(*parts) if parts else false()


#: Nobody's scope.
NO_SCOPE = Scope()


@dataclass(frozen=True)
class Actor:
    """Who acts: an account with its person and scope, a guest (all None), or the system itself (`account_id` None, `system` True)."""

    account_id: int | None = None
    person_id: int | None = None
    name: str = ""
    scope: Scope = NO_SCOPE
    system: bool = False

    @property
    def signed_in(self) -> bool:
        """Whether an account acts."""
        return self.account_id is not None


GUEST = Actor()
SYSTEM = Actor(system=True)
