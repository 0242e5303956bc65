"""Refusals. A service that will not do what was asked raises one of these; `quizapp.ui` has the words.

DomainError            code, status, data
├── NotFound      404  the thing is not there, or not theirs
├── Forbidden     403  signed in, but without the permission
├── SignInNeeded  401  nobody is signed in
├── Invalid       422  a value is not acceptable; `field` names it where one field is at fault
├── Conflict      409  the state does not allow it now
├── TooMany       429  too many failures; data["wait_seconds"]
└── Unavailable   503  a store does not answer; nothing was changed
"""

from __future__ import annotations

from typing import ClassVar


class DomainError(Exception):
    """A refusal with a stable code (snake_case), an HTTP status and the data that its words need."""

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 400

    def __init__(self, **data: object) -> None:
        super().__init__(f"{self.code} {data}" if data else self.code)
        self.data = data


class NotFound(DomainError):
    """The object is not there, or belongs to a unit outside the scope: both look the same."""

    code = "not_found"
    status = 404


class Forbidden(DomainError):
    """Signed in, but no grant carries the permission."""

    code = "forbidden"
    status = 403


class SignInNeeded(DomainError):
    """Nobody is signed in."""

    code = "sign_in_needed"
    status = 401


class Invalid(DomainError):
    """A value is not acceptable."""

    code = "invalid"
    status = 422

    @property
    def field(self) -> str | None:
        """The form field at fault, where there is one."""
        name = self.data.get("field")
        return name if isinstance(name, str) else None


class Conflict(DomainError):
    """The state of the thing does not allow this now."""

    code = "conflict"
    status = 409


class TooMany(DomainError):
    """Too many failures; `wait_seconds` says when to try again."""

    code = "too_many"
    status = 429


class Unavailable(DomainError):
    """A store does not answer in time; nothing was changed."""

    code = "unavailable"
    status = 503
