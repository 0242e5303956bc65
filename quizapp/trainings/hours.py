"""Training hours (学时) of one attendance. Pure: all values are given, in tenths of an hour and milliseconds UTC."""

from __future__ import annotations

#: So late an arrival, and so early a leave, still count as the whole session, milliseconds.
LEEWAY_MS = 15 * 60 * 1000
#: Part hours are rounded down to half hours: five tenths.
STEP_TENTHS = 5


def hours_earned(
    hours_tenths: int, *, check_out: bool, starts_at: int, ends_at: int, in_at: int, out_at: int | None
) -> int:
    """The hours, in tenths, that somebody earned who checked in at `in_at` and out at `out_at`.

    Where the session asks for no check-out, being there gives all. Else: nothing without a check-out (until the trainer sets one); all,
    for who came at most 15 minutes late and left at most 15 minutes early; otherwise the share of the session that was attended,
    rounded down to half hours.

    >>> half = {"check_out": True, "starts_at": 0, "ends_at": 7_200_000}
    >>> hours_earned(20, **half, in_at=0, out_at=7_200_000), hours_earned(20, **half, in_at=3_600_000, out_at=7_200_000)
    (20, 10)
    """
    if not check_out:
        return hours_tenths
    if out_at is None:
        return 0
    if in_at <= starts_at + LEEWAY_MS and out_at >= ends_at - LEEWAY_MS:
        return hours_tenths
    attended = max(0, min(out_at, ends_at) - max(in_at, starts_at))
    return hours_tenths * attended // (ends_at - starts_at) // STEP_TENTHS * STEP_TENTHS
