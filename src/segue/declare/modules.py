"""A project's Python modules: loaded afresh, beside those of other projects."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from threading import RLock
from types import CodeType, ModuleType
from typing import TYPE_CHECKING

from segue.declare.decorator import COLLECTOR, MarkedFunction
from segue.declare.syntax import ParsedFile, PythonFiles, walk_statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

STEPS = "steps"
_LOCK = RLock()
_FOREIGN = frozenset(("site-packages", "dist-packages", "node_modules", "__pycache__"))
_LATE_IMPORT = re.compile(r"^[ \t]+(?:from|import)[ \t]", re.MULTILINE)
_active: list[ProjectModules] = []
"""The project whose modules are in `sys.modules`: none or one."""


@lru_cache(maxsize=8192)
def is_project_file(path: str, root: Path) -> bool:
    """Return whether a file belongs to the project, and is not installed below its folder.

    Example:
        >>> from pathlib import Path
        >>> is_project_file("/shop/.venv/lib/site-packages/numpy.py", Path("/shop"))
        False
    """
    top = f"{root}/"
    if not path.startswith(top):
        return False
    folders = path[len(top) :].split("/")[:-1]
    return not any(name in _FOREIGN or name.startswith(".") for name in folders)


def is_project_module(module: ModuleType, root: Path) -> bool:
    """Return whether a module, or a package without a file, lies in the project."""
    attributes = getattr(module, "__dict__", {})  # anything may stand in sys.modules
    path = attributes.get("__file__")
    if path is None and "__path__" in attributes:
        path = next((f"{folder}/" for folder in attributes["__path__"]), None)
    return isinstance(path, str) and is_project_file(path, root)


class ProjectModules:
    """The Python modules of one project, as one load found them.

    Projects may have modules of the same name: only one project's are in `sys.modules` at a
    time. Those of others live on in the functions that use them.

    Attributes:
        root: The project's folder.
        files: Its Python files, as they were loaded.
        marked: Functions that ``@step`` marked.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = PythonFiles()
        self.marked: list[MarkedFunction] = []
        self._modules: dict[str, ModuleType] = {}
        self._finder = _Finder(root, self.files)

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Make imports find the project's files, as they are now, before anything else.

        Afterwards they find them when nothing else has the name, for imports inside functions.
        """
        with _LOCK:
            _deactivate()
            aside = self._set_aside()
            importlib.invalidate_caches()
            collector = COLLECTOR.set(self.marked)
            sys.meta_path.insert(0, self._finder)
            try:
                yield
            finally:
                sys.meta_path.remove(self._finder)
                sys.meta_path.append(self._finder)
                COLLECTOR.reset(collector)
                self._modules = dict(_modules_in(self.root))
                for name, module in aside.items():
                    sys.modules.setdefault(name, module)
                _active.append(self)

    def activate(self) -> None:
        """Make imports find this project's modules, as they were loaded."""
        with _LOCK:
            if self in _active:
                return
            _deactivate()
            sys.modules.update(self._modules)
            sys.meta_path.append(self._finder)
            _active.append(self)

    def load(self, path: str) -> ModuleType:
        """Load a file, once, under the name that an import would give it; only in `loading`.

        Args:
            path: Path relative to the root.

        Raises:
            Exception: Whatever its code raises.
        """
        return importlib.import_module(path.removesuffix(".py").replace("/", "."))

    def load_late(self) -> None:
        """Load the project's modules that functions import when they run; only in `loading`."""
        for module in [module for _, module in _modules_in(self.root)]:
            path = vars(module).get("__file__")
            file = self.files.find(path) if path else None
            if file is not None and _LATE_IMPORT.search(file.text):
                for node in _late_imports(file):
                    if self._is_own(node):
                        _run_import(node, module)

    def _is_own(self, node: ast.Import | ast.ImportFrom) -> bool:
        if isinstance(node, ast.ImportFrom) and node.level:
            return True
        names = (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
        )
        return all(self._finder.find_spec(name.partition(".")[0]) for name in names)

    def _set_aside(self) -> dict[str, ModuleType]:
        """Take modules out of `sys.modules` that stand in the way; return those to put back."""
        own = {STEPS, *(path.stem for path in self.root.glob("*.py"))} - sys.stdlib_module_names
        aside = dict(_modules_in(self.root))
        aside |= {
            name: module
            for name, module in list(sys.modules.items())
            if name.partition(".")[0] in own and name != "__main__"
        }
        for name in aside:
            del sys.modules[name]
        return {
            name: module
            for name, module in aside.items()
            if not isinstance(getattr(module, "__loader__", None), _Loader)
        }


def _deactivate() -> None:
    for other in _active:
        sys.meta_path.remove(other._finder)  # noqa: SLF001 - of the same class
        for name in other._modules:  # noqa: SLF001 - of the same class
            sys.modules.pop(name, None)
    _active.clear()


def _modules_in(root: Path) -> list[tuple[str, ModuleType]]:
    return [
        (name, module)
        for name, module in list(sys.modules.items())
        if name != "__main__" and is_project_module(module, root)
    ]


def _late_imports(file: ParsedFile) -> Iterator[ast.Import | ast.ImportFrom]:
    for nodes in file.definitions.values():
        for node in nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for inner in walk_statements(node):
                    if isinstance(inner, ast.Import | ast.ImportFrom):
                        yield inner


def _run_import(node: ast.Import | ast.ImportFrom, module: ModuleType) -> None:
    code = compile(ast.Module([node], []), str(module.__file__), "exec")
    names = {key: vars(module).get(key) for key in ("__name__", "__package__", "__spec__")}
    # Whatever it raises, the function will raise again, should it ever run.
    with suppress(Exception):
        exec(code, names)  # noqa: S102 - an import of the user's own, run earlier


class _Finder:
    """Finds modules below the project's folder, and has them loaded without old byte code."""

    def __init__(self, root: Path, files: PythonFiles) -> None:
        self.root = root
        self.files = files

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module lies in the project, or None if it does not."""
        if path is None and name in sys.stdlib_module_names:
            return None
        inside = [
            folder
            for folder in path or [str(self.root)]
            if is_project_file(f"{folder}/", self.root)
        ]
        spec = PathFinder.find_spec(name, inside, target) if inside else None
        if spec is None:
            return None
        if spec.origin is None or not spec.origin.endswith(".py"):
            # Any folder could be a package: an installed one of the name goes first.
            elsewhere = path is None and name != STEPS and PathFinder.find_spec(name)
            return None if elsewhere else spec
        return spec_from_file_location(
            name,
            spec.origin,
            loader=_Loader(name, spec.origin, self.files),
            submodule_search_locations=spec.submodule_search_locations,
        )


class _Loader(SourceFileLoader):
    """Runs a file's source as it is now; byte code may be of an edit in the same second."""

    def __init__(self, name: str, path: str, files: PythonFiles) -> None:
        super().__init__(name, path)
        self.files = files

    def get_code(self, fullname: str) -> CodeType:
        """Return the compiled file, never from a cache."""
        return self.files.read(self.get_filename(fullname)).code
