"""Refusals around surveys."""

from __future__ import annotations

from quizapp.core.errors import Conflict, Invalid, NotFound


class SurveyOfVolunteers(Invalid):
    """Whoever likes takes part: from that no population is estimated; `people` at random would do for ± 2 points."""

    code = "survey_of_volunteers"


class SurveyValueMissing(Invalid):
    """A survey cannot do without this value; `field` names it."""

    code = "survey_value_missing"


class SurveyValueOutOfRange(Invalid):
    """A number lies outside `low` to `high`; `field` names it."""

    code = "survey_value_out_of_range"


class SurveyTestUnfit(Invalid):
    """The test has no literacy standard, so its scores say nobody is literate."""

    code = "survey_test_unfit"


class SurveyAgeNotAsked(Invalid):
    """The test does not demand the year of birth: who is younger than 18 could not be told from who counts."""

    code = "survey_age_not_asked"


class SurveyAudienceOther(Invalid):
    """The test is for people of other units: those who are drawn could not take it."""

    code = "survey_audience_other"


class SurveyUnitForeign(Invalid):
    """The unit is closed, unknown, or outside the actor's own grant."""

    code = "survey_unit_foreign"


class UnitListInvalid(Invalid):
    """Line `line` of a list of units is no open unit below the survey's with a number of people."""

    code = "unit_list_invalid"


class UnitListDesign(Invalid):
    """Where only numbers of people are known, units are drawn first."""

    code = "unit_list_design"


class FrameTooSmall(Conflict):
    """`wanted` people would have to be drawn of `there`; with all of them ± `margin` points can be reached."""

    code = "frame_too_small"


class UnitsTooFew(Conflict):
    """`wanted` units would have to be drawn of `there`."""

    code = "units_too_few"


class StrataOfOneUnit(Conflict):
    """No unit directly below has more than one unit to draw: there is nothing to draw among."""

    code = "strata_of_one_unit"


class FrameEmpty(Conflict):
    """There is nobody to draw from."""

    code = "frame_empty"


class SurveyDrawn(Conflict):
    """It was drawn: the plan stands, and so does the sample."""

    code = "survey_drawn"


class SurveyAnnounced(Conflict):
    """Its list was announced: the plan stands until that is withdrawn, and what was announced once is not deleted."""

    code = "survey_announced"


class SurveyNotDrawn(Conflict):
    """Nothing was drawn yet."""

    code = "survey_not_drawn"


class SurveyClosed(Conflict):
    """It is closed: invitations are settled."""

    code = "survey_closed"


class SurveyStillOpen(Conflict):
    """It was never closed: scores are not read, and nothing is estimated, while it can still be noted whose answer counts."""

    code = "survey_still_open"


class InvitationSettled(Conflict):
    """The score of this answer could be read already: whether it counts stands."""

    code = "invitation_settled"


class InvitationAnswered(Conflict):
    """Whoever has answered is neither refused nor unreachable."""

    code = "invitation_answered"


class MarginsInvalid(Invalid):
    """Line `line` of what is known of the population is not `variable,value,number of people`."""

    code = "margins_invalid"


class CardUnknown(NotFound):
    """No invitation has this code."""

    code = "card_unknown"


class CardTakenBack(Conflict):
    """The invitation does not hold: not eligible, or the survey is closed."""

    code = "card_taken_back"


class CardUsed(Conflict):
    """An attempt was started with it already."""

    code = "card_used"
