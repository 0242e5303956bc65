"""Parallel papers from items with known difficulty and discrimination: information and expected score held within tolerances.

For each form one 0/1 variable per item; content demands, the test information Σ a²·P·(1 − P) and the expected score Σ P at given
abilities (P = 1/(1 + exp(−a·(θ − b)))) are linear in them and hold exactly (van der Linden W. J. (2005), Linear Models for Optimal Test
Design, Springer, chapters 3 to 6; Lord F. M. (1980) for the functions). Forms are made one after another by HiGHS; each minimises how
often its items were used already, so that use and overlap spread evenly; a seeded noise decides between what is equal. Caps on use are
bounds; caps on overlap are added where a form would break one. The solver stops at a gap, not at a time: the same pool, blueprint,
number and seed give the same papers.
"""

from quizapp.measurement.forms.model import CalibratedItem, FormBlueprint, NoForms, Range, information, probabilities
from quizapp.measurement.forms.solving import best_form, parallel_forms

__all__ = [
    "CalibratedItem",
    "FormBlueprint",
    "NoForms",
    "Range",
    "best_form",
    "information",
    "parallel_forms",
    "probabilities",
]
