"""YAML is read strictly, with the line of every part."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizapp.banks.formats.marked_yaml import YamlFault, read_document


def test_text_stays_text_and_typed_fields_get_their_values():
    text = (
        "zh: 35\nen: no\nmonth: 2028-12\nkey: true\nlist: [yes, 1]\nordered: 'true'\npoint: 28\nshare: {a: 0.5, b: x}\n"
    )
    document = read_document(text.encode(), ("key", "ordered", "point", "share"))
    assert document.value == {
        "zh": "35",
        "en": "no",
        "month": "2028-12",
        "key": True,
        "list": ["yes", "1"],
        "ordered": "true",
        "point": 28,
        "share": {"a": 0.5, "b": "x"},
    }


def test_every_part_has_its_line():
    document = read_document(b"a: 1\nb:\n  - c: 2\n    d: 3\n  - e\n", ())
    assert [document.line(path) for path in (("a",), ("b", 0, "c"), ("b", 0, "d"), ("b", 1))] == [1, 3, 4, 5]
    assert document.line(("b", 1, "unknown")) == 5
    assert document.line(("unknown",)) == 1


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"a: 1\nb: 2\na: 3\n", "duplicate_field", 3),
        (b"a: [1\nb: 2\n", "yaml", 2),
        (b"a: 1\n b: 2\n", "yaml", 2),
        (b"a: 1\n\xff: 2\n", "not_utf8", 2),
        (b"", "empty_file", 1),
        (b"# only a comment\n", "empty_file", 1),
        (b"a: 1\n---\nb: 2\n", "yaml", 2),
        (b"a: &x [*x]\n", "yaml", 1),
        (b"a: 1\nb: !!python/object:os.system x\n", "yaml", 2),
        (b"a: 1\n[x, y]: 2\n", "yaml", 2),
        (b"a: \x07\n", "yaml", 1),
    ],
)
def test_what_is_not_our_yaml_is_refused_with_its_line(content, code, line):
    with pytest.raises(YamlFault) as caught:
        read_document(content, ())
    assert (caught.value.code, caught.value.line) == (code, line)


def test_a_byte_order_mark_is_no_fault():
    assert read_document(b"\xef\xbb\xbfa: x\n", ()).value == {"a": "x"}


@given(st.binary(max_size=80) | st.text(alphabet="ab:-[]{}&*!|>'\"\n #,?0", max_size=40).map(str.encode))
def test_any_bytes_are_read_or_refused_with_a_line(content):
    try:
        line = read_document(content, ("a",)).lines[()]
    except YamlFault as fault:
        line = fault.line
    assert 1 <= line <= len(content) + 1
