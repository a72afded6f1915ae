"""Python source as syntax: normalised text of a function, and the names that it uses."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
Chain = tuple[str, ...]
"""A dotted name, part by part: ``np.linalg.norm``."""

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_WITH_DOCSTRING = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_BLOCKS = ("body", "orelse", "handlers", "finalbody", "cases")
_SKIPPED = frozenset(("ctx", "type_comment", "kind", "type_ignores"))


@dataclass(frozen=True)
class ParsedFile:
    """A Python file, read once.

    Attributes:
        path: Absolute path.
        text: Content.
        tree: Syntax tree.
        code: Compiled module.
    """

    path: str
    text: str
    tree: ast.Module
    code: CodeType

    @cached_property
    def definitions(self) -> dict[tuple[int, str], list[Definition]]:
        """Functions, classes and lambdas by first line (of a decorator, if any) and name."""
        found: dict[tuple[int, str], list[Definition]] = {}
        nodes: Iterable[ast.AST] = walk_statements(self.tree)
        if "lambda" in self.text:
            nodes = ast.walk(self.tree)
        for node in nodes:
            if isinstance(node, _DEFINITIONS):
                found.setdefault(_first_line_and_name(node), []).append(node)
        return found

    @cached_property
    def classes(self) -> dict[str, list[CodeType]]:
        """Code of the bodies of classes and functions, by qualified name."""
        found: dict[str, list[CodeType]] = {}
        for code in walk_code(self.code):
            found.setdefault(code.co_qualname, []).append(code)
        return found

    @cached_property
    def imports(self) -> dict[str, str]:
        """What each imported name stands for, wherever in the file it is imported."""
        found: dict[str, str] = {}
        for node in walk_statements(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    name = alias.name if alias.asname else alias.name.partition(".")[0]
                    found[alias.asname or name] = name
            elif isinstance(node, ast.ImportFrom) and not node.level:
                for alias in node.names:
                    found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        return found


def _first_line_and_name(node: Definition) -> tuple[int, str]:
    if isinstance(node, ast.Lambda):
        return node.lineno, "<lambda>"
    decorators = node.decorator_list
    return (decorators[0].lineno if decorators else node.lineno), node.name


class PythonFiles:
    """Python files by path, each read and parsed once."""

    def __init__(self) -> None:
        self._files: dict[str, ParsedFile] = {}

    def find(self, path: str) -> ParsedFile | None:
        """Return a file if it has been read."""
        return self._files.get(path)

    def read(self, path: str) -> ParsedFile:
        """Return a file.

        Raises:
            OSError: It can't be read.
            SyntaxError: It is not Python.
        """
        found = self._files.get(path)
        if found is None:
            raw = Path(path).read_bytes()
            tree = ast.parse(raw, path)
            code = compile(tree, path, "exec", dont_inherit=True)
            text = raw.decode("utf-8", "replace")
            found = self._files[path] = ParsedFile(path, text, tree, code)
        return found


def walk_statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all statements below a node: many times as fast as going through expressions."""
    for name in _BLOCKS:
        for node in getattr(tree, name, ()):
            yield node
            yield from walk_statements(node)


def walk_code(code: CodeType) -> Iterator[CodeType]:
    """Yield a code object and all that are nested in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from walk_code(constant)


def unwind(node: ast.AST) -> Chain | None:
    """Return the dotted name that an expression is, or None if it is something else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    parts.append(node.id)
    return tuple(reversed(parts))


@dataclass
class Syntax:
    """What a definition says, without what does not matter.

    Attributes:
        words: The normalised text, in pieces.
        chains: Dotted names that its body uses.
        outer: Dotted names that its decorators and bases use, where it is defined.
        imports: What names stand for that it imports itself: module, and name in it.
    """

    words: list[str] = field(default_factory=list)
    chains: set[Chain] = field(default_factory=set)
    outer: set[Chain] = field(default_factory=set)
    imports: dict[str, tuple[str, int, str]] = field(default_factory=dict)


def read_syntax(node: Definition, skipped: tuple[ast.expr, ...] = ()) -> Syntax:
    """Return what a definition says.

    Comments, formatting, positions and docstrings are left out.

    Args:
        node: The definition.
        skipped: Decorators that don't count.

    Example:
        >>> one, two = (ast.parse(text).body[0] for text in ("def f(): 'x'; g( )", "def f(): g()"))
        >>> read_syntax(one).words == read_syntax(two).words
        True
    """
    syntax = Syntax()
    reader = _Reader(syntax)
    if isinstance(node, ast.Lambda):
        reader.read(node)
        return syntax
    kept = [decorator for decorator in node.decorator_list if decorator not in skipped]
    around: list[ast.AST] = [*kept]
    if isinstance(node, ast.ClassDef):
        around += [*node.bases, *node.keywords]
    else:
        around += [node.args, *([node.returns] if node.returns else [])]
    _Reader(Syntax(words=syntax.words, chains=syntax.outer)).read_list(around)
    if not isinstance(node, ast.ClassDef):
        # Annotations and defaults count as text; the values of defaults are read apart.
        syntax.outer = {chain for item in kept for chain in _chains_of(item)}
    syntax.words.append(node.name)
    reader.read_list(_without_docstring(node))
    return syntax


def _chains_of(node: ast.AST) -> set[Chain]:
    syntax = Syntax()
    _Reader(syntax).read(node)
    return syntax.chains


def _without_docstring(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef,
) -> list[ast.stmt]:
    first = node.body[0]
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        return node.body[1:]
    return node.body


class _Reader:
    """Goes through a tree once, and fills a `Syntax`."""

    def __init__(self, syntax: Syntax) -> None:
        self.syntax = syntax
        self.words = syntax.words

    def read_list(self, nodes: list[ast.AST] | list[ast.stmt]) -> None:
        self.words.append("[")
        for node in nodes:
            self.read(node)
        self.words.append("]")

    def read(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name | ast.Attribute):
            chain = unwind(node)
            if chain is not None:
                self.words.append(".".join(chain))
                if isinstance(node.ctx, ast.Load) or len(chain) > 1:
                    self.syntax.chains.add(chain)
                return
        elif isinstance(node, ast.Constant):
            self.words.append(f"{type(node.value).__name__} {node.value!r}")
            return
        elif isinstance(node, ast.Call) and self._read_getattr(node):
            return
        elif isinstance(node, ast.Import | ast.ImportFrom):
            self._read_import(node)
        self._read_fields(node)

    def _read_fields(self, node: ast.AST) -> None:
        self.words.append(type(node).__name__)
        for name in node._fields:
            value = getattr(node, name, None)
            if value is None or value == [] or name in _SKIPPED:
                continue
            self.words.append(name)
            if isinstance(value, ast.AST):
                self.read(value)
            elif not isinstance(value, list):
                self.words.append(repr(value))
            elif name == "body" and isinstance(node, _WITH_DOCSTRING):
                self.read_list(_without_docstring(node))
            else:
                self._read_items(value)

    def _read_items(self, items: list[object]) -> None:
        self.words.append("[")
        for item in items:
            if isinstance(item, ast.AST):
                self.read(item)
            else:
                self.words.append(repr(item))
        self.words.append("]")

    def _read_getattr(self, node: ast.Call) -> bool:
        """Read ``getattr(x, "name")`` as ``x.name``."""
        if not (isinstance(node.func, ast.Name) and node.func.id == "getattr" and node.args[1:]):
            return False
        chain = unwind(node.args[0])
        if chain is None:
            return False
        wanted = node.args[1]
        if not (isinstance(wanted, ast.Constant) and isinstance(wanted.value, str)):
            return False
        self.words.append("getattr " + ".".join((*chain, wanted.value)))
        self.syntax.chains.add((*chain, wanted.value))
        for extra in (*node.args[2:], *node.keywords):
            self.read(extra)
        return True

    def _read_import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if isinstance(node, ast.ImportFrom):
                name = alias.asname or alias.name
                self.syntax.imports[name] = (node.module or "", node.level, alias.name)
            else:
                module = alias.name if alias.asname else alias.name.partition(".")[0]
                self.syntax.imports[alias.asname or module] = (module, 0, "")
