"""Whatever a table holds survives every frame, and the engine's files."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from segue.frames.arrow_types import conform, from_arrow
from segue.frames.convert import from_frame, to_frame
from segue.spec.step import FrameKind, FrameSpec

VALUES = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.uint8(): st.integers(0, 255),
    pa.bool_(): st.booleans(),
    pa.float64(): st.floats(),
    pa.float32(): st.floats(width=32),
    pa.string(): st.text(),
    pa.binary(): st.binary(),
    pa.date32(): st.dates(),
    pa.time64("us"): st.times(),
    pa.timestamp("us"): st.datetimes(),
    pa.timestamp("ns"): st.integers(-(2**62), 2**62),
    pa.timestamp("us", "Asia/Kolkata"): st.integers(-(2**50), 2**50),
    pa.duration("ms"): st.integers(-(2**40), 2**40),
    pa.decimal128(20, 4): st.decimals(-(10**15), 10**15, places=4),
    pa.dictionary(pa.int32(), pa.string()): st.text(max_size=2),
    pa.list_(pa.int64()): st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=3),
    pa.struct([("a", pa.int64()), ("b", pa.string())]): st.fixed_dictionaries(
        {"a": st.none() | st.integers(-(2**63), 2**63 - 1), "b": st.none() | st.text()}
    ),
    pa.map_(pa.string(), pa.float64()): st.dictionaries(
        st.text(), st.none() | st.floats(), max_size=3
    ).map(lambda found: list(found.items())),
}
# no store of tables takes a name with a NUL
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=5)
KINDS = [kind for kind in FrameKind if kind not in (FrameKind.NOTHING, FrameKind.DUCKDB)]


@st.composite
def tables(draw):
    rows = draw(st.integers(0, 4))
    columns = {}
    for name in draw(st.lists(NAMES, min_size=1, max_size=4, unique=True)):
        type_ = draw(st.sampled_from(list(VALUES)))
        cells = st.none() | VALUES[type_]
        values = draw(st.lists(cells, min_size=rows, max_size=rows))
        columns[name] = pa.array(values, type_)
    return pa.table(columns)


@given(table=tables(), kind=st.sampled_from(KINDS))
def test_every_table_survives_every_frame(table, kind):
    schema = from_arrow(table.schema)
    back = from_frame(to_frame(table, FrameSpec(kind), schema), kind, schema)
    if kind is FrameKind.ROWS and not table.num_rows:
        return
    back = conform(back, schema)
    assert back.schema == table.schema
    for name in table.column_names:
        if kind is FrameKind.PANDAS and pa.types.is_floating(table[name].type):
            # a plain float column of pandas has NaN for null, unless it has both
            continue
        assert str(back[name].to_pylist()) == str(table[name].to_pylist()), name


@given(values=st.lists(st.none() | st.floats(), max_size=6))
def test_null_and_nan_are_apart_in_pandas(values):
    table = pa.table({"a": pa.array(values, pa.float64())})
    schema = from_arrow(table.schema)
    frame = to_frame(table, FrameSpec(FrameKind.PANDAS), schema)
    back = conform(from_frame(frame, FrameKind.PANDAS), schema)
    assert str(back["a"].to_pylist()) == str(values)
