"""Training hours (学时) of one attendance. Pure: all values are given, in tenths of an hour and milliseconds UTC."""

from __future__ import annotations


def hours_earned(
    hours_tenths: int,
    *,
    check_out: bool,
    starts_at: int,  # noqa: ARG001 # a finer rule needs begin, end
    ends_at: int,  # noqa: ARG001 # the same
    in_at: int,  # noqa: ARG001 # and the check-in
    out_at: int | None,
) -> int:
    """The hours, in tenths, that somebody earned who checked in at `in_at` and out at `out_at`.

    All of them, but none without a check-out where the session asks for one.
    """
    return 0 if check_out and out_at is None else hours_tenths
