"""A table held against another one, or a query: the same rows, or which are not."""

from collections import Counter
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.judge.measure import measure_table
from segue.judge.reconcile import Sides, match_columns
from segue.registry import load_check
from segue.spec.contract import Slice
from tests.unit.judge.judging import fetch_rows, make_check, make_contract

HERE = (
    "from (values (1, 10.5, 'a'), (2, 20.0, 'b'), (3, null, 'c'), (null, 40.0, null)) t(id, v, s)"
)
BY_ID = {"table": "ledger", "key": "id"}


def bind(session, there, here=HERE):
    session.bind("orders", here)
    session.bind("ledger", there)


def judge(session, value, where="", sensitive=()):
    check = replace(make_check("same_as", value), slice=Slice(where=where))
    contract = make_contract(check, sensitive=sensitive)
    schema = session.describe("select * from orders")
    return measure_table(session, "orders", contract, schema).measurements[0]


THERE = [
    (HERE, "the same 4 rows as ledger", "the same 4 rows as ledger"),
    (f"{HERE} order by id desc", "the same 4 rows as ledger", "the same 4 rows as ledger"),
    (f"select s, id, v::double as V from ({HERE}) t", "the same 4 rows", "the same 4 rows"),
    (
        f"{HERE} where id > 1",
        "4 rows here, 2 in ledger: 2 are only here",
        "4 rows here, 2 in ledger: by id, 2 are missing there",
    ),
    (
        f"{HERE} union all select 9, 1, 'z'",
        "4 rows here, 5 in ledger: 1 is only there",
        "4 rows here, 5 in ledger: by id, 1 is missing here",
    ),
    (
        f"select id, v + 1 as v, case id when 1 then 'x' else s end as s from ({HERE}) t",
        "4 rows here, 4 in ledger: 3 are only here, 3 are only there",
        "4 rows here, 4 in ledger: by id, 3 differ (v in 3, s in 1)",
    ),
    (
        f"select id, coalesce(v, 0) as v, s from ({HERE}) t where id > 0 union all select 8, 8, ''",
        "4 rows here, 4 in ledger: 2 are only here, 2 are only there",
        "by id, 1 is missing there, 1 is missing here, 1 differs (v in 1)",
    ),
    (
        f"{HERE} union all {HERE} where id = 2",
        "4 rows here, 5 in ledger: 1 is only there",
        "id is no key there: 1 key comes more than once",
    ),
]


@pytest.mark.parametrize(("there", "sets", "keyed"), THERE)
def test_same_or_not(session, there, sets, keyed):
    bind(session, there)

    found = [judge(session, value) for value in ("ledger", BY_ID)]

    assert sets in found[0].message
    assert keyed in found[1].message
    same = sets.startswith("the same")
    assert [str(each.verdict) for each in found] == [
        "pass" if same else "fail",
        "error" if "no key" in keyed else "pass" if same else "fail",
    ]
    assert found[0].sql.startswith("select ")
    assert "no key" in keyed or found[1].sql.startswith("select ")


def test_nan_and_zero_and_null(session):
    here = "from (values (1, 'nan'::double), (2, 0.0), (3, null)) t(id, v)"
    bind(session, "from (values (1, 'nan'::double), (2, '-0.0'::double), (3, null)) t(id, v)", here)

    assert [judge(session, value).verdict for value in ("ledger", BY_ID)] == ["pass", "pass"]


TOLERANCES = [
    ("0.01", "1.00::decimal(9,2)", "1.01::decimal(9,2)", 0),
    ("0.01", "1.00::decimal(9,2)", "1.02::decimal(9,2)", 1),
    (0.5, "1.0::double", "1.5::double", 0),
    (1000, "null", "1", 1),
    (1000, "'nan'::double", "1", 1),
    (1000, "'nan'::double", "'nan'::double", 0),
    (1, "9223372036854775807", "-9223372036854775807", 1),
    (1, "date '2026-01-01'", "date '2026-01-02'", 1),
    (0, "5", "5.0", 0),
    ("1%", "101::decimal(9,2)", "100::decimal(9,2)", 0),
    ("1%", "101.01::decimal(9,2)", "100::decimal(9,2)", 1),
    ("0.5%", "-100.5::double", "-100::double", 0),
    ("50%", "1", "0", 1),
    ("0%", "0", "0", 0),
]


@pytest.mark.parametrize(("tolerance", "here", "there", "failing"), TOLERANCES)
def test_tolerance(session, tolerance, here, there, failing):
    bind(session, f"select 1 as id, {there} as v", f"select 1 as id, {here} as v")

    found = judge(session, {**BY_ID, "tolerance": tolerance})

    assert found.failing == failing, found.message


def test_a_query_and_some_columns(session):
    bind(
        session,
        "from (values ('a', 30), ('b', 99)) t(store, total)",
        "from (values (1, 'a')) t(x, store)",
    )
    query = "select store, count(*) as x from ledger where total < 50 group by store"

    found = judge(session, {"sql": query, "key": ["store"], "columns": ["x"]})
    one = judge(session, {"table": "ledger", "columns": ["store"]})

    assert found.message == "the same 1 row as the query"
    assert one.message == "1 row here, 2 in ledger: 1 is only there"


def test_where_is_of_this_side(session):
    bind(session, f"{HERE} where id < 3")

    assert judge(session, "ledger", where="id < 3").verdict == "pass"


def test_samples(session):
    bind(session, "from (values (1, 10.5, 'x'), (5, 5.0, 'e')) t(id, v, s)", f"{HERE} where id < 3")

    keyed = judge(session, {**BY_ID, "columns": ["s"]}, sensitive=("s",)).sample
    sets = judge(session, {"table": "ledger", "columns": ["id"]}).sample

    assert sorted(map(str, keyed)) == sorted(
        map(
            str,
            (
                {"id": 1, "row": "differs", "s here": "***", "s there": "***"},
                {"id": 2, "row": "only here", "s here": "***", "s there": "***"},
                {"id": 5, "row": "only there", "s here": "***", "s there": "***"},
            ),
        )
    )
    assert sorted(map(str, sets)) == [
        "{'row': 'only here', 'id': 2}",
        "{'row': 'only there', 'id': 5}",
    ]


MISTAKES = [
    ("select 1 as id, 2.0 as v", "ledger", "there is no column 's' there: "),
    (f"select *, 1 as w from ({HERE}) t", "ledger", "no column 'w' here, only there: say columns"),
    (f"select * replace (v::varchar as v) from ({HERE}) t", "ledger", "here and string there"),
    (HERE, {"table": "ledger", "key": "idd"}, "there is no column 'idd' here: did you mean 'id'?"),
    (HERE, {"table": "ledger", "columns": ["w"]}, "there is no column 'w' here"),
    (HERE, {"sql": "select nothing from ledger"}, "can't be measured"),
]


@pytest.mark.parametrize(("there", "value", "message"), MISTAKES)
def test_what_can_t_be_compared_is_an_error(session, there, value, message):
    bind(session, there)

    found = judge(session, value)

    assert found.verdict == "error"
    assert message in found.message


def test_rows_stay_in_the_engine(session):
    bind(
        session,
        "select i as id, i * 2 as v from range(200000) t(i)",
        "select i as id, i * 2 as v from range(200000) t(i)",
    )

    assert judge(session, {**BY_ID}).verdict == "pass"
    assert not any("select *" in query and "count" not in query for query in session.queries)


KEYED = st.lists(
    st.tuples(st.integers(0, 5) | st.none(), st.integers(0, 2) | st.none()), max_size=8
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(here=KEYED, there=KEYED)
def test_counts_are_those_of_python(session, here, there):
    for name, rows in (("orders", here), ("ledger", there)):
        columns = {"id": [row[0] for row in rows], "v": [row[1] for row in rows]}
        session.bind(name, pa.table({k: pa.array(v, pa.int64()) for k, v in columns.items()}))
    one, other = Counter(here), Counter(there)

    sets = judge(session, "ledger")

    assert sets.failing == (one - other).total() + (other - one).total()
    mine, theirs = (Counter(row[0] for row in rows) for rows in (here, there))
    repeated = [key for key in mine if mine[key] > 1 or theirs[key] > 1]
    keyed = judge(session, BY_ID)
    if repeated:
        assert keyed.verdict == "error"
    else:
        values = dict(there)
        unlike = [key for key, value in here if key not in values or values[key] != value]
        assert keyed.failing == len(unlike) + sum(key not in mine for key, _ in there)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(here=KEYED, there=KEYED)
def test_joined_and_grouped_tell_the_same(session, here, there):
    for name, rows in (("orders", dict(here)), ("ledger", dict(there))):
        columns = {"id": [*rows], "v": [*rows.values()]}
        session.bind(name, pa.table({k: pa.array(v, pa.int64()) for k, v in columns.items()}))
    schema = session.describe("select * from orders")
    key, compared = match_columns(schema, schema, ["id"], [])

    joined = Sides("orders", "ledger", key, compared, "1")
    grouped = replace(joined, grouped=True)

    assert fetch_rows(session, joined.write_counts()) == fetch_rows(session, grouped.write_counts())
    unlike = [fetch_rows(session, each.write_unlike()) for each in (joined, grouped)]
    assert sorted(map(str, unlike[0])) == sorted(map(str, unlike[1]))


READ = [
    ("ledger", {"key": [], "compared": [], "table": "ledger"}),
    ({"same_as": "ledger", "key": "id"}, {"key": ["id"], "compared": [], "table": "ledger"}),
    (
        {"same_as": {"table": "a"}, "columns": ["x"]},
        {"key": [], "compared": ["x"], "table": "a"},
    ),
    (
        {"sql": "from a", "key": ["k"], "tolerance": 0.5},
        {"key": ["k"], "compared": [], "sql": "from a", "reads": ("a",), "tolerance": "0.5"},
    ),
]
WRONG = [
    ({"key": "id"}, "expected {table: …} or {sql: …}"),
    ({"table": "a", "sql": "from b"}, "expected {table: …} or {sql: …}"),
    ({"table": ""}, "name of a table"),
    ({"table": "a", "keys": ["id"]}, "unknown key 'keys'"),
    ({"table": "a", "key": []}, "as `key`"),
    ({"table": "a", "key": ["x", "x"]}, "comes twice"),
    ({"table": "a", "tolerance": 1}, "needs a key"),
    ({"table": "a", "key": "id", "tolerance": -1}, "as `tolerance`"),
    ({"table": "a", "key": "id", "tolerance": "1 %%"}, "as `tolerance`"),
    ({"table": "a", "key": "id", "tolerance": True}, "as `tolerance`"),
    ({"sql": "selec"}, "is not a SELECT|does not parse"),
]


@pytest.mark.parametrize(("value", "arguments"), READ)
def test_read(value, arguments):
    assert load_check("same_as").read(value) == arguments


@pytest.mark.parametrize(("value", "message"), WRONG)
def test_read_refuses(value, message):
    with pytest.raises(ValueError, match=message):
        load_check("same_as").read(value)
