"""JSON lines read by Arrow a block at a time; bad lines are found by halving.

Whether a line fits is decided by the same reader whether it stands alone or among others, so
that it does not matter where a block is cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from segue.agent.formats.lines import decode_lines, is_utf8, make_rejects
from segue.agent.formats.objects import MisfitError, take_record
from segue.agent.formats.reading import take_reading
from segue.agent.formats.texts import convert_texts, count_epoch
from segue.frames.arrow_types import to_arrow, to_arrow_type
from segue.protocols.edge import Parsed
from segue.spec.types import MAX_PRECISION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.agent.formats.reading import Reading
    from segue.spec.types import Column, DataType, TableSchema

_BLOCK = 2**20
"""Bytes that Arrow reads at once: what fits a cache is read at twice the speed."""
_FEW = 256
"""Lines among which bad ones are looked for one by one."""
_ZEROS = 9
_AS_TEXT = ("timestamp", "date", "time", "binary", "categorical")
_WIDER = {"float32": pa.float64(), "duration": pa.int64()}
_AS_IS = ("bool", "string", "decimal", "float64")
_PARTS = ("list", "struct")
_COUNT = pa.decimal128(38, 9)

Rows = list[pa.Array]
Rejects = list[tuple[bytes, str]]


class JsonLines:
    """Reads JSON lines for a schema.

    Args:
        schema: The columns.
        options: Checked options.
    """

    def __init__(self, schema: TableSchema, options: Mapping[str, Any]) -> None:
        self._schema = schema
        self._reading = take_reading(options)
        self._arrow = to_arrow(schema)
        staged = [_stage_type(column, self._reading) for column in schema]
        self._staged = None
        if all(type_ is not None for type_ in staged) and staged:
            self._staged = pa.schema(list(zip(schema.names, staged, strict=True)))

    def parse(self, data: bytes) -> Parsed:
        """Make rows of lines; see `segue.protocols.edge`."""
        rejects: Rejects = []
        lines = _count_lines(data) if self._reading.encoding in ("utf-8", "ascii") else 0
        if lines and self._staged is not None:
            table = self._read(data, lines)
            if table is not None:
                if self._staged == self._arrow:
                    return Parsed(table, make_rejects([]))
                rows = self._convert(table)
                if rows is not None:
                    return Parsed(self._assemble([rows]), make_rejects([]))
        found: list[Rows] = []
        self._part(_take_lines(data, self._reading.encoding, rejects), found, rejects)
        return Parsed(self._assemble(found), make_rejects(rejects))

    def _assemble(self, found: list[Rows]) -> pa.Table:
        batches = [pa.RecordBatch.from_arrays(rows, schema=self._arrow) for rows in found]
        table = pa.Table.from_batches(batches, self._arrow)
        return table.combine_chunks() if len(batches) > 1 else table

    def _part(self, lines: list[bytes], found: list[Rows], rejects: Rejects) -> None:
        """Read what can be read of some lines, in order, and tell why the rest can't be."""
        if not lines:
            return
        if self._staged is None:
            self._read_slowly(lines, found, rejects)
            return
        table = self._read(b"\n".join(lines), len(lines))
        rows = None if table is None else self._convert(table)
        if rows is not None:
            found.append(rows)
        elif len(lines) == 1:
            rejects.append((lines[0], self._explain(lines[0])))
        elif len(lines) <= _FEW:
            self._part_few(lines, found, rejects)
        else:
            middle = len(lines) // 2
            self._part(lines[:middle], found, rejects)
            self._part(lines[middle:], found, rejects)

    def _part_few(self, lines: list[bytes], found: list[Rows], rejects: Rejects) -> None:
        """Look at lines one by one, and read together what Python finds nothing wrong with."""
        good: list[bytes] = []
        for line in lines:
            misfit = self._misfit(line)
            if misfit is not None and misfit.sure:
                rejects.append((line, str(misfit)))
            else:
                good.append(line)
        if len(good) < len(lines):
            self._part(good, found, rejects)
            return
        middle = len(lines) // 2
        self._part(lines[:middle], found, rejects)
        self._part(lines[middle:], found, rejects)

    def _read(self, data: bytes, lines: int) -> pa.Table | None:
        """Return rows as Arrow reads them; None unless each line is one of them."""
        try:
            table = self._read_block(data)
        except pa.ArrowInvalid:
            return None
        return table if table.num_rows == lines else None

    def _read_block(self, data: bytes) -> pa.Table:
        size = len(data) + 64
        if b"\n" in data[:_BLOCK]:
            size = min(size, _BLOCK)
        read = pj.ReadOptions(use_threads=False, block_size=size)
        parse = pj.ParseOptions(explicit_schema=self._staged, unexpected_field_behavior="ignore")
        return pj.read_json(pa.BufferReader(data), read_options=read, parse_options=parse)

    def _convert(self, table: pa.Table) -> Rows | None:
        """Return columns in their types; None if a value does not fit."""
        rows = []
        for column, staged in zip(self._schema, table.columns, strict=True):
            array = staged.combine_chunks()
            if isinstance(array, pa.ChunkedArray):
                array = array.chunk(0) if array.num_chunks else pa.array([], array.type)
            values = self._convert_column(array, column)
            if values is None:
                return None
            rows.append(values)
        return rows

    def _convert_column(self, array: pa.Array, column: Column) -> pa.Array | None:
        target = to_arrow_type(column.type)
        if array.type == target:
            return array
        if pa.types.is_string(array.type):
            values, reasons = convert_texts(array, column, self._reading)
            return None if reasons else values
        try:
            if column.name in self._reading.epoch:
                return count_epoch(array, self._reading.epoch[column.name], target)
            values = array.cast(target)
        except (pa.ArrowException, ValueError, OverflowError):
            return None
        if pa.types.is_float32(target) and not pc.is_inf(values).equals(pc.is_inf(array)):
            return None
        return values

    def _read_slowly(self, lines: list[bytes], found: list[Rows], rejects: Rejects) -> None:
        """Read lines whose types Arrow's reader lacks."""
        records = []
        for line in lines:
            try:
                records.append(take_record(line.decode(), self._schema, self._reading))
            except MisfitError as error:
                rejects.append((line, str(error)))
        columns = zip(*records, strict=True) if records else [()] * len(self._schema)
        if self._schema.columns:
            found.append(
                [pa.array(values, f.type) for values, f in zip(columns, self._arrow, strict=True)]
            )

    def _misfit(self, line: bytes) -> MisfitError | None:
        try:
            take_record(line.decode(), self._schema, self._reading)
        except MisfitError as error:
            return error
        return None

    def _explain(self, line: bytes) -> str:
        """Return why a line does not fit."""
        if misfit := self._misfit(line):
            return str(misfit)
        try:
            self._read_block(line)
        except pa.ArrowInvalid as error:
            return str(error).removeprefix("JSON parse error: ").removesuffix(" in row 0")
        return "more than one record"


def _stage_type(column: Column, reading: Reading) -> pa.DataType | None:
    """Return the type as which Arrow reads a column at first; None where it can't."""
    kind = column.type.kind
    if column.name in reading.epoch:
        return _COUNT
    if kind == "timestamp" and len(column.type.arguments) == 1 and not _has_format(column, reading):
        return to_arrow_type(column.type)  # without a zone, Arrow's reader means the same
    if kind in _AS_TEXT:
        return pa.string() if _is_text(column.type) else None
    if kind == "decimal":
        # zeros behind the last place are no loss
        precision, scale = (int(each) for each in column.type.arguments)
        more = min(_ZEROS, MAX_PRECISION - precision)
        return pa.decimal128(precision + more, scale + more)
    if kind in _WIDER:
        return _WIDER[kind]
    return to_arrow_type(column.type) if _reads(column.type) else None


def _has_format(column: Column, reading: Reading) -> bool:
    return column.name in reading.time_format


def _is_text(type_: DataType) -> bool:
    return type_.kind != "categorical" or type_.fields[0][1].kind == "string"


def _reads(type_: DataType) -> bool:
    """Return whether Arrow's reader has a type, and means the same."""
    if type_.kind in _PARTS:
        return bool(type_.fields) and all(_reads(inner) for _, inner in type_.fields)
    return type_.is_integer or type_.kind in _AS_IS


def _count_lines(data: bytes) -> int:
    """Return how many lines there are; 0 unless each begins and ends with a brace.

    Such lines hold at least one object each, so that as many objects as lines are one a line.
    """
    if data[:1] != b"{" or not is_utf8(data):
        return 0
    # cut in one pass by Arrow: to count newlines, and then newlines between braces, takes longer
    ends = pa.array([0, len(data) - data.endswith(b"\n")], pa.int32()).buffers()[1]
    whole = pa.StringArray.from_buffers(1, ends, pa.py_buffer(data))
    lines = pc.split_pattern(whole, "\n").values
    braced = pc.and_(pc.starts_with(lines, "{"), pc.ends_with(lines, "}"))
    return len(lines) if braced.false_count == 0 else 0


def _take_lines(data: bytes, encoding: str, rejects: Rejects) -> list[bytes]:
    """Return the lines that look like objects."""
    if encoding in ("utf-8", "ascii") and b"\xef\xbb\xbf" not in data and is_utf8(data):
        lines = data.split(b"\n")
    else:
        decoded, broken = decode_lines(data, encoding)
        rejects.extend(broken)
        lines = [line.encode() for line in decoded]
    taken = []
    for line in lines:
        bare = line.strip()
        if bare[:1] == b"{" and bare[-1:] == b"}":
            taken.append(bare)
        elif bare:
            rejects.append((bare, _explain_shape(bare)))
    return taken


def _explain_shape(line: bytes) -> str:
    from segue.agent.formats.objects import load_value

    try:
        load_value(line.decode())
    except MisfitError as error:
        return str(error)
    return "not a JSON object"
