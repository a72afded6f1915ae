"""Records of the spool as parcels: rows with provenance, as tables in the lake have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segue.protocols.edge import Parcel
from segue.spec.edge import GAPS_SUFFIX, NODE_COLUMN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from segue.wire.messages import RecordHeader


@dataclass(frozen=True, slots=True)
class Origin:
    """What rows tell of the node.

    Attributes:
        node: Its name.
        labels: Its labels.
    """

    node: str
    labels: Mapping[str, str]


def cut_run(records: Sequence[Any], most_rows: int, until: int | None) -> list[Any]:
    """Return the records from the first on that travel in one parcel.

    A declared gap is a parcel of its own; rows of another schema begin the next one.

    Args:
        records: Records of one stream in their order.
        most_rows: Rows after which a parcel ends.
        until: Last sequence of a parcel that may be at the destination already: this one ends
            there too, whatever its size.
    """
    run: list[Any] = []
    rows = 0
    for record in records:
        header: RecordHeader = record.header
        if until is not None and header.last > until and run:
            break
        if run and (header.kind != "rows" or header.schema != run[0].header.schema):
            break
        if run and until is None and rows + (header.rows or 0) > most_rows:
            break
        run.append(record)
        rows += header.rows or 0
        if header.kind != "rows":
            break
    return run


def make_parcel(run: Sequence[Any], origin: Origin) -> Parcel:
    """Return a parcel of what `cut_run` gave."""
    first, last = run[0].header, run[-1].header
    if first.kind != "rows":
        return make_gap_parcel(first, origin, first.rows, first.reason)
    import pyarrow as pa

    tables = [add_provenance(_read(record.payload), record.header, origin) for record in run]
    table = pa.concat_tables(tables)
    return Parcel(first.stream, origin.node, first.epoch, first.first, last.last, table)


def make_gap_parcel(
    header: RecordHeader, origin: Origin, rows: int | None, reason: str, last: int | None = None
) -> Parcel:
    """Return a parcel that declares a loss: one row of ``<table>__gaps``."""
    import pyarrow as pa

    last = header.last if last is None else last
    values = {
        NODE_COLUMN: (origin.node, pa.string()),
        "_epoch": (header.epoch, pa.string()),
        "first_sequence": (header.first, pa.int64()),
        "last_sequence": (last, pa.int64()),
        "rows": (rows, pa.int64()),
        "reason": (reason, pa.string()),
        "_deployment": (header.deployment, pa.int64()),
    }
    table = pa.table({name: pa.array([value], type_) for name, (value, type_) in values.items()})
    stream = header.stream + GAPS_SUFFIX
    return Parcel(stream, origin.node, header.epoch, header.first, last, table)


def add_provenance(table: pa.Table, header: RecordHeader, origin: Origin) -> pa.Table:
    """Return the rows of a record with the columns of `segue.spec.edge.PROVENANCE`."""
    import pyarrow as pa

    from segue.frames.arrow_types import to_arrow_type
    from segue.spec.edge import PROVENANCE
    from segue.spec.types import parse_type

    values = {
        NODE_COLUMN: origin.node,
        "_epoch": header.epoch,
        "_sequence": header.last,
        "_deployment": header.deployment,
        "_schema": header.schema,
        "_clock": header.clock,
        "_labels": list(origin.labels.items()),
    }
    kept = [name for name in table.column_names if name not in PROVENANCE]
    table = table.select(kept)
    for name, type_ in PROVENANCE.items():
        scalar = pa.scalar(values[name], to_arrow_type(parse_type(type_)))
        table = table.append_column(name, pa.repeat(scalar, table.num_rows))
    return table


def _read(payload: bytes) -> pa.Table:
    import pyarrow as pa

    return pa.ipc.open_stream(payload).read_all()
