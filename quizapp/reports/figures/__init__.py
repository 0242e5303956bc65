"""The figures of tests, each defined once: page, chart and exports show what stands here."""

from quizapp.reports.figures.comparison import Change, Comparison, compare
from quizapp.reports.figures.filters import FigureFilters, GroupDimension, whole_months
from quizapp.reports.figures.groups import GroupRow, GroupTable, group_table, roster_of
from quizapp.reports.figures.literacy import Literacy, literacy_of
from quizapp.reports.figures.reach import (
    aggregates_only,
    deliveries_in_reach,
    reachable_delivery,
    reachable_unit,
    units_in_reach,
)
from quizapp.reports.figures.sums import SumRow, sums, sums_statement
from quizapp.reports.figures.unit_table import PassRateTable, Row, RowKind, pass_rate_table

__all__ = [
    "Change",
    "Comparison",
    "FigureFilters",
    "GroupDimension",
    "GroupRow",
    "GroupTable",
    "Literacy",
    "PassRateTable",
    "Row",
    "RowKind",
    "SumRow",
    "aggregates_only",
    "compare",
    "deliveries_in_reach",
    "group_table",
    "literacy_of",
    "pass_rate_table",
    "reachable_delivery",
    "reachable_unit",
    "roster_of",
    "sums",
    "sums_statement",
    "units_in_reach",
    "whole_months",
]
