"""Items in a spreadsheet: for a subject expert who never saw a YAML file.

One row is one item. The columns have two headings, Chinese and English; either is understood. What a row says becomes the same value as an
entry of a bank file, so the same schema and the same checks judge it, and a fault names its row and its column.

A row with the id of an item corrects that item: what it leaves empty, and what the sheet has no column for, stays as it is.
"""

from __future__ import annotations

from quizapp.banks.formats.sheet.columns import HEADINGS, Heading
from quizapp.banks.formats.sheet.reading import Correction, Draft, SheetReading, as_topics, read_sheet
from quizapp.banks.formats.sheet.template import template

__all__ = ["HEADINGS", "Correction", "Draft", "Heading", "SheetReading", "as_topics", "read_sheet", "template"]
