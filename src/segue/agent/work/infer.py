"""Steps that infer: an ONNX model's inputs are columns, and so are its outputs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from segue.errors import MissingExtraError, OutputError, StepError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa

    from segue.spec.edge import EdgeStep

COLUMNS = "columns"
"""Key of a model's metadata: the columns, with commas, that make up its one matrix."""

_KINDS = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(int16)": "int16",
    "tensor(int8)": "int8",
    "tensor(uint8)": "uint8",
    "tensor(bool)": "bool",
    "tensor(string)": "object",
}


class ModelStep:
    """A step that infers with one session of onnxruntime.

    Each input of the model takes the column of its name. A model with a single matrix of k
    columns takes the columns that its metadata names under `COLUMNS`, else the numeric columns
    of its table if these are k. Each output is a column of its name.
    """

    def __init__(self, step: EdgeStep, file: Path) -> None:
        """Load the model.

        Raises:
            MissingExtraError: onnxruntime is not installed.
            StepError: The file is no model.
        """
        try:
            onnxruntime = import_module("onnxruntime")
        except ImportError as error:
            raise MissingExtraError(
                f"step {step.name!r} needs onnxruntime", hint="pip install 'segue[onnx]'"
            ) from error
        self.step = step
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(
                str(file), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime has a class of error for each code of its own
            raise StepError(
                f"step {step.name!r}: {step.model} is no model that can be run: {error}",
                step=step.name,
            ) from error
        self._inputs = self._session.get_inputs()
        self.outputs = tuple(each.name for each in self._session.get_outputs())

    def run(self, rows: pa.Table) -> pa.Table:
        """Return the rows with what the model infers from them.

        Raises:
            StepError: The model failed on them, or a column that it needs is missing or null.
            OutputError: The result does not fit the step's schema.
        """
        from segue.frames.arrow_types import conform

        names = [name for name in self.step.schema.names if name in self.outputs]
        feeds = self._feed(rows)
        try:
            found = self._session.run(names, feeds)
        except Exception as error:  # as above
            message = str(error).partition("\n")[0]
            raise self._fail(f"the model failed: {message}") from error
        kept = [name for name in self.step.schema.names if name not in self.outputs]
        lacking = [name for name in kept if name not in rows.column_names]
        if lacking:
            raise self._fail(f"neither its table nor the model has {', '.join(lacking)}")
        table = rows.select(kept)
        for name, values in zip(names, found, strict=True):
            table = table.append_column(name, _to_column(values, rows.num_rows))
        try:
            return conform(table, self.step.schema)
        except ValueError as error:
            raise OutputError(f"step {self.step.name!r}: {error}", step=self.step.name) from None

    def _feed(self, rows: pa.Table) -> dict[str, Any]:
        if len(self._inputs) == 1 and self._inputs[0].name not in rows.column_names:
            (one,) = self._inputs
            columns = self._find_matrix(one, rows)
            parts = [self._read(rows, name, one.type) for name in columns]
            import numpy as np

            return {one.name: np.stack(parts, axis=1)}
        feeds = {}
        for each in self._inputs:
            if each.name not in rows.column_names:
                raise self._fail(f"the model asks for the column {each.name!r}")
            values = self._read(rows, each.name, each.type)
            wide = len(each.shape or ()) == 2 and values.ndim == 1  # noqa: PLR2004  # a matrix
            feeds[each.name] = values.reshape(-1, 1) if wide else values
        return feeds

    def _find_matrix(self, one: Any, rows: pa.Table) -> Sequence[str]:
        """Return the columns that are the matrix of a model with one input."""
        import pyarrow as pa

        stated = self._session.get_modelmeta().custom_metadata_map.get(COLUMNS)
        if stated:
            return [name.strip() for name in stated.split(",")]
        numeric = [
            field.name
            for field in rows.schema
            if pa.types.is_floating(field.type) or pa.types.is_integer(field.type)
        ]
        width = (one.shape or [None])[-1]
        if isinstance(width, int) and width != len(numeric):
            raise self._fail(
                f"the model takes {width} columns, and {len(numeric)} are numbers: "
                f"name them in its metadata under {COLUMNS!r}"
            )
        return numeric

    def _read(self, rows: pa.Table, name: str, kind: str) -> np.ndarray[Any, Any]:
        """Return a column in the type that the model asks for."""
        import numpy as np
        import pyarrow as pa

        if name not in rows.column_names:
            raise self._fail(f"the model asks for the column {name!r}")
        column = rows[name].combine_chunks()
        dtype = np.dtype(_KINDS.get(kind, "float32"))
        if column.null_count and dtype.kind != "f":
            raise self._fail(f"column {name!r} has nulls, and the model takes none")
        if pa.types.is_list(column.type):
            stacked = [np.asarray(each, dtype=dtype) for each in column.to_pylist()]
            return np.stack(stacked) if stacked else np.zeros((0, 0), dtype=dtype)
        return np.asarray(column.to_numpy(zero_copy_only=False)).astype(dtype, copy=False)

    def _fail(self, message: str) -> StepError:
        return StepError(f"step {self.step.name!r}: {message}", step=self.step.name)


def _to_column(values: Any, rows: int) -> pa.Array:
    """Return an output of a model as a column: one value, or a list or map, for each row."""
    import numpy as np
    import pyarrow as pa

    if isinstance(values, list):  # a map for each row, as classifiers give probabilities
        return pa.array([list(each.items()) for each in values], pa.map_(*_kinds_of(values)))
    array = np.asarray(values)
    if array.ndim > 1 and array.size == rows:
        array = array.reshape(rows)
    return pa.array(list(array) if array.ndim > 1 else array)


def _kinds_of(values: list[dict[Any, Any]]) -> tuple[pa.DataType, pa.DataType]:
    import pyarrow as pa

    text = values and isinstance(next(iter(values[0]), 0), str)
    return pa.string() if text else pa.int64(), pa.float64()
