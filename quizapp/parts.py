"""All parts of what happens across features: importing this module fills `core.registry.MERGE_PERSON` and `MERGE_UNIT`, a lower
feature's part first."""

from quizapp.accounts import merging as accounts
from quizapp.certificates import merging as certificates
from quizapp.organisation import merging as organisation
from quizapp.organisation import unit_merging as organisation_units
from quizapp.quizzes import merging as quizzes
from quizapp.trainings import merging as trainings

__all__ = ["accounts", "certificates", "organisation", "organisation_units", "quizzes", "trainings"]
