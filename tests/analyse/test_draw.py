"""`quizapp analyse draw`: the list that is drawn from is the one in the file, or it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from quizapp.cli import group

PEOPLE = "id,stratum,unit\n"
UNITS = "unit,people\n"


def run(folder: Path, content: str | bytes, *more: str) -> Result:
    (folder / "frame.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return CliRunner().invoke(group, ["analyse", "draw", str(folder / "frame.csv"), "--seed", "2026", *more])


def test_cells_are_stripped_so_that_one_list_has_one_fingerprint(tmp_path: Path) -> None:
    plain = run(tmp_path, PEOPLE + "1,a,A\n2,a,A\n3,a,B\n", "--people", "2")
    spaced = run(tmp_path, "\ufeff" + PEOPLE + " 3 , a,B\r\n1,a, A\r\n\r\n2,a,A\r\n", "--people", "2")
    assert plain.exit_code == spaced.exit_code == 0
    assert (plain.stdout, plain.stderr) == (spaced.stdout, spaced.stderr)
    assert plain.stdout.startswith("number,id,stratum,unit,weight\n1,")


@pytest.mark.parametrize(
    ("code", "content", "words", "more"),
    [
        ("id_twice", UNITS + "A,10\nB,20\nA,500\nC,30\n", "line 4: 'A' stands in line 2", ("--units", "2")),
        ("id_twice", "unit,people,stratum\nA,10,x\nA,10,y\n", "line 3", ("--units", "2")),
        ("id_twice", PEOPLE + "1,,A\n 1,,A\n", "line 3: '1' stands in line 2", ()),
        ("id_missing", PEOPLE + "1,,A\n,,B\n", "line 3", ()),
        ("id_missing", UNITS + ",4\nB,3\n", "line 2", ("--units", "2")),
        ("unit_missing", PEOPLE + "1,,A\n2,,\n", "'2' has no unit", ("--units", "2")),
        ("bad_row", UNITS + "A,99999999999999999999\nB,20\n", "line 2", ("--units", "2")),
        ("bad_row", UNITS + "A,-1\nB,20\n", "line 2", ("--units", "2")),
        ("bad_row", UNITS + f"A,{'9' * 5000}\nB,20\n", "line 2", ("--units", "2")),
        ("bad_row", PEOPLE + "1,,A,\n", "4 cells", ()),
        ("bad_heading", "ID,Stratum,Unit\n1,,A\n", "id,stratum,unit", ()),
        ("empty", "", "heading", ()),
        ("empty", PEOPLE, "nobody", ()),
        ("empty", UNITS + "A,0\nB,0\n", "nobody", ("--units", "2")),
        ("unreadable", PEOPLE + "x" * 200_000 + ",,\n", "row 2", ()),
        ("unreadable", b"id,stratum,unit\n1,\x00,A\n", "neither CSV nor xlsx", ()),
        ("not_utf8", PEOPLE.encode() + "东,,A\n".encode("gbk"), "CSV UTF-8", ()),
        ("cannot_draw", UNITS + "A,5\nB,5\n", "--units", ()),
        ("cannot_draw", PEOPLE + "1,,A\n2,,A\n", "5 are to be drawn of 2", ("--people", "5")),
        ("cannot_draw", PEOPLE + "1,a,A\n2,a,A\n3,b,A\n4,b,A\n", "too few", ("--people", "3")),
    ],
)
def test_a_list_that_cannot_be_drawn_from_is_refused_in_one_line(
    tmp_path: Path, code: str, content: str | bytes, words: str, more: tuple[str, ...]
) -> None:
    done = run(tmp_path, content, *(more if "--people" in more else ("--people", "2", *more)))
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"quizapp: refused ({code}): ")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
