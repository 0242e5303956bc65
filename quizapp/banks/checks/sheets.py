"""The check of a filled sheet: its form, and its items against the rules and against what is there, all in one round."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from quizapp.banks.checks import check_new
from quizapp.banks.checks.coverage import blueprint_faults, health_faults, literacy_faults
from quizapp.banks.faults import Fault
from quizapp.banks.formats.sheet import SheetReading, as_topics
from quizapp.banks.formats.sheet.standing_in import told_by_stand_in
from quizapp.banks.formats.sheet.wording import in_sheet
from quizapp.banks.parsed import ParsedBanks


def check_sheet(reading: SheetReading, banks: ParsedBanks, today: date) -> list[Fault]:
    """All faults of the rows, in their order. A row whose form is wrong in one column is judged by the others."""
    unsure = {draft.item.line: draft.unsure for draft in reading.drafts}
    found = check_new([*reading.items, *(draft.item for draft in reading.drafts)], banks, today)
    told = [in_sheet(fault) for fault in found if not told_by_stand_in(fault, unsure.get(fault.line, ()))]
    return sorted([*reading.faults, *told], key=lambda fault: (fault.line, fault.code))


def left_short(reading: SheetReading, banks: ParsedBanks) -> list[Fault]:
    """What the banks lack while the corrected items wait for their review: coverage counts approved items alone."""
    after = replace(banks, topics=as_topics(reading.items, banks))
    was, now = (
        [fault for rule in (literacy_faults, health_faults, blueprint_faults) for fault in rule(state)]
        for state in (banks, after)
    )
    return [fault for fault in now if fault not in was]
