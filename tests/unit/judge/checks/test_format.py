"""Formats of texts, each held against the examples of its standard, and JSON against a schema."""

import ipaddress
import json
import sys
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.declare.check_code import add_code
from segue.declare.contracts import read_contracts
from segue.declare.problems import Problems
from segue.judge.json_schema import make_validator
from segue.protocols import Context
from segue.registry import load_check
from segue.spec.contract import Verdict
from tests.unit.judge.checks.tables import (
    bind_values,
    find_failing,
    measure,
    part_rows,
    read_contract,
    slice_check,
)
from tests.unit.judge.judging import make_check

GOOD = {
    "email": [
        "a@b.co",
        "first.last+tag@sub.example.co.uk",
        "o'neil!#$%&*/=?^_`{|}~-@example.com",
        f"{'a' * 64}@example.com",
        "x@xn--bcher-kva.example",
        "1@2.a3",
    ],
    "uuid": [
        "00000000-0000-0000-0000-000000000000",
        "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
    ],
    "url": [
        "https://example.com",
        "http://user:pw@example.com:8080/a%20b/c;d?q=1&r=[2]#top".replace("[2]", "2"),
        "ftp://ftp.example.com/",
        "http://[2001:db8::1]:80/",
        "https://127.0.0.1?x",
        "s3://bucket/key",
    ],
    "date": ["2024-02-29", "2000-02-29", "1999-12-31", "0001-01-01"],
    "time": ["00:00:00", "23:59:59.999999999", "09:30:00Z", "09:30:00+05:30", "23:59:60Z"],
    "timestamp": [
        "2024-02-29T09:30:00Z",
        "2024-01-31t09:30:00.5z",
        "2024-01-31 09:30:00",
        "1998-12-31T23:59:60+00:00",
    ],
    "ipv4": ["0.0.0.0", "255.255.255.255", "192.168.1.10"],
    "ipv6": ["::", "::1", "2001:db8::8a2e:370:7334", "1:2:3:4:5:6:7:8", "::ffff:192.0.2.128"],
    "json": [
        "{}",
        "[1, 2.5e3]",
        ' "NaN, [1,]" ',
        "null",
        '{"a": ",]", "inf": "x\\"nan,}"}',
        "1e400",
    ],
}
BAD = {
    "email": [
        "",
        "a",
        "a@b",
        "a b@example.com",
        ".a@example.com",
        "a..b@example.com",
        "a.@example.com",
        "a@-b.com",
        "a@b-.com",
        "a@b..com",
        "a@1.2.3.4",
        f"{'a' * 65}@example.com",
        f"a@{'.'.join(['b' * 63] * 4)}",
        f"a@{'b' * 64}.com",
        "ä@example.com",
        "a@example.com\n",
        "<a@example.com>",
        "a@example.com, b@example.com",
    ],
    "uuid": [
        "",
        "{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}",
        "f81d4fae7dec11d0a76500a0c91e6bf6",
        "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "g81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "٠0000000-0000-0000-0000-000000000000",
    ],
    "url": [
        "",
        "example.com",
        "//example.com",
        "https://",
        "https:///path",
        "https://exa mple.com",
        "https://example.com/ü",
        "https://example.com/%zz",
        "https://example.com:port/",
        "https://example.com/a|b",
        "http://[::1",
        "http://[not-an-address]/",
        "mailto:a@example.com",
        "1http://example.com",
    ],
    "date": [
        "",
        "2023-02-29",
        "1900-02-29",
        "2024-13-01",
        "2024-04-31",
        "2024-00-10",
        "2024-1-1",
        "24-01-01",
        "20240101",
        "2024-01-01T00:00:00",
        "٢٠٢٤-01-01",
    ],
    "time": [
        "",
        "24:00:00",
        "09:30",
        "9:30:00",
        "09:60:00",
        "22:59:60Z",
        "09:30:00+24:00",
        "09:30:00.",
    ],
    "timestamp": [
        "",
        "2024-01-31",
        "2023-02-29T09:30:00Z",
        "2024-01-31T24:00:00Z",
        "2024-01-31  09:30:00",
        "2024-01-31T09:30Z",
    ],
    "ipv4": ["", "256.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4 ", "1.2.3.4/24"],
    "ipv6": ["", ":", ":::", "1::2::3", "12345::", "1:2:3:4:5:6:7", "::1%eth0", "::1/64", "g::"],
    "json": [
        "",
        "[1,]",
        "{'a': 1}",
        "NaN",
        "[Infinity]",
        "-inf",
        '{"a": 1,}',
        "[1] x",
        "01",
        "[nan]",
        "\ufeff[]",
    ],
}


@pytest.fixture
def texts(session):
    def bind(values):
        import pyarrow as pa

        session.bind("orders", pa.table({"x": pa.array(values, pa.string())}))
        return session

    return bind


@pytest.mark.parametrize("name", sorted(GOOD))
def test_good_texts_pass_with_null(texts, name):
    session = texts([*GOOD[name], None])
    (found,) = measure(session, make_check("format", name, ["x"]))
    assert found.failing == 0, [row["x"] for row in found.sample]


@pytest.mark.parametrize("name", sorted(BAD))
def test_bad_texts_fail_one_by_one(texts, name):
    session = texts([*BAD[name], *GOOD[name]])
    check = load_check("format")
    predicate = check.failing(
        make_check("format", name, ["x"]),
        {"x": session.describe("select * from orders").find("x").type},
        "orders",
    )
    found = session.fetch(f"select x from orders where {predicate}").column(0).to_pylist()
    assert found == BAD[name]


def test_every_format_has_examples():
    with pytest.raises(ValueError, match="there is no format") as raised:
        load_check("format").read("no format at all")
    assert all(name in str(raised.value) for name in GOOD)


FEW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
PIECES = st.lists(
    st.sampled_from(["0", "1", "ffff", "12345", ":", "::", "1.2.3.4", "256", "."]), max_size=12
)


@FEW
@given(st.lists(PIECES.map("".join), min_size=1, max_size=30))
def test_addresses_are_those_that_python_reads(texts, values):
    for name, read in (("ipv4", ipaddress.IPv4Address), ("ipv6", ipaddress.IPv6Address)):
        expected = 0
        for value in values:
            try:
                read(value)
            except ValueError:
                expected += 1
        assert find_failing(texts(values), make_check("format", name, ["x"])) == expected


@FEW
@given(st.lists(st.tuples(*[st.integers(0, 40)] * 2, st.integers(1, 9999)), max_size=20))
def test_dates_are_those_of_the_calendar(texts, parts):
    def exists(month, day, year):
        try:
            return bool(date(year, month, day))
        except ValueError:
            return False

    values = [f"{year:04}-{month:02}-{day:02}" for month, day, year in parts]
    expected = sum(not exists(*each) for each in parts)
    assert find_failing(texts(values), make_check("format", "date", ["x"])) == expected


SCHEMA = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "integer"}, "tags": {"items": {"type": "string"}}},
}
DOCUMENTS = [
    '{"id": 1}',
    '{"id": 1, "tags": ["a"]}',
    '{"id": "1"}',
    '{"id": "1"}',
    '{"id": 1, "tags": [2]}',
    "{}",
    "[]",
    "not json",
    '{"id": NaN}',
    None,
]


@pytest.mark.parametrize("rows", [{}, {"where": "true"}])
def test_json_against_a_schema(texts, rows):
    session = texts(DOCUMENTS)
    (found,) = measure(session, slice_check("format", {"json": SCHEMA}, ["x"], **rows))
    assert found.failing == 7
    assert found.rows == len(DOCUMENTS)
    assert {row["x"] for row in found.sample} <= set(DOCUMENTS[2:9])


def test_rows_that_a_schema_refuses_are_set_aside(texts, lake):
    session = texts(DOCUMENTS)
    check = make_check("format", {"json": SCHEMA}, ["x"], name="an order")
    only = slice_check("format", {"json": {"type": "array"}}, ["x"], name="l", where="x = '{}'")

    kept, rejects, report = part_rows(session, lake, check, only)

    assert kept == [('{"id": 1, "tags": ["a"]}',), ('{"id": 1}',), (None,)]
    reasons = {row[0]: row[1] for row in rejects}
    assert len(rejects) == 7
    assert reasons["{}"] == ["an order", "l"]
    assert reasons["[]"] == ["an order"]
    assert [found.failing for found in report.measurements] == [7, 1]


def test_a_schema_in_a_file(texts, tmp_path):
    (tmp_path / "order.schema.json").write_text(json.dumps(SCHEMA))
    session = texts(DOCUMENTS)
    check = make_check("format", {"json": "order.schema.json"}, ["x"])
    context = Context(folder=str(tmp_path))
    (found,) = measure(session, check, context=context)
    assert found.failing == 7
    assert "by order.schema.json" in found.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "the schema a.json can't be read: No such file"),
        ("{", "the schema a.json is not JSON"),
        ('{"type": "nonsense"}', "it is no JSON Schema at type: 'nonsense'"),
        ('{"$ref": "https://example.com/x.json"}', "the schema refers to what it does not hold"),
    ],
)
def test_a_file_that_is_no_schema_is_an_error(texts, tmp_path, text, message):
    if text is not None:
        (tmp_path / "a.json").write_text(text)
    session = texts(["1"])
    check = make_check("format", {"json": "a.json"}, ["x"])
    (found,) = measure(session, check, context=Context(folder=str(tmp_path)))
    assert found.verdict is Verdict.ERROR
    assert message in found.message


@pytest.fixture
def project(tmp_path):
    def read(schema):
        if schema is not None:
            (tmp_path / "a.json").write_text(schema)
        problems = Problems()
        text = "orders: {columns: {x: {format: {json: a.json}}}}"
        (tmp_path / "contracts.yml").write_text(text)
        found = read_contracts(tmp_path, ["orders"], (), problems)
        return add_code(found, tmp_path, problems)["orders"].digest, problems.sorted()

    return read


def test_a_changed_schema_changes_the_contract(project):
    first, second = project('{"type": "object"}'), project('{"type": "array"}')
    assert first[1] == second[1] == ()
    assert first[0] != second[0]
    assert project('{ "type":"array" }')[0] == second[0]


@pytest.mark.parametrize(
    ("schema", "message"),
    [(None, "can't be read"), ("[", "is not JSON"), ('{"type": 1}', "it is no JSON Schema")],
)
def test_a_schema_that_is_not_there_is_refused_when_the_project_is_loaded(project, schema, message):
    _, (problem,) = project(schema)
    assert message in problem.message
    assert problem.location.line == 1


def test_a_schema_by_segments_is_an_error(texts):
    check = slice_check("format", {"json": SCHEMA}, ["x"], by=("x",))
    assert "can't be judged by segments" in find_failing(texts(["{}"]), check)


def test_other_formats_by_segments_and_on_an_empty_table(texts):
    check = slice_check("format", "uuid", ["x"], by=("x",))
    assert find_failing(texts(["a", "b"]), check) == 2
    assert find_failing(texts([]), make_check("format", "uuid", ["x"])) == 0
    assert find_failing(texts([]), make_check("format", {"json": SCHEMA}, ["x"])) == 0


def test_categories_are_texts_and_numbers_are_none(session):
    bind_values(session, {"x": "enum('1.2.3.4', 'b')"}, ["'1.2.3.4'"], ["'b'"])
    assert find_failing(session, make_check("format", "ipv4", ["x"])) == 1
    assert find_failing(session, make_check("format", {"json": SCHEMA}, ["x"])) == 2
    bind_values(session, {"x": "integer"}, ["1"])
    for value in ("json", {"json": SCHEMA}):
        message = "column 'x' is int32, not a string"
        assert find_failing(session, make_check("format", value, ["x"])) == message


def test_without_the_library_a_schema_is_refused_with_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    _, problems = read_contract("columns: {x: {format: {json: {type: object}}}}")
    (problem,) = problems.sorted()
    assert "pip install 'segue[jsonschema]'" in problem.message


def test_the_engine_s_own_types_of_texts(session):
    session.bind("orders", "select uuid() as x, '[1]'::json as y")
    assert find_failing(session, make_check("format", "uuid", ["x"])) == 0
    for value in ("json", {"json": {"type": "array"}}):
        assert find_failing(session, make_check("format", value, ["y"])) == 0
    assert find_failing(session, make_check("length", 36, ["x"])) == 0


def test_deep_documents_are_refused_and_do_not_end_the_check():
    is_valid = make_validator({})
    assert not is_valid("[" * 100_000 + "]" * 100_000)
    assert is_valid("[[]]")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("emial", "there is no format 'emial': did you mean 'email'?"),
        ("[email]", "there is no format"),
        ("{json: 5}", "expected a JSON Schema or the path of a .json file, found 5"),
        ("{json: {type: nonsense}}", "it is no JSON Schema at type"),
        ("{yaml: {}}", "there is no format"),
    ],
)
def test_nonsense_is_refused_with_its_line(text, message):
    _, problems = read_contract(f"columns:\n  x: {{format: {text}}}")
    (problem,) = problems.sorted()
    assert message in problem.message
    assert problem.location.line == 2


def test_a_contract_states_a_schema_with_tolerances():
    contract, problems = read_contract(
        "columns:\n  x: {format: {json: {type: object}, warn: 1%, name: docs}}\n"
        "  y: {format: {format: uuid, severity: warn}}"
    )
    problems.check()
    docs, ids = contract.checks
    assert docs.arguments == {"format": "json", "schema": {"type": "object"}}
    assert (docs.name, ids.arguments) == ("docs", {"format": "uuid"})
