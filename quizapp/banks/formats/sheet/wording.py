"""Faults of a row, in terms of its columns: by heading, with examples of what to write in a cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from quizapp.banks.faults import Fault
from quizapp.banks.formats.sheet.columns import BY_NAME, EXAMPLES, OPTIONS, choice_words, column_of

#: Faults of a file's form that are others in a sheet.
_CODES = {
    "missing_field": "cell_missing",
    "empty_text": "cell_missing",
    "wrong_type": "cell_form",
    "wrong_pattern": "cell_form",
    "not_one_of": "cell_choice",
}
#: Rules of form that name a field in their data.
_NAMED = ("english_has_chinese", "chinese_missing", "markup", "formula")
#: Rules of content whose cure is another in a sheet, where a column is filled in and not a field written.
_CURES = {
    "numbers_not_ascending": 'Sort them from small to large and write yes under "Keep order"',
    "numbers_not_ordered": 'Write yes under "Keep order"',
    "labels_not_ordered": 'Write yes under "Keep order"',
    "audience_missing": 'Write whom it is for under "Audience", such as resident',
    "use_both": 'Write test or practice under "Use"; what the test asks is not practised',
    "picture_missing": 'Change "Stimulus"; a drawing is sent beside the file, for the maintainers to put in',
    "picture_spoken_of": "Give what it shows in words; a drawing is sent beside the file, for the maintainers to put in",
    "fact_practised": 'Ask something else, or correct "Use"',
    "point_missing": 'Write the number of its point under "Benchmark point", 1 to 132',
    "point_not_allowed": 'Empty "Benchmark point"; only literacy has points',
}


def in_sheet(fault: Fault, letters: Sequence[str] = OPTIONS) -> Fault:
    """The fault with its column: data["column"] its name, data["what"] its English heading for the terminal.

    `letters`: the ids of the options of the row. data["codes"]: what may be written, as codes.
    """
    data = dict(fault.data)
    code = _CODES.get(fault.code, fault.code)
    # some rules of content name a field in their data: the rationale repeats the stem, the English of option c is Chinese
    named = data.get("what") if fault.check != "format" or code in _NAMED else None
    at = str(named or fault.at)
    column = column_of(at, letters) if at else ""
    if column in BY_NAME:
        data |= {"column": column, "what": BY_NAME[column].en}
    if "given" in data:
        data["given"] = str(data["given"]).strip('"')
    if code == "cell_form":
        data["example"] = (
            "true, false" if fault.at == "key" and "true" in str(data.get("wanted")) else EXAMPLES.get(column, "1")
        )
    elif code == "cell_choice":
        data["codes"] = str(data["wanted"]).split(", ")
        data["wanted"] = choice_words(column, data["codes"], "en")
    elif code == "wrong_count":
        data["wanted"] = str(data["wanted"]).replace(" to ", "–").replace(" or more", "+")
    elif code == "sheet_example_left":
        data["what"] = ", ".join(BY_NAME[name].en for name in data["columns"])
    elif code == "sheet_id_type":
        data["type_word"] = choice_words("type", [str(data["type"])], "en")
    return replace(fault, code=code, data=data, advice=_CURES.get(code, fault.advice))
