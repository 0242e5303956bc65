"""Estimates for a population from a probability sample: designs, weights, errors, intervals, standards, sample sizes.

Plain arrays and frozen dataclasses in and out. Rows are respondents. One error class, `SurveyRefused`, whose code says why there is no
estimate. Formulas with their sources: docs/methods.md.
"""

from quizapp.measurement.survey.design import Design, SurveyRefused, make_design
from quizapp.measurement.survey.estimates import (
    Estimate,
    estimate_mean,
    estimate_rate,
    estimate_ratio,
    estimate_total,
    jackknife,
)
from quizapp.measurement.survey.intervals import METHODS, Interval, design_interval
from quizapp.measurement.survey.weighting import Margin, WeightReport, calibrate, greg, rake, trim, weight_report

__all__ = [
    "METHODS",
    "Design",
    "Estimate",
    "Interval",
    "Margin",
    "SurveyRefused",
    "WeightReport",
    "calibrate",
    "design_interval",
    "estimate_mean",
    "estimate_rate",
    "estimate_ratio",
    "estimate_total",
    "greg",
    "jackknife",
    "make_design",
    "rake",
    "trim",
    "weight_report",
]
