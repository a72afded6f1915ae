"""Arrow data comes back whole from the nearest types."""

import pyarrow as pa
import pytest

from segue.frames.arrow_types import to_arrow
from segue.frames.nearest import restore_batch, store_batch
from segue.spec.nearest import find_storages
from segue.spec.types import parse_schema

VALUES = {
    "uint8": [0, None, 255],
    "uint64": [0, None, 2**64 - 1],
    "time": [0, None, 86_399_999_999],
    "duration(ns)": [-1, None, 2**63 - 1],
    "duration(s)": [-1, None, 5],
    "null": [None, None, None],
    "timestamp(ns)": [-1, None, 2**63 - 1],
    "timestamp(ns, Europe/Rome)": [-1, None, 5],
    "timestamp(s)": [-1, None, 5],
    "timestamp(ms, Europe/Rome)": [-1, None, 5],
    "categorical<string>": ["a", None, "b"],
    "categorical<uint8>": [1, None, 1],
    "list<uint8>": [[1, None], None, []],
    "list<categorical<string>>": [["a", None], None, []],
    "struct<a: uint8, A: list<null>>": [{"a": 1, "A": [None]}, None, {"a": None, "A": None}],
    "map<string, struct<t: time>>": [[("k", {"t": 5})], None, []],
    "list<list<duration(ms)>>": [[[1], [], None], None, []],
    "int64": [2**63 - 1, None, -(2**63)],
    "decimal(38,3)": [None, None, None],
}


@pytest.mark.parametrize("text", VALUES)
@pytest.mark.parametrize("part", [slice(0, 3), slice(1, 3), slice(0, 0)])
def test_values_survive(text, part):
    schema = parse_schema(f'"x y": {text}')
    whole = pa.record_batch([make_array(text, to_arrow(schema)[0].type)], schema=to_arrow(schema))
    batch = whole.slice(part.start, part.stop - part.start)
    stored = store_batch(batch, schema, ["c0"])
    expected = to_arrow(find_storages(schema))[0].type
    assert stored.schema == pa.schema([("c0", expected)])
    restored = restore_batch(stored, schema)
    restored.validate(full=True)
    assert restored.schema == batch.schema
    assert restored.to_pylist() == batch.to_pylist()


def make_array(text, type_):
    if text.startswith(("time", "duration")):
        return pa.array(VALUES[text], pa.int64()).cast(type_)
    if text.startswith("list<list<duration"):
        return pa.array([[[1], [], None], None, []], pa.list_(pa.list_(pa.int64()))).cast(type_)
    if "time>" in text:
        plain = pa.map_(pa.string(), pa.struct([("t", pa.int64())]))
        return pa.array(VALUES[text], plain).cast(type_)
    if "list<categorical" in text:
        values = pa.array(["a", None]).dictionary_encode()
        return pa.ListArray.from_arrays(
            pa.array([0, 2, 2, 2], pa.int32()), values, mask=pa.array([False, True, False])
        )
    return pa.array(VALUES[text], type_)


def test_rows_without_columns_stay_rows():
    batch = pa.record_batch({"a": [1, 2, 3]}).select([])
    assert store_batch(batch, parse_schema("")).num_rows == 3
    assert restore_batch(batch, parse_schema("")).num_rows == 3


def test_what_is_no_value_of_the_type_is_refused():
    batch = pa.record_batch({"c0": pa.array([-1], pa.int16())})
    with pytest.raises(ValueError, match="not in range"):
        restore_batch(batch, parse_schema("a: uint8"))
    with pytest.raises(ValueError, match="nothing but nulls"):
        restore_batch(pa.record_batch({"c0": pa.array([1], pa.int32())}), parse_schema("a: null"))
