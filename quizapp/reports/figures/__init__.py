"""The figures of tests, each defined once: page, chart and exports show what stands here."""

from quizapp.reports.figures.filters import FigureFilters, GroupDimension, whole_months
from quizapp.reports.figures.reach import aggregates_only, deliveries_in_reach, reachable_delivery, reachable_unit
from quizapp.reports.figures.sums import SumRow, sums, sums_statement
from quizapp.reports.figures.unit_table import PassRateTable, Row, RowKind, pass_rate_table

__all__ = [
    "FigureFilters",
    "GroupDimension",
    "PassRateTable",
    "Row",
    "RowKind",
    "SumRow",
    "aggregates_only",
    "deliveries_in_reach",
    "pass_rate_table",
    "reachable_delivery",
    "reachable_unit",
    "sums",
    "sums_statement",
    "whole_months",
]
