"""What a function's annotations ask for, read without importing a frame library."""

from __future__ import annotations

import ast
import types
import typing
from functools import cache
from typing import TYPE_CHECKING, Any

from segue.declare.row_types import is_dict_class, is_row_class
from segue.declare.schemas import is_pandera
from segue.spec.step import FrameKind, FrameSpec, Scalar

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

SERVED = ", ".join(kind for kind in FrameKind if kind not in ("None", "pyarrow.RecordBatch"))
SERVED_HINT = f"can be served: {SERVED}, or an Iterator of pyarrow.RecordBatch or of frames"

_LIBRARIES = {"pandas": "pandas", "polars": "polars", "pyarrow": "pyarrow"}
_LIBRARIES |= {"duckdb": "duckdb", "_duckdb": "duckdb", "narwhals": "narwhals"}
_FRAMES = {kind.value: kind for kind in FrameKind if "." in kind}
_FRAMES |= {f"narwhals.{name}": FrameKind.NARWHALS for name in ("DataFrameT", "FrameT")}
_FRAMES |= {"narwhals.LazyFrameT": FrameKind.NARWHALS_LAZY}
_INTO = ("IntoDataFrame", "IntoLazyFrame", "NativeDataFrame", "NativeLazyFrame", "NativeIbis")
_FRAMES |= {f"narwhals.{name}": FrameKind.NATIVE for name in (*_INTO, *(f"{n}T" for n in _INTO))}
_FRAMES |= {"narwhals.IntoFrameT": FrameKind.NATIVE}
_PANDERA = {
    "pandera.typing.DataFrame": FrameKind.PANDAS,
    "pandera.typing.pandas.DataFrame": FrameKind.PANDAS,
    "pandera.typing.polars.DataFrame": FrameKind.POLARS,
    "pandera.typing.polars.LazyFrame": FrameKind.POLARS_LAZY,
}
_FRAMES |= _PANDERA
_ITERATORS = frozenset(("Iterator", "Iterable", "Generator"))
_ITERATED = frozenset(
    (
        FrameKind.PANDAS,
        FrameKind.POLARS,
        FrameKind.ARROW,
        FrameKind.ARROW_BATCH,
        FrameKind.ROWS,
        FrameKind.NARWHALS,
        FrameKind.NATIVE,
    )
)
_SCALARS: dict[str, type] = {"bool": bool, "int": int, "float": float, "str": str}
Tree = tuple[str, tuple["Tree", ...]]
"""A type as name and arguments: ``("Iterator", (("pandas.DataFrame", ()),))``."""


class Annotations:
    """Reads annotations as a module means them.

    Args:
        names: The module's globals.
        imports: What each name stands for that the module imports, even if only for types.
    """

    def __init__(self, names: Mapping[str, Any], imports: Mapping[str, str]) -> None:
        self._names = names
        self._imports = imports
        self._schemas: dict[str, Any] = {}

    def read_frame(self, annotation: Any) -> FrameSpec | None:
        """Return the frame that a parameter's annotation asks for, or None if none is served."""
        tree = self._read(annotation)
        return _read_frame(tree, [n for n, each in self._schemas.items() if is_dict_class(each)])

    def read_result(self, annotation: Any) -> FrameSpec | None:
        """Return the frame that a result's annotation announces, or None if none is taken."""
        tree = self._read(annotation)
        return _read_frame(tree, [n for n, each in self._schemas.items() if is_row_class(each)])

    def read_schema(self, annotation: Any) -> Any | None:
        """Return what tells the columns of an annotated result, such as ``Row`` in ``list[Row]``.

        It is a class of rows or a model of pandera's; None if nothing tells them.
        """
        name, arguments = self._read(annotation)
        if name in _ITERATORS and arguments:
            name, arguments = arguments[0]
        known = self._schemas.get(arguments[0][0]) if arguments else None
        if known is None or not (name in _PANDERA if is_pandera(known) else name == "list"):
            return None
        return known

    def read_scalar(self, annotation: Any) -> tuple[type, ...] | None:
        """Return the types of a setting's annotation, or None if it is no scalar."""
        name, arguments = self._read(annotation)
        parts = arguments if name in ("Union", "Optional") else ((name, arguments),)
        found: list[type] = [type(None)] if name == "Optional" else []
        for part, _ in parts:
            if part == "None":
                found.append(type(None))
            elif part in _SCALARS:
                found.append(_SCALARS[part])
            else:
                return None
        return tuple(found)

    def name(self, annotation: Any) -> str:
        """Return the name of an annotation without its arguments, such as ``Iterator``."""
        return self._read(annotation)[0]

    def show(self, annotation: Any) -> str:
        """Return an annotation as messages name it."""
        return annotation if isinstance(annotation, str) else _show(self._read(annotation))

    def _read(self, annotation: Any) -> Tree:
        if isinstance(annotation, typing.ForwardRef):
            annotation = annotation.__forward_arg__
        if isinstance(annotation, str):
            return self._read_text(annotation)
        if annotation is None or annotation is type(None):
            return ("None", ())
        origin = typing.get_origin(annotation)
        if origin is None:
            name = _name_of(annotation)
            if is_row_class(annotation) or is_pandera(annotation):
                self._schemas[name] = annotation
            return (name, ())
        arguments = typing.get_args(annotation)
        if origin is typing.Annotated:
            return self._read(arguments[0])
        if origin in (typing.Union, types.UnionType):
            return ("Union", tuple(self._read(argument) for argument in arguments))
        return (_name_of(origin), tuple(self._read(argument) for argument in arguments))

    def _read_text(self, text: str) -> Tree:
        node = _parse(text)
        return self._read_node(node) if node else (text, ())

    def _read_node(self, node: ast.expr) -> Tree:
        if isinstance(node, ast.Constant):
            text = isinstance(node.value, str)
            return self._read_text(str(node.value)) if text else (str(node.value), ())
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return ("Union", (self._read_node(node.left), self._read_node(node.right)))
        if isinstance(node, ast.Subscript):
            name, _ = self._read_node(node.value)
            inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            arguments = tuple(self._read_node(item) for item in inner)
            return arguments[0] if name == "Annotated" else (name, arguments)
        if isinstance(node, ast.Attribute):
            base, _ = self._read_node(node.value)
            return (_shorten(f"{base}.{node.attr}"), ())
        return self._read_name(node.id) if isinstance(node, ast.Name) else (ast.unparse(node), ())

    def _read_name(self, name: str) -> Tree:
        if name in self._names:
            value = self._names[name]
            if isinstance(value, types.ModuleType):
                return (value.__name__, ())
            return self._read(value)
        return (_shorten(self._imports.get(name, name)), ())


@cache
def _parse(text: str) -> ast.expr | None:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        return None


def _read_frame(tree: Tree, rows: Collection[str]) -> FrameSpec | None:
    """Return the frame that an annotation names; lists of these rows are some, too."""
    name, arguments = tree
    if name == "None":
        return FrameSpec(FrameKind.NOTHING)
    if name in _ITERATORS and arguments:
        kind = _frame_kind(arguments[0], rows)
        return FrameSpec(kind, iterator=True) if kind in _ITERATED else None
    kind = _frame_kind(tree, rows)
    return FrameSpec(kind) if kind and kind != FrameKind.ARROW_BATCH else None


def _frame_kind(tree: Tree, rows: Collection[str] = ()) -> FrameKind | None:
    name, arguments = tree
    if name == "list" and len(arguments) == 1:
        return FrameKind.ROWS if arguments[0][0] in ("dict", "Mapping", *rows) else None
    if name == "Union":
        return _union_kind(tuple(map(_frame_kind, arguments)))
    return _FRAMES.get(name)


def _union_kind(kinds: tuple[FrameKind | None, ...]) -> FrameKind | None:
    """Return the kind that serves a union of narwhals' frames, which is what its hints are."""
    if kinds and set(kinds) <= {FrameKind.NARWHALS, FrameKind.NARWHALS_LAZY, FrameKind.NATIVE}:
        return next((kind for kind in kinds if kind is FrameKind.NARWHALS), kinds[0])
    return None


def _name_of(value: Any) -> str:
    module = getattr(value, "__module__", "")
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None) or repr(value)
    if value is Any or module == "builtins":
        return str(name)
    return _shorten(f"{module}.{name}")


def _shorten(dotted: str) -> str:
    """Return one name for a class that has several: where it is defined, and where exported."""
    root, _, rest = dotted.partition(".")
    last = rest.rpartition(".")[2]
    if root in _LIBRARIES and last:
        return f"{_LIBRARIES[root]}.{last}"
    if root in ("typing", "collections", "builtins", "typing_extensions") and last:
        return {"List": "list", "Dict": "dict"}.get(last, last)
    return dotted


def _show(tree: Tree) -> str:
    name, arguments = tree
    return f"{name}[{', '.join(map(_show, arguments))}]" if arguments else name


def fits(value: Scalar, allowed: tuple[type, ...]) -> bool:
    """Return whether a value is one of these types; a whole number is a float, too.

    Example:
        >>> fits(3, (float,)), fits(True, (int,))
        (True, False)
    """
    if float in allowed and type(value) is int:
        return True
    return type(value) in allowed
