"""Rows and queries by which Spark's SQL is compared with DuckDB's."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

NAN, INF = float("nan"), float("inf")
MOMENTS = [
    dt.datetime.fromisoformat("2020-01-31T01:02:03.000004"),
    dt.datetime.fromisoformat("2021-02-28T00:00:00"),
    None,
    dt.datetime.fromisoformat("1969-12-31T23:59:59.999999"),
    dt.datetime.fromisoformat("2024-02-29T12:00:00"),
]
STRUCT = pa.struct([("a", pa.int32()), ("B", pa.string())])
TABLE = pa.table(
    {
        "i": pa.array([1, 2, None, -7, 2**31 - 1], pa.int32()),
        "b": pa.array([2**63 - 1, 1, None, -2, 0], pa.int64()),
        "y": pa.array([1, -128, None, 127, 0], pa.int8()),
        "f": pa.array([0.5, NAN, None, -1.25, INF], pa.float64()),
        "r": pa.array([0.1, NAN, None, -1.25, 2.5], pa.float32()),
        "d": pa.array(
            [Decimal(x) if x else None for x in ("1.50", "-2.25", "", "0.00", "12345678.99")],
            pa.decimal128(18, 2),
        ),
        "s": pa.array(["a", "B c", None, " x\u00a0", "Äpfel"]),
        "n": pa.array(["1", " 2 ", None, "1.5", "1e2"]),
        "g": pa.array(["x", "x", None, "y", None]),
        "o": pa.array([True, False, None, True, False]),
        "w": pa.array(["trUe", "F", None, "1", "no"]),
        "day": pa.array([None if m is None else m.date() for m in MOMENTS]),
        "ts": pa.array(MOMENTS, pa.timestamp("us")),
        "tz": pa.array(MOMENTS, pa.timestamp("us", "UTC")),
        "u": pa.array([255, 0, None, 1, 2], pa.uint8()),
        "ul": pa.array([2**64 - 1, 0, None, 1, 2], pa.uint64()),
        "tm": pa.array([1, 0, None, 5, 2], pa.time64("us")),
        "du": pa.array([1, 0, None, 5, 2], pa.duration("ms")),
        "st": pa.array([{"a": 1, "B": "x"}, {"a": 2, "B": None}, None, None, None], STRUCT),
        "li": pa.array([[1], [], None, [None, 2], [1]], pa.list_(pa.int64())),
        "odd name": pa.array([1, 2, 3, 4, 5]),
    }
)
OTHER = pa.table(
    {
        "g": pa.array(["x", None, "z"]),
        "i": pa.array([1, 2, 9], pa.int64()),
        "h": pa.array([10, 20, 30], pa.int32()),
        "f": pa.array([NAN, 0.5, 1.0]),
    }
)
TABLES = {"t": TABLE, "v": OTHER, "empty": TABLE.slice(0, 0)}
MAPS = pa.table(
    {
        "g": pa.array(["x", "a", None, "b"]),
        "mp": pa.array(
            [[("a", 1), ("b", None)], [], None, [("b", 3)]], pa.map_(pa.string(), pa.int64())
        ),
    }
)

EVERYWHERE = """
select * from t
select "odd name" as "x y.z`" from t
select i, count(*) n, count(b) m, sum(i) s, sum(b) sb, avg(i) ai, avg(b) ab from t group by i
select sum(b) s, avg(b) a, sum(y) y, avg(y) ay, sum(d) d, avg(d) ad, sum(u) u, avg(u) au from t
select sum(b) s, avg(b) a, count(*) c, max(s) m from empty
select g, i from t group by all order by all
select g, sum(i) s from t group by all order by all desc
select g, 1 as one, count(*) n, sum(i) over () from t group by all
select * from t order by f, i
select * from t order by f desc, i desc
select substring(s, 1, 2) a, left(s, 1) c, right(s, 2) d, s || 'x' e, concat(s, 'x', g) f from t
select replace(s, 'a', 'bb') a, lpad(s, 3, '*') b, repeat(s, 2) c, strpos(s, 'p') d, s || i e from t
select starts_with(s, 'a') a, contains(s, 'p') b, ends_with(s, 'l') c, length(s) d from t
select trim(s) a, ltrim(s) b, rtrim(s) c, trim(s, 'aB') d from t
select s like 'B%' a, s not like '%c' b, s ilike 'b%' c, s like '_' d from t
select year(day) a, month(ts) b, day(tz) c, hour(ts) d, minute(ts) e, second(ts) f from t
select date_trunc('month', day) a, date_trunc('hour', ts) b, date_trunc('week', tz) c from t
select strftime(ts, '%Y-%m-%d %H:%M:%S') a, strftime(day, '%d.%m.%Y') b from t
select day > '2020-01-01' b, ts >= '2020-01-31 00:00:00' c, day = ts d, tz = ts e from t
select i is null a, o is true c, i is distinct from 1 d, not o f, o and i > 1 g, o or null h from t
select i from t where i not in (select h from v)
select i from t where i in (select i from v)
select i from t where exists (select 1 from v where v.i = t.i)
select i from t where not exists (select 1 from v where v.g = t.g)
select i, (select max(h) from v where v.g = t.g) m from t
select g, t.i a, v.i b, v.h from t join v using (g)
select g, t.i a, v.i b, v.h from t left join v using (g)
select g, t.i a, v.i b, v.h from t full join v using (g)
select i, t.g a, v.g b, v.h from t right join v using (i)
select i, g, y, h from t semi join v using (g)
select i from t anti join v using (g)
select t.i, v.h from t cross join v
select t.i, v.h from t, v where t.i = v.i
select i from t union select i from v
select i from t union all select i from v
select i, row_number() over (order by i) r, rank() over (order by g) k from t
select i, g from t qualify row_number() over (partition by g order by i) = 1
select distinct on (g) g, i from t order by g, i
select g, count(*) filter (where i > 1) c, count(distinct b) d from t group by g
select g, any_value(y) is null h from t group by g
with c as (select g k, count(*) as n from t group by 1) select * from c order by 2 desc, 1
select x.k, x.n from (select g as k, count(*) n from t group by all) x where n > 1
select g, count(*) from t group by g having count(*) > 1
select g, i, count(*) from t group by rollup (g, i)
select * exclude (f, r) from t
select * from t limit 0
select i from t order by i limit 2 offset 1
select i from t order by i desc nulls first limit 1
select u, ul, tm, du from t order by tm, du, u, ul
select u > 1 a, ul = 1 b, tm = tm c, max(tm) over () d, du < du e from t
select tm, count(*) from t group by tm
select li, count(*) from t group by li
select coalesce(i, 0) c, nullif(i, 1) d, ifnull(s, 'none') e, if(o, 1, 2) f from t
select case when i > 1 then 'a' else s end g, case i when 1 then 1.5 end h from t
select i from t where s = 'it''s \\n {x}'
select 'a\\b{c}' as x, 'ü' as y
from t select i
values (1, 'a'), (2, null)
select count(*) from empty
select i, g from empty group by all
select nothing from t
select i from nowhere
selec i from t
select i as a, b as a from t
"""

SPARK = """
select (select i from v)
select sum(ul) from t
select distinct f, r from t
select i, min(f) mf, max(f) xf, sum(f) sf from t group by i
select i/2 q, b/3 w, f/0 e, d/3 x, i/i z, f/f ff, r/3 rr, 1/0 as k from t
select b // 2 as x, b % 3 as m, -7 // 2 as k, mod(b, 5) n from t where b <> 0
select 5 // 0
select 5 % 0
select i + 1 a from t
select y + 1 c from t
select y + 1 c from t where y < 100
select b + 1 c from t
select i * d m, d + d a, d - 1 s, d * 2.5 k, i + 1.5 l from t where i < 100
select f + 1.5 as n, r + 1.5 o, r * 2 as p from t
select sum(i * (1 - d)) a, sum(d * d) b, avg(d * 2) c from t where i < 100
select b + i a, b - y c, i - 1 e, -i as f, -d as g from t where b < 100 and y > -100
select r = 0.1 e, f = 0.5 g, r < 0.2 h, i = 1.0 j, d = 1.5 k, b > 1.5 l from t
select f > 1 a, f < 1 b, f >= 'nan'::double c, f = 'nan'::double d, isnan(f) e from t
select n::int i, n::bigint b, n::double d, n::decimal(10,1) e from t
select w::bool b from t
select s::int from t
select 'x'::date
select '2020-01-02'::date a, '2020-1-2'::date b, ' 2020-01-02 '::date c
select '2020-01-02 03:04:05'::timestamp d, '2020-01-02 03:04:05.5'::timestamp e
select 2.5::double::int a, 3.5::double::int b, -2.5::int c, 2.5::int d
select 1.005::double::decimal(10,2) e, 1e10::double::decimal(18,3) as g
select f::int from t
select b::int from t
select i::tinyint from t
select i::varchar a, d::varchar b, o::varchar c from t
select day::varchar d, ts::varchar e, tz::varchar f from t
select i::double a, d::double b, f::float c, i::decimal(12,2) d, o::int e, i::bool as g from t
select day::timestamp a, ts::date b, tz::timestamp c, ts::timestamptz d, tz::date e from t
select quarter(day) g, week(day) h, dayofweek(day) i, isodow(day) j, dayofyear(day) k from t
select date_diff('day', day, date '2020-03-01') a from t
select date_diff('month', ts, date '2020-03-01') b from t
select day + 1 a, day - 1 b, day - date '2020-01-01' c, day + interval 1 month d from t
select ts + interval 1 day e, ts - interval 2 hours f, tz + interval 3 minutes g, ts - tz h from t
select date '2020-01-31' + interval 1 month a, date '2020-03-31' - interval 1 month b
select make_date(2020, 2, 29) a
select round(f, 2) a, round(d, 1) b, round(i) c, floor(f) e, ceil(f) g, floor(d) h, abs(i) j from t
select round(2.675::double,2) a, round(1.005::double,2) b, round(-0.4::double) c, floor(7::int) g
select sqrt(4) a, sqrt(f) b from t
select greatest(i, 1) a, least(f, 1.0::double) b, coalesce(i, b) c, coalesce(y, 1000) d from t
select i in (1, 2) a, i not in (1, null) b, i between 1 and 5 c, s in ('a', 'b') d from t
select t.i, v.h from t join v on t.f = v.f
select i from t except select i from v
select i from t except all select i from v
select g from t intersect select g from v
select g from t intersect all select g from v
select f from t union select f from v
select i, lag(i) over w a, lead(i, 1, 0) over w b from t window w as (order by "odd name")
select i, first_value(i) over (partition by g order by "odd name") c from t
select i, sum(d) over (order by "odd name" rows between 1 preceding and current row) s from t
select i, sum(i) filter (where i > 0) over () f, avg(i) over (order by "odd name") a from t
select g, sum(i) filter (where o) s, sum(distinct y) e from t group by g
select g, bool_and(o) b, bool_or(o) k from t group by g
select g, count(*) from t group by cube (g)
select g, count(*) from t group by grouping sets ((g), ())
select * replace (y as i) from t
select st.a x, st.b y, li from t
select st, count(*) from t group by st
select null as x, 1 as one, 'a' as s, true as t, 1.50 as d, 1e3 as e, date '2020-01-01' as f
select i as k, k + 1 as l from t where i < 5
select sum(i) * 2 a, sum(i) / count(*) b, sum(d) / 2 c, avg(i) + 1 d from t
select upper(s) a, lower(s) b, upper('straße ŒÉ') c, lower('ΑΣ İÄ') d from t
select list(i order by i) a, list(i order by i desc) b, string_agg(s, ',' order by s) c from t
select g, list(f order by f desc, i) a from t group by g
select g, array_agg(b order by b) filter (where b > 0) d from t group by g
select list(i order by i) a, string_agg(s, '-' order by i) b from empty
select li[1] a, li[2] b, len(li) c from t
select unhex('00FF') as b
with a as (select i from t), b as (select max(i) m from a) select a.i, b.m from a, b
select t1.i from t t1 where t1.i > (select avg(i) from t t2 where t2.g = t1.g)
select sum(i) over (partition by g) / sum(i) over () as share from t where i < 100
"""

FUNCTIONS = (Path(__file__).parent / "spark_functions.sql").read_text()

_NUMBERS = (
    " 1 |1.5|2.5|-1.5|0.49999999999|0.4999999999999999999|1e2|1.5e1|15e-1|1e|abc|| |+5|"
    "9999999999999999999|2147483648|1e400|1e-400|nan|NaN|inf|Infinity|-inf|1.|.5|-|1 2|1d|1f|"
    "t|T|true|yes|no|y|n|on|off|0|1|2|f| true |\t5|5\u00a0|\u0663|\uff11"
)
_DAYS = "2020-01-02|2020-1-2| 2020-01-02 |2020-02-30|2020-01|x||20200102"
_TIMES = (
    "2020-01-02|2020-01-02 03:04:05|2020-01-02T03:04:05.123456|2020-01-02 03:04|2020-02-30 01:01|x|"
)
READ = [
    (texts, kind)
    for texts, kinds in (
        (_NUMBERS, "int bigint tinyint double float decimal(10,2) boolean varchar"),
        (_DAYS, "date"),
        (_TIMES, "timestamp timestamptz"),
    )
    for kind in kinds.split()
]
"""Texts that are read as a type, or can't be."""

REFUSED = """
select list(i) from t
select random()
select random() + exp(y) from t
select printf('%f', random()) from t
select current_setting('threads') from t
select ago(interval 1 day) from t
select i from t order by g::enum('y', 'x')
select s from t order by i::bit
select max(li) from t
select list_sum(list(i)) from t
select unnest(li) a, unnest(li) b from t
select t.i from t asof join v on t.i >= v.i
select t.i from t left join v on printf('%d', t.i) = printf('%d', v.i)
select t.i from t full join v on exp(t.y) = v.f
select t.i from t anti join v on printf('%d', t.i) = printf('%d', v.i)
select i from t where exists (select 1 from v where levenshtein(t.s, v.g) < 3)
select a from (values (printf('%d', 1)), ('b')) w(a)
select * from range(3)
select i from t using sample 10%
select sum(i) over (order by i range between 1 preceding and current row) from t
"""

DELEGATED = (Path(__file__).parent / "spark_delegated.sql").read_text()
"""What Spark's SQL has no words for: DuckDB computes it on Spark's workers."""


def read_queries(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("--")]
