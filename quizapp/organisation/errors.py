"""What organisation refuses.

CodeTaken       409  another unit or industry has this code
UnitClosed      409  a closed unit takes no new people and no new units
IndustryClosed  409  a closed industry is chosen for nothing new
NameNeeded      422  a name is empty
MergeSamePerson 422  a person is not merged into themselves
PersonIsMerged  409  one of the two was merged already
PersonErased    409  the data of one of the two were erased
MergeTooOld     409  the term for taking a merge back is over
LaterMergeFirst 409  another merge stands on top of this one
MoveBelowItself 422  a unit does not go below itself
UnitTooDeep     409  the tree would have too many levels
MergeSameUnit   422  a unit is not merged into itself
MergeIntoBelow  409  the unit that would stay lies below the other
UnitIsMerged    409  one of the two was merged already
UnitsChanged    409  the units were changed since the merge
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


class MergeSamePerson(Invalid):
    """One row is no two."""

    code = "merge_same_person"


class PersonIsMerged(Conflict):
    """One of the two was merged already: whoever stands for them is the one to choose."""

    code = "person_is_merged"


class PersonErased(Conflict):
    """The data of one of the two were erased, which ends merging and taking back."""

    code = "person_erased"


class MergeTooOld(Conflict):
    """The term for taking a merge back is over; data["days"]."""

    code = "merge_too_old"


class LaterMergeFirst(Conflict):
    """Another merge was done on top of this one and must be taken back before."""

    code = "later_merge_first"


class MoveBelowItself(Invalid):
    """The chosen place is the unit itself, or lies below it."""

    code = "move_below_itself"


class UnitTooDeep(Conflict):
    """The path of a unit would be longer than is stored."""

    code = "unit_too_deep"


class MergeSameUnit(Invalid):
    """One unit is no two."""

    code = "merge_same_unit"


class MergeIntoBelow(Conflict):
    """The unit that would stay lies below the one that would be merged into it."""

    code = "merge_into_below"


class UnitIsMerged(Conflict):
    """The unit was merged into another: the merge is taken back before anything else."""

    code = "unit_is_merged"


class UnitsChanged(Conflict):
    """One of the units was moved, closed or opened since the merge, which cannot be taken back any more."""

    code = "units_changed"
