"""Frames that hold nothing."""

import pyarrow as pa

import segue


def test_a_reader_without_batches_has_columns():
    reader = pa.RecordBatchReader.from_batches(pa.schema([("a", pa.int64())]), iter(()))

    def keep(rows: pa.Table) -> pa.Table:
        return rows

    found = segue.transform(reader, keep, returns="arrow")
    assert found.schema == pa.schema([("a", pa.int64())])
    assert found.num_rows == 0
