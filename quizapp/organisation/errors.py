"""What organisation refuses.

CodeTaken       409  another unit or industry has this code
UnitClosed      409  a closed unit takes no new people and no new units
IndustryClosed  409  a closed industry is chosen for nothing new
NameNeeded      422  a name is empty
"""

from __future__ import annotations

from quizapp.core.errors import Conflict, Invalid


class CodeTaken(Conflict):
    """Another unit or industry has this code."""

    code = "code_taken"


class UnitClosed(Conflict):
    """A closed unit takes no new people and no new units below it."""

    code = "unit_closed"


class IndustryClosed(Conflict):
    """A closed industry is chosen for nothing new."""

    code = "industry_closed"


class NameNeeded(Invalid):
    """A name without a visible character."""

    code = "name_needed"
