"""What sqlglot writes is run only where DuckDB reads the same in it."""

import pytest

from segue import registry
from segue.engines.dialects.original import Original, parse_plainly
from segue.spec.step import PlaceSpec


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    with registry.load_local_engine().open(
        PlaceSpec("local"), tmp_path_factory.mktemp("local")
    ) as session:
        yield session


COLUMNS = ["a", "b", "g", "j", "li", "s", "x"]

SAME = """
json_extract(j, 'a.b')
j -> 'a'
j ->> 0
log10(x)
jaro_winkler_similarity(s, g, 0.9)
list_sort(li, 'desc', 'nulls last')
list_transform(li, lambda x: x + 1)
[x + 1 for x in li if x > 1]
struct_pack(a := 1, b := x)
x::varchar
x::hugeint
date_diff('week', a, b)
if(a, 1, 2)
interval 1 day
date '2020-01-01'
substr(s, 2, 3)
s[1:2]
range(5)
x ** 2 // 3
s not like '%a' escape 'b'
""".strip().splitlines()


@pytest.mark.parametrize("text", SAME)
def test_an_expression_that_is_written_again_is_the_same(local, text):
    query = f"select {text} as v from t"
    written = parse_plainly(query).selects[0].this.sql("duckdb")
    original = Original(query, local)
    assert original.holds(written)
    assert original.is_value(written, COLUMNS)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("log10(x)", "log(10, x)"),
        ("j -> 'a.b'", "j -> '$.a.b'"),
        ("s = 'A'", "s = 'a'"),
        ("x::json", "x::varchar"),
        ("jaro_winkler_similarity(s, g, 0.9)", "jaro_winkler_similarity(s, g)"),
    ],
)
def test_an_expression_that_is_another_is_told(local, text, other):
    query = f"select {text} as v, regexp_replace(s, 'a', 'b', g) from t"
    assert not Original(query, local).holds(other)


@pytest.mark.parametrize(
    "text",
    [
        "random() + 1",
        "now() > x",
        "ago(x)",
        "current_timestamp",
        "list_transform(li, lambda y: y + z)",
        "assert_true(x)",
        "nextval('s')",
        "sum(x)",
        "list_sum(list(x))",
        "row_number() over ()",
        "(select 1)",
        "x in (select 1)",
        "unnest(x)",
        "columns(*)",
        "no_such_function(x)",
        "$1",
    ],
)
def test_what_depends_on_more_than_its_row_is_no_value(local, text):
    assert not Original("select 1", local).is_value(text, COLUMNS)
