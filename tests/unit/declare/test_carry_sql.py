"""SELECTs over a table with a telling value: what DuckDB puts where, and what is found."""

import duckdb
import pytest

from segue.declare.carry_sql import carry_through
from segue.spec.sensitive import Sensitive

CANARY = "hunter2canary"
HELD = frozenset({"t.mail"})
TABLES = {"t": dict.fromkeys(("mail", "s", "l"), HELD)}

EXACT = [
    "select upper(mail) from t",
    "select id, upper(MAIL) as m, count(*) over (partition by mail) as n from T",
    "select (select max(mail) from t) as x, id from o",
    "select (select max(mail) from t), id from o",
    "select s.m, id from t",
    "select t.s.m, id from t",
    "select (s).m, id from t",
    "select s['m'], id from t",
    "select t from t",
    "select x.t, id from (select t, id from t) x",
    "select #2, id from t",
    "select (mail), ((mail)) as k, id from t",
    "select unnest(l), id from t",
    "select unnest(l) as u, id from t",
    "select * from t, unnest(t.l) u",
    "select id, x from t, unnest(t.l) as u(x)",
    "select * rename (mail as e2) from t",
    "select * replace (upper(mail) as mail) from t",
    "select * replace ('x' as mail) from t",
    "select t.* exclude (mail) from t",
    "select * exclude (mail, s, l) from t",
    "select * like 'M%' from t",
    "select * not like 'M%' from t",
    "select mail as a, a || 'x' as b, id as c from t",
    "select columns(* exclude (id, n, s, l)) from t",
    "select count(columns(*)) from t",
    "from t",
    "from t select mail, id",
    "select * from o semi join t using (id)",
    "select o.* from o left join t on o.id = t.id",
    "select t.*, o.* exclude (id) from o left join t on o.id = t.id",
    "select * exclude (t.mail) from o join t using (id)",
    "select * from (t join o using (id))",
    "select a.mail, a.id from ((select * from t) a join o using (id))",
    "select o.id, m from o, lateral (select upper(t.mail) as m from t where t.id = o.id) x",
    "select e, k from (select mail e, id k from t) group by all",
    "with recursive r as (select mail e, id k from t union all from r where k > 3) from r",
    "with a(x, y) as (select id, mail from t) select y, x from a",
    "with z as (from t), y as (from z select mail, id) from y",
    "with t as (select id, 'x' as mail from o) select * from t",
    "select id, w.mail from (select id, 'x' as mail from o) w",
    "select id, what from o union all select id, mail from t",
    "select id, what from o union all by name select id, mail as what from t",
    "select id, mail from t union all select id, what from o",
    "select id, what from o except select id, mail from t",
    "select list(mail order by id) as x, list(id order by mail) as y from t",
    "select string_agg(mail, ',') as x, count(distinct mail) as d, max(mail) from t",
    "select arg_max(mail, id) as x, any_value(mail) as y, mode(mail) as w, min(id) as i from t",
    "select percentile_disc(0.5) within group (order by mail) as x from t",
    "select count(*) filter (where mail like 'h%') as k, sum(n) as s from t",
    "select row_number() over (order by mail) as r, first_value(mail) over () as f from t",
    "select mail is not null as has, mail is null as lacks, id from t",
    "select exists(select mail from t) as has, id from o",
    "select case when id = 1 then mail end as m, id from t",
    "select {'a': mail, 'b': id} as st, to_json(t) as j, map([id], [mail]) as m, id from t",
    "select list_transform(l, lambda x: x || 'a') as y, id from t",
    "select [x for x in l] as q, id from t",
    "select id, mail.upper() as u from t",
    "select id, l.list_transform(lambda x: x) from t",
    'select x."upper(mail)" as plain, id from (select upper(mail), id from t) x',
    'select mail as "Adresse E", id from t',
    "select id from t where mail like 'h%' order by mail",
    "select id, sum(n) as s from t group by id, mail having max(mail) > 'a'",
]
CAREFUL = [
    "select min(columns('M.*')), min(id) from t",
    "select s.* from t",
    "select unnest(s) from t",
    "select * from t as u(a, b)",
    "select columns(lambda c: c like 'M%') as 'm_\\0' from t",
    "pivot (select id, mail, n from t) on n using max(mail)",
    "unpivot (select id, mail, land from t) on mail, land into name k value v",
    "select * from (select id, mail from t) unpivot (v for k in (mail))",
    "select * from o union all select id, mail, n from t",
    "with a(x, y, z) as (select * from t) select y, x from a",
    "with recursive r(e, k) as (select mail, 1 from t union all from r where k > 3) from r",
    "select md5(mail) as x, length(mail) as n, mail || '!' as z from t",
    "from (summarize t)",
]


@pytest.fixture(scope="module")
def tables():
    with duckdb.connect() as session:
        session.execute(
            f"create table t as select 1 as id, '{CANARY}' as Mail,"
            f" {{'a': 1, 'm': '{CANARY}'}} as s, ['{CANARY}', null] as l, 7 as n, 'de' as land"
        )
        session.execute("create table o as select 1 as id, 'x' as what, 3 as amount")
        yield session


def look(tables, query):
    """Return the columns of a query that hold the value, and those that are found."""
    found = carry_through(query, TABLES)
    result = tables.execute(query)
    names = [told[0] for told in result.description]
    rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    holding = {name for row in rows for name, cell in row.items() if CANARY in str(cell).lower()}
    sensitive = Sensitive({name: tuple(held) for name, held in found.items()})
    return holding, {*sensitive.among(names)}


@pytest.mark.parametrize("query", EXACT)
def test_columns_that_hold_a_value_are_found_and_no_others(tables, query):
    holding, found = look(tables, query)
    assert found == holding


@pytest.mark.parametrize("query", CAREFUL)
def test_in_doubt_more_columns_are_found(tables, query):
    holding, found = look(tables, query)
    assert holding <= found
    assert found


def test_where_it_came_from_is_kept():
    tables = {"a": {"x": frozenset({"a.x"})}, "b": {"x": frozenset({"raw.y"})}}
    assert carry_through("select a.x || b.x as z, a.x as w from a, b", tables) == {
        "z": {"a.x", "raw.y"},
        "w": {"a.x"},
    }


def test_what_is_said_not_to_be_sensitive_goes_before_all_columns():
    tables = {"a": {"*": frozenset({"raw.x"}), "id": frozenset()}}
    found = carry_through("select *, id as k, other as o from a", tables)
    sensitive = Sensitive({name: tuple(held) for name, held in found.items()})
    assert sensitive.among(["id", "k", "o", "z"]) == ("o", "z")
