"""Refusals of the banks."""

from __future__ import annotations

from quizapp.core.errors import Invalid


class BanksRefused(Invalid):
    """The files have faults: nothing was loaded. data["count"] says how many."""

    code = "banks_refused"
