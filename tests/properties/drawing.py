"""Random tables of all types, and small functions and queries over them."""

import pyarrow as pa
from hypothesis import strategies as st

from segue.spec.sql import quote_identifier as quote

MICROS = 2**50
VALUES = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.int8(): st.integers(-128, 127),
    pa.uint16(): st.integers(0, 2**16 - 1),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.bool_(): st.booleans(),
    # equal zeros make one group, and SQL does not say whose sign is shown
    pa.float64(): st.floats().map(lambda value: value + 0.0),
    pa.float32(): st.floats(width=32).map(lambda value: value + 0.0),
    pa.string(): st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5),
    pa.binary(): st.binary(max_size=5),
    pa.date32(): st.dates(),
    pa.time64("us"): st.times(),
    pa.timestamp("us"): st.datetimes(),
    pa.timestamp("ns"): st.integers(-(2**62), 2**62),
    pa.timestamp("us", "Asia/Kolkata"): st.integers(-MICROS, MICROS),
    pa.duration("us"): st.integers(-MICROS, MICROS),
    pa.decimal128(20, 4): st.decimals(-(10**15), 10**15, places=4),
    pa.dictionary(pa.int32(), pa.string()): st.sampled_from(["", "a", "b"]),
    pa.list_(pa.int64()): st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=3),
    pa.struct([("a", pa.int64()), ("b", pa.string())]): st.fixed_dictionaries(
        {"a": st.none() | st.integers(-(2**63), 2**63 - 1), "b": st.none() | st.text("ab")}
    ),
    pa.map_(pa.string(), pa.float64()): st.dictionaries(
        st.text("abc", max_size=2), st.none() | st.floats(), max_size=3
    ).map(lambda found: list(found.items())),
}
NESTED = (pa.types.is_list, pa.types.is_struct, pa.types.is_map)
KEYS = [type_ for type_ in VALUES if not any(test(type_) for test in NESTED)]
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=4)
MOST_ROWS = 12
ROW, KEY = "row", "k"
"""A column that numbers rows, so that their order can be told, and one with few values."""


@st.composite
def columns(draw, type_, rows):
    """Draw a column in which values are likely to come twice."""
    cells = st.none() | VALUES[type_]
    few = draw(st.lists(cells, min_size=1, max_size=3))
    values = draw(st.lists(st.sampled_from(few) | cells, min_size=rows, max_size=rows))
    if pa.types.is_dictionary(type_):
        return pa.array(values, type_.value_type).dictionary_encode().cast(type_)
    return pa.array(values, type_)


@st.composite
def tables(draw, key=None):
    """Draw a table with a key, a number for each row, and columns of any types and names."""
    rows = draw(st.integers(0, MOST_ROWS))
    key = draw(st.sampled_from(KEYS)) if key is None else key
    found = {KEY: draw(columns(key, rows)), ROW: pa.array(range(rows), pa.int64())}
    taken = {KEY, ROW}
    for name in draw(st.lists(NAMES, max_size=3, unique_by=str.casefold)):
        folded = {name.casefold(), name.lower(), name.upper().lower()}
        if not folded & taken:  # SQL refuses names that differ by case alone
            taken |= folded
            found[name] = draw(columns(draw(st.sampled_from(list(VALUES))), rows))
    return pa.table(found)


@st.composite
def picks(draw):
    """Draw which rows of a sorted group a function returns: of so many, these positions."""
    kind = draw(st.sampled_from(["all", "head", "tail", "every", "twice", "none", "reversed"]))
    count = draw(st.integers(1, 3))
    return kind, count


def pick_rows(rows, kind, count):
    """Return the positions that a pick means."""
    every = list(range(rows))
    return {
        "all": every,
        "head": every[:count],
        "tail": every[-count:],
        "every": every[::count],
        "twice": [position for position in every for _ in range(2)],
        "none": [],
        "reversed": every[::-1],
    }[kind]


def is_ordered(type_):
    return not any(test(type_) for test in (*NESTED, pa.types.is_dictionary))


@st.composite
def queries(draw, table):
    """Draw a SELECT over ``t``, and over ``u``, which has the columns of ``t``."""
    kind = draw(st.sampled_from(["where", "group", "join", "set", "top", "distinct"]))
    names = table.column_names
    some = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    listed = ", ".join(map(quote, some))
    if kind == "where":
        name, test = draw(st.sampled_from(names)), draw(st.sampled_from(["", " not"]))
        return f"select {listed} from t where {quote(name)} is{test} null or {ROW} > 3"
    if kind == "group":
        return draw(aggregates(table))
    if kind == "join":
        how = draw(st.sampled_from(["inner", "left", "right", "full", "semi", "anti"]))
        more = "" if how in ("semi", "anti") else ", u.row as other"
        rows = f"t.{ROW}" if how != "right" else f"u.{ROW}"
        return f"select {KEY}, {rows}{more} from t {how} join u using ({KEY})"
    plain = [name for name in some if is_ordered(table[name].type)] or [KEY]
    listed = ", ".join(map(quote, plain))
    if kind == "set":
        word = draw(st.sampled_from(["union", "except", "intersect"]))
        every = draw(st.sampled_from(["", " all"]))
        return f"select {listed} from t {word}{every} select {listed} from u"
    if kind == "top":
        order = ", ".join(f"{quote(name)} {draw(st.sampled_from(['', 'desc']))}" for name in plain)
        return f"select * from t order by {order}, {ROW} limit {draw(st.integers(0, 5))}"
    return f"select distinct {listed} from t"


@st.composite
def aggregates(draw, table):
    """Draw a SELECT with groups."""
    name = draw(st.sampled_from(table.column_names))
    column, type_ = quote(name), table[name].type
    parts = ["count(*) as n", f"count({column}) as there"]
    if is_ordered(type_):
        parts += [f"min({column}) as low", f"max({column}) as high"]
        parts += [f"count(distinct {column}) as kinds"]
    if pa.types.is_integer(type_) or pa.types.is_decimal(type_):
        parts += [f"sum({column}) as total"]
    if draw(st.booleans()):
        return f"select {', '.join(parts)} from t"
    return f"select {KEY}, {', '.join(parts)} from t group by {KEY}"
