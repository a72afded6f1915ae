"""Everything of a project that a function reaches: helpers, classes, constants, libraries."""

from __future__ import annotations

import ast
import builtins
import importlib
import importlib.util
import sys
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from segue.declare.decorator import step
from segue.declare.digest import digest_text
from segue.declare.modules import is_project_file, is_project_module
from segue.declare.syntax import (
    Chain,
    Definition,
    PythonFiles,
    Syntax,
    read_syntax,
    unwind,
    walk_code,
)
from segue.declare.values import ATOMS, is_wrapper, read_value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DYNAMIC = frozenset(("eval", "exec", "__import__", "globals"))
_PLAIN = (*ATOMS, list, tuple, dict, set, frozenset)
_UNSET = object()


@dataclass(eq=False)
class Thing:
    """One thing of a project that counts: a function, a class or a constant.

    Attributes:
        noun: What it is.
        module: Name of its module.
        name: Its name there.
        digest: Digest of it alone, without what it reaches.
        reached: What it reaches directly.
        libraries: Modules of other packages that it uses.
        opaque: Why it can't be seen wholly.
    """

    noun: str
    module: str
    name: str
    digest: str = ""
    reached: list[Thing] = field(default_factory=list)
    libraries: set[str] = field(default_factory=set)
    opaque: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class _Scope:
    """Where the names of a piece of code are looked up."""

    names: Mapping[str, Any]
    closure: Mapping[str, Any]
    imports: Mapping[str, tuple[str, int, str]]
    used: frozenset[str]


class CodeReader:
    """Reads what functions reach; what several of them reach is read once.

    Args:
        root: The project's folder: what lies elsewhere counts as a library.
        files: Its Python files as they were loaded.
    """

    def __init__(self, root: Path, files: PythonFiles | None = None) -> None:
        self.root = root
        self.files = files or PythonFiles()
        # Objects are kept beside what was read, so that no address is used again.
        self._code: dict[int, tuple[Any, Thing]] = {}
        self._constants: dict[tuple[str, str, int], tuple[Any, Thing]] = {}
        self._syntax: dict[int, tuple[Syntax, str]] = {}

    def read_function(self, function: types.FunctionType) -> Thing:
        """Return a function and, by way of it, all that it reaches."""
        if id(function) in self._code:
            return self._code[id(function)][1]
        code = function.__code__
        # of the code, not of the function: `functools.wraps` gives a wrapper another's names
        thing = Thing("helper", str(function.__globals__.get("__name__")), code.co_qualname)
        self._code[id(function)] = (function, thing)
        nodes = self._find_nodes(code.co_filename, code)
        if not nodes:
            thing.opaque.add(f"the source of {function.__qualname__} can't be found")
            return thing
        texts = [self._read_node(node, function.__globals__, thing) for node in nodes]
        defaults = [self._hash_value(value, thing) for value in _defaults_of(function)]
        thing.digest = digest_text("\0".join([*(text for _, text in texts), *defaults]))
        closure = _closure_of(function)
        for syntax, _ in texts:
            used = _global_names(code) | closure.keys()
            scope = _Scope(function.__globals__, closure, syntax.imports, frozenset(used))
            self._follow(syntax, scope, thing)
        self._visit_wrapped(function, thing)
        return thing

    def read_class(self, class_: type) -> Thing:
        """Return a class and, by way of it, all that its body and bases reach."""
        if id(class_) in self._code:
            return self._code[id(class_)][1]
        thing = Thing("class", class_.__module__, class_.__qualname__)
        self._code[id(class_)] = (class_, thing)
        names = vars(sys.modules[class_.__module__])
        path = str(names.get("__file__", ""))
        file = self.files.read(path) if path else None
        words: list[str] = []
        inner: set[types.CodeType] = set()
        for code in file.classes.get(class_.__qualname__, []) if file else []:
            for node in self._find_nodes(path, code):
                syntax, text = self._read_node(node, names, thing)
                words.append(text)
                inner.update(walk_code(code))
                used = frozenset(_global_names(code))
                self._follow(syntax, _Scope(names, {}, syntax.imports, used), thing)
        if not words and not hasattr(class_, "_fields"):
            thing.opaque.add(f"the source of {class_.__qualname__} can't be found")
        words += self._read_attributes(class_, inner, thing)
        thing.digest = digest_text("\0".join(words))
        for base in (*class_.__mro__[1:], type(class_)):
            self._visit(base, "", "", thing)
        return thing

    def _read_attributes(self, class_: type, inner: set[types.CodeType], thing: Thing) -> list[str]:
        """Return the plain values of a class, and visit methods from outside of its body."""
        words = []
        for name, value in sorted(vars(class_).items()):
            function = getattr(value, "__func__", value)
            if isinstance(function, types.FunctionType):
                path = function.__code__.co_filename
                if is_project_file(path, self.root) and function.__code__ not in inner:
                    self._visit(function, "", "", thing)
            elif not name.startswith("_") and type(value) in _PLAIN:
                words.append(f"{name} {self._hash_value(value, thing)}")
        fields = getattr(class_, "_fields", ())
        return [*words, repr(fields)] if isinstance(fields, tuple) else words

    def _find_nodes(self, path: str, code: types.CodeType) -> list[Definition]:
        if not is_project_file(path, self.root):
            return []
        try:
            file = self.files.read(path)
        except (OSError, SyntaxError):
            return []
        return file.definitions.get((code.co_firstlineno, code.co_name), [])

    def _read_node(
        self, node: Definition, names: Mapping[str, Any], thing: Thing
    ) -> tuple[Syntax, str]:
        found = self._syntax.get(id(node))
        if found is None:
            try:
                syntax = read_syntax(node, _step_decorators(node, names))
            except RecursionError:
                thing.opaque.add(f"{thing.name} is nested too deeply")
                return Syntax(), ""
            found = self._syntax[id(node)] = (syntax, "\0".join(syntax.words))
        return found

    def _hash_value(self, value: Any, thing: Thing) -> str:
        read = read_value(value)
        for reached in (*read.reached, *read.types):
            self._visit(reached, "", "", thing)
        thing.opaque |= {f"the value of a {name} can't be seen" for name in read.unseen}
        return digest_text("\0".join(read.words))

    def _follow(self, syntax: Syntax, scope: _Scope, thing: Thing) -> None:
        for chain in sorted(syntax.chains):
            if chain[0] in scope.used or chain[0] in scope.imports:
                self._resolve(chain, scope, thing)
        for wanted in syntax.imports.values():
            self._find_import(wanted, scope, thing)
        for chain in sorted(syntax.outer):
            self._resolve(chain, scope, thing)

    def _resolve(self, chain: Chain, scope: _Scope, thing: Thing) -> None:
        """Find what a dotted name stands for, and visit it."""
        name, *rest = chain
        module = str(scope.names.get("__name__", ""))
        if name in scope.imports:
            value = self._find_import(scope.imports[name], scope, thing)
        elif name in scope.closure:
            value = scope.closure[name]
        else:
            value = scope.names.get(name, _UNSET)
        if value is _UNSET:
            if name in _DYNAMIC and hasattr(builtins, name):
                thing.opaque.add(f"{thing.name} uses {name}()")
            return
        while rest and isinstance(value, types.ModuleType):
            if value is importlib and rest[0] == "import_module":
                value = importlib.import_module
                break
            if not is_project_module(value, self.root):
                break
            module, name, *rest = value.__name__, *rest
            value = getattr(value, name, None)
        self._visit(value, module, name, thing)

    def _find_import(self, wanted: tuple[str, int, str], scope: _Scope, thing: Thing) -> Any:
        """Return what an import inside a function gives, without importing anything."""
        module, level, name = wanted
        if level:
            package = str(scope.names.get("__package__") or "")
            module = importlib.util.resolve_name("." * level + module, package)
        top = module.partition(".")[0]
        if module not in sys.modules:
            if (self.root / top).is_dir() or (self.root / f"{top}.py").is_file():
                thing.opaque.add(f"{thing.name} imports {module}, which can't be loaded")
            else:
                thing.libraries.add(top)
            return _UNSET
        found = sys.modules[module]
        if not name or not is_project_module(found, self.root):
            return found
        return getattr(found, name, sys.modules.get(f"{module}.{name}", _UNSET))

    def _visit(self, value: Any, module: str, name: str, thing: Thing) -> None:
        """Add what a name stands for to what a thing reaches."""
        if value is importlib.import_module:
            thing.opaque.add(f"{thing.name} imports modules by computed names")
        elif isinstance(value, types.ModuleType):
            if is_project_module(value, self.root):
                thing.opaque.add(f"{thing.name} uses the module {value.__name__} as a value")
            else:
                self._add_library(value.__name__, thing)
        elif isinstance(value, types.MethodType):
            self._visit(value.__func__, "", "", thing)
            self._visit(value.__self__, module, name, thing)
        elif isinstance(value, types.FunctionType):
            self._visit_function(value, thing)
        elif isinstance(value, type):
            if self._is_own(value.__module__):
                thing.reached.append(self.read_class(value))
            else:
                self._add_library(value.__module__, thing)
        elif is_wrapper(value):
            self._visit_wrapped(value, thing)
        elif hasattr(type(value), "__objclass__") or isinstance(value, types.BuiltinFunctionType):
            self._add_library(getattr(value, "__module__", None) or "", thing)
        else:
            thing.reached.append(self._read_constant(value, module, name))

    def _visit_function(self, function: types.FunctionType, thing: Thing) -> None:
        if is_project_file(function.__code__.co_filename, self.root):
            thing.reached.append(self.read_function(function))
        elif self._is_own(function.__module__) and not hasattr(function, "__wrapped__"):
            thing.opaque.add(f"the source of {function.__qualname__} can't be found")
        else:
            self._add_library((function.__code__.co_filename and function.__module__) or "", thing)
            self._visit_wrapped(function, thing)

    def _visit_wrapped(self, function: Any, thing: Thing) -> None:
        """Visit what a decorated function hides: itself, and what it dispatches to."""
        wrapped = getattr(function, "__wrapped__", None)
        if wrapped is not None:
            self._visit(wrapped, "", "", thing)
        registry = getattr(function, "registry", None)
        for handler in registry.values() if isinstance(registry, Mapping) else ():
            self._visit(handler, "", "", thing)

    def _read_constant(self, value: Any, module: str, name: str) -> Thing:
        key = (module, name, id(value))
        if key not in self._constants:
            thing = Thing("constant", module, name)
            self._constants[key] = (value, thing)
            thing.digest = self._hash_value(value, thing)
        return self._constants[key][1]

    def _is_own(self, module: str | None) -> bool:
        found = sys.modules.get(module or "")
        return isinstance(found, types.ModuleType) and is_project_module(found, self.root)

    def _add_library(self, module: str, thing: Thing) -> None:
        top = module.partition(".")[0]
        if top and top not in sys.stdlib_module_names and top not in ("segue", "__main__"):
            thing.libraries.add(top)


def collect_things(first: Thing) -> Iterator[Thing]:
    """Yield a thing and all that it reaches, each once."""
    seen = {id(first)}
    waiting = [first]
    while waiting:
        thing = waiting.pop()
        yield thing
        for reached in thing.reached:
            if id(reached) not in seen:
                seen.add(id(reached))
                waiting.append(reached)


def _step_decorators(node: Definition, names: Mapping[str, Any]) -> tuple[ast.expr, ...]:
    """Return the decorators of a definition that are ``@step``: its options count by value."""
    if isinstance(node, ast.Lambda):
        return ()
    found = []
    for decorator in node.decorator_list:
        chain = unwind(decorator.func if isinstance(decorator, ast.Call) else decorator)
        if chain is None:
            continue
        value = names.get(chain[0])
        for name in chain[1:]:
            value = getattr(value, name, None)
        if value is step:
            found.append(decorator)
    return tuple(found)


def _defaults_of(function: types.FunctionType) -> list[Any]:
    keywords = function.__kwdefaults__ or {}
    return [*(function.__defaults__ or ()), *(keywords[name] for name in sorted(keywords))]


def _closure_of(function: types.FunctionType) -> dict[str, Any]:
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not yet assigned
            continue
    return found


def _global_names(code: types.CodeType) -> set[str]:
    """Return the names that code may look up in its module, nested code included."""
    found: set[str] = set()
    for inner in walk_code(code):
        local = {*inner.co_varnames, *inner.co_cellvars, *inner.co_freevars}
        found.update(name for name in inner.co_names if name not in local)
    return found
