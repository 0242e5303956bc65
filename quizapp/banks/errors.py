"""Refusals around items."""

from __future__ import annotations

from quizapp.core.errors import Conflict


class LookOutdated(Conflict):
    """What is to be noted was found on another version of the item, or before its answers showed something else."""

    code = "look_outdated"


class NothingFlagged(Conflict):
    """The answers to the item say nothing against it: there is nothing to look at."""

    code = "nothing_flagged"
