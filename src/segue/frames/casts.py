"""Arrow arrays cast to other types, where nothing is lost and nothing made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from segue.frames.texts import write_text, writes_text

if TYPE_CHECKING:
    from collections.abc import Callable

LISTS: tuple[Callable[[pa.DataType], bool], ...] = (
    pa.types.is_list,
    pa.types.is_large_list,
    pa.types.is_fixed_size_list,
    pa.types.is_list_view,
    pa.types.is_large_list_view,
)
"""Tests of the types that are lists."""

_NOISE = 2.0**-50
"""How far a float may be from a decimal that it stands for, relative to it: a few last bits."""


def cast_array(array: pa.Array, target: pa.DataType) -> pa.Array:
    """Return an array in a type that segue passes on; the parts of nested types are cast alike.

    Dictionaries, views, run ends and extension types are laid out as the target says.

    Raises:
        pa.ArrowException: There is no such cast, or a value does not fit.
        ValueError: A part of a value would be lost, or something made up.

    Example:
        >>> cast_array(pa.array([[1.0, None]]), pa.list_(pa.int8())).to_pylist()
        [[1, None]]
    """
    source = array.type
    if source == target:
        return array
    if len(array) == array.null_count > 0 and not pa.types.is_dictionary(target):
        return pa.nulls(len(array), target)  # nothing is lost, whatever they would have been
    if isinstance(source, pa.BaseExtensionType):
        return cast_array(_unwrap(array), target)
    if pa.types.is_run_end_encoded(source):
        return cast_array(pc.run_end_decode(array), target)
    return _find_cast(source, target)(array, target)


def _find_cast(source: pa.DataType, target: pa.DataType) -> Callable[..., pa.Array]:
    types = pa.types
    if types.is_dictionary(target):
        return _encode
    if types.is_dictionary(source):
        return lambda array, target: cast_array(array.dictionary_decode(), target)
    if types.is_list(target) and any(test(source) for test in LISTS):
        return _cast_list
    if types.is_map(target) and types.is_map(source):
        return _cast_map
    if types.is_struct(target) and types.is_struct(source):
        return _cast_struct
    return _cast_plain


def _unwrap(array: pa.Array) -> pa.Array:
    """Return the plain values of an extension type."""
    name = array.type.extension_name
    if name == "arrow.uuid":
        return pa.array([None if v is None else str(v) for v in array.to_pylist()], pa.string())
    return array.storage.cast(pa.bool_()) if name == "arrow.bool8" else array.storage


def _encode(array: pa.Array, target: pa.DataType) -> pa.Array:
    """Return a dictionary; one that was one keeps its categories and their order."""
    if pa.types.is_dictionary(array.type) and not array.dictionary.null_count:
        values = cast_array(array.dictionary, target.value_type)
        return pa.DictionaryArray.from_arrays(array.indices.cast(target.index_type), values)
    plain = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
    return cast_array(plain, target.value_type).dictionary_encode().cast(target)


def _cast_list(array: pa.Array, target: pa.DataType) -> pa.Array:
    if array.type.value_type == target.value_type:
        return array.cast(target)
    listed = array.cast(pa.large_list(array.type.value_type))
    lengths = pc.fill_null(pc.list_value_length(listed), 0)
    ends = pa.concat_arrays([pa.array([0], pa.int64()), pc.cumulative_sum(lengths)])
    values = cast_array(listed.flatten(), target.value_type)
    return pa.ListArray.from_arrays(ends.cast(pa.int32()), values, mask=array.is_null())


def _cast_map(array: pa.Array, target: pa.DataType) -> pa.Array:
    whole = pa.concat_arrays([array])  # from_arrays takes no slices
    keys, items = cast_array(whole.keys, target.key_type), cast_array(whole.items, target.item_type)
    return pa.MapArray.from_arrays(whole.offsets, keys, items, mask=array.is_null())


def _cast_struct(array: pa.Array, target: pa.DataType) -> pa.Array:
    fields = [target.field(position) for position in range(target.num_fields)]
    found = {array.type.field(position).name: position for position in range(array.type.num_fields)}
    odd = sorted(found.keys() ^ {field.name for field in fields})
    if odd:  # Arrow fills and drops fields in silence
        raise ValueError(f"the fields differ: {', '.join(map(repr, odd))}")
    parts = array.flatten()
    cast = [cast_array(parts[found[field.name]], field.type) for field in fields]
    if not fields:
        return array.cast(target)
    return pa.StructArray.from_arrays(cast, fields=fields, mask=array.is_null())


def _cast_plain(array: pa.Array, target: pa.DataType) -> pa.Array:
    source = array.type
    _refuse_guess(source, target)
    if pa.types.is_integer(source) and pa.types.is_decimal(target):
        # Arrow asks for room for every integer there could be; the next cast looks at values
        array = array.cast(pa.decimal128(20, 0))
    if pa.types.is_string(target) and writes_text(source):
        return write_text(array)
    result = array.cast(target)
    if _may_lose(source, target):
        _refuse_loss(array, result)
    return result


def _refuse_guess(source: pa.DataType, target: pa.DataType) -> None:
    """Refuse casts for which Arrow would make something up."""
    types = pa.types
    if types.is_temporal(target) and types.is_integer(source):
        raise ValueError("a number is not a time")
    if types.is_temporal(source) and types.is_integer(target):
        raise ValueError("a time is not a number")
    if types.is_timestamp(source) and types.is_time(target):
        raise ValueError("a point in time is not a time of day")
    if not types.is_timestamp(target):
        return
    zoned = types.is_timestamp(source) and source.tz is not None
    local = types.is_date(source) or (types.is_timestamp(source) and source.tz is None)
    if local and target.tz is not None:
        raise ValueError("a time without a time zone does not tell which one it is in")
    if zoned and target.tz is None:
        raise ValueError("the time zone would be lost")


def _may_lose(source: pa.DataType, target: pa.DataType) -> bool:
    """Return whether Arrow casts without a look at what gets lost."""
    types = pa.types
    if types.is_boolean(target):
        return bool(types.is_integer(source) or types.is_floating(source))
    if types.is_date(target):
        return bool(types.is_timestamp(source))
    if types.is_decimal(source) or types.is_decimal(target):
        return bool(types.is_floating(source) or types.is_floating(target))
    return bool(types.is_float32(target) and types.is_float64(source))


def _refuse_loss(array: pa.Array, result: pa.Array) -> None:
    types = pa.types
    if types.is_float32(result.type) and types.is_float64(array.type):
        kept = pc.equal(pc.is_inf(array), pc.is_inf(result))
    elif types.is_decimal(result.type):
        far = pc.abs(pc.subtract(result.cast(array.type), array))
        kept = pc.less_equal(far, pc.multiply(pc.abs(array), _NOISE))
    else:
        kept = pc.equal(result.cast(array.type), array)
    if pc.all(kept).as_py() is False:
        raise ValueError("part of a value would be lost")
