"""Whatever stands in a file: each command reads it or refuses it in one line, and never breaks off."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quizapp.analyse.files import content_of
from quizapp.analyse.refusals import Refused
from quizapp.cli import group

DEEP = "[" * 100_000
HUGE = "9" * 400


def call(folder: Path, words: list[str], **files: str | bytes) -> Result:
    """A command with its files; {name} in its words is the path of one."""
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return CliRunner().invoke(group, [word.format(**{name: folder / name for name in files}) for word in words])


def told(done: Result) -> str | None:
    """None: done; else the code of the refusal. Anything else is a fault."""
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code in (0, 1), done.output
    if done.exit_code == 0:
        return None
    if done.stdout:
        return str(json.loads(done.stdout)["error"]["code"])
    lines = [line for line in done.stderr.splitlines() if line.startswith("quizapp: refused (")]
    assert len(lines) == 1, done.stderr
    return lines[0].split("(")[1].split(")")[0]


SCORES = "respondent,a,b\n1,1,0\n2,0,1\n"
ITEMS = ["analyse", "items", "{table}", "--key", "{key}"]
ONTO = ["analyse", "irt", "{table}", "--model", "rasch", "--onto", "{scale}"]
LITERACY = ["analyse", "literacy", "{table}", "--design", "{design}"]
SURE = 'sampling = "probability"\noutcome = "a"\n'


@pytest.mark.parametrize(
    ("code", "words", "files"),
    [
        ("bad_key", ITEMS, {"key": '{"items": ' + DEEP}),
        ("bad_key", ITEMS, {"key": '{"items": [["a"], "b"], "key": [1, 0]}'}),
        ("bad_key", ITEMS, {"key": '{"items": ["a", "b"], "key": [' + HUGE + ", 0]}"}),
        ("bad_key", ITEMS, {"key": b'{"items": \xff'}),
        ("bad_design", LITERACY, {"design": SURE + "x = " + DEEP}),
        ("bad_design", LITERACY, {"design": SURE + f"at_least = {HUGE}"}),
        ("bad_design", LITERACY, {"design": SURE + f"at_least = {HUGE * 20}"}),
        ("bad_design", LITERACY, {"design": SURE + "at_least = nan"}),
        ("bad_design", LITERACY, {"design": SURE + f"trim = [{HUGE}, 1]"}),
        ("bad_design", LITERACY, {"design": SURE + "trim = [nan, 1]"}),
        ("bad_design", LITERACY, {"design": SURE + "[margins.b]\n0 = 1e400"}),
        ("bad_design", LITERACY, {"design": b"\xff\xfe"}),
        ("bad_number", LITERACY, {"design": SURE, "table": "a\n1_0\n0\n"}),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_code(
    tmp_path: Path, code: str, words: list[str], files: dict[str, str | bytes]
) -> None:
    assert told(call(tmp_path, words, **{"table": SCORES, **files})) == code


def test_a_file_is_read_up_to_its_limit_and_a_pipe_too(tmp_path: Path) -> None:
    path, pipe = tmp_path / "a", tmp_path / "pipe"
    path.write_bytes(b"12345678")
    assert content_of(path, 8) == b"12345678"
    os.mkfifo(pipe)
    for content, most, code in ((b"12345", 8, None), (b"123456789" * 9, 8, "too_large")):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(pipe.write_bytes, content)
            if code is None:
                assert content_of(pipe, most) == content
            else:
                with pytest.raises(Refused, match="larger"):
                    content_of(pipe, most)
    with pytest.raises(Refused, match="larger"):
        content_of(path, 7)


def test_an_earlier_scale_that_is_none_is_refused(tmp_path: Path) -> None:
    people = "".join(f"{n},{n % 2},{n // 2 % 2},{n // 4 % 2}\n" for n in range(160))
    item = {"item": "a", "a": 1, "b": 0}
    for scale in (
        '{"model": "rasch", "items": ' + DEEP,
        '{"model": "rasch", "items": [{"item": "a", "a": 1, "b": ' + HUGE + "}]}",
        json.dumps({"model": "rasch", "items": [item, item]}),
        json.dumps({"model": "rasch", "items": [{**item, "b": 1e300}]}),
        json.dumps({"model": "rasch", "items": [3]}),
        "[]",
    ):
        assert told(call(tmp_path, ONTO, table="respondent,a,b,c\n" + people, scale=scale)) == "bad_scale"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(["a", "true_false"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def changed(document: dict[str, Any], data: st.DataObject) -> str:
    """A sound document with up to two of its values, or of its first item's, replaced by anything."""
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.sampled_from(["top", "first"]))
        items = document.get("items")
        inner = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
        spot = inner[0] if place == "first" and inner else document
        spot[data.draw(st.sampled_from(sorted(spot)) | st.text(max_size=4))] = data.draw(JSON)
    return json.dumps(document, ensure_ascii=True)


@QUICK
@given(st.data())
def test_any_pool_and_blueprint_are_used_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    item = {"type": "true_false", "a": 1.0, "b": 0.2, "benchmark": "1", "point": "1.1", "dimension": "x", "topic": "t"}
    more = {"difficulty": 3, "audience": ["all"], "options": 2, "seconds": 30, "words": 20, "exposure": 1}
    pool = {"items": [{"id": f"i{n}", **item, **more} for n in range(4)], "enemies": [["i0", "i1"]]}
    blueprint: dict[str, Any] = {
        "n_items": 2, "type_counts": {"true_false": 2}, "benchmark_max_each": 2, "max_per_point": 2, "seconds": [0, 90],
        "audience": "all", "theta": [0], "target_tif": [0.4], "tif_tolerance": 1, "pass_fraction": 0.5,
        "parallel": {"n_forms": 2, "max_use_per_item": 2}, "enemies": [["i2", "i3"]], "dimension_counts": {"x": [1, 2]},
    }  # fmt: skip
    files = {"pool": json.dumps(pool), "blueprint": json.dumps(blueprint)}
    which = data.draw(st.sampled_from(sorted(files)))
    files[which] = changed(pool if which == "pool" else blueprint, data)
    told(
        call(
            tmp_path,
            ["papers", "assemble", "--pool", "{pool}", "--blueprint", "{blueprint}", "--format", "json"],
            **files,
        )
    )


CELLS = st.text(max_size=4) | st.sampled_from(
    ["0", "1", "NA", "1e308", "-1e308", "5e-324", "9" * 30, '"', ",", "\n", "\x00", "a", "70", "-", ""]
)


@QUICK
@given(rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=6), quoted=st.booleans(), more=st.booleans())
def test_any_table_is_read_or_refused(tmp_path: Path, rows: list[list[str]], quoted: bool, more: bool) -> None:
    lines = [",".join(f'"{cell}"' if quoted else cell for cell in row) for row in rows]
    body = "\n".join(lines)
    for words, heading in (
        (["analyse", "draw", "{table}", "--seed", "s", "--people", "2"], "id,stratum,unit"),
        (["analyse", "draw", "{table}", "--seed", "s", "--people", "2", "--units", "2"], "unit,people,stratum"),
        (["analyse", "items", "{table}", "--format", "json"], "respondent,a,b"),
        (["analyse", "items", "{table}"], "respondent,item,score"),
        (["analyse", "gain", "{table}", "--format", "json"], "respondent,pre_a,post_a"),
        (["analyse", "irt", "{table}", "--model", "rasch"], "respondent,a,b"),
        ([*LITERACY, "--format", "json"], "a,b,c"),
    ):
        design = SURE + (
            'weight = "b"\nclusters = ["c"]\nstatistic = "mean"\n' if more else 'success = "1"\nstrata = "b"\n'
        )
        told(call(tmp_path, words, table=f"{heading}\n{body}", design=design))


@QUICK
@given(content=st.binary(max_size=60), name=st.sampled_from(["table", "key", "scale", "design", "pool", "blueprint"]))
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes, name: str) -> None:
    files: dict[str, str | bytes] = {
        "table": SCORES, "key": "item,key\na,1\nb,1\n", "scale": '{"model": "rasch", "items": []}', "design": SURE,
        "pool": '{"items": [{"id": "a", "type": "true_false"}]}', "blueprint": '{"n_items": 1}', name: content,
    }  # fmt: skip
    for words in (ITEMS, ONTO, LITERACY, ["papers", "assemble", "--pool", "{pool}", "--blueprint", "{blueprint}"]):
        told(call(tmp_path, words, **files))
