"""``steps/*.py``: functions marked with ``@step``, and what they ask for."""

from __future__ import annotations

import inspect
import re
import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.declare.annotations import Annotations
from segue.declare.fingerprint import fingerprint_function
from segue.declare.modules import ProjectModules, is_project_file
from segue.declare.options import OPTIONS, Options, read_options
from segue.declare.problems import Problems, check_name, read_text
from segue.declare.reach import CodeReader
from segue.declare.schemas import read_columns
from segue.declare.signature import Types, find_bare, read_signature
from segue.errors import Location, UnknownNameError
from segue.registry import nearest
from segue.spec.step import FrameKind, FrameSpec, FunctionSpec, Mode, StepSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from segue.declare.decorator import MarkedFunction
    from segue.spec.step import ProjectSpec

PYTHON_OPTIONS = ("name", *OPTIONS)
_DEFINED = re.compile(r"^\s*(?:async\s+)?def\s+(\w+)|\bname\s*=\s*[\"'](\w+)[\"']", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PythonSteps:
    """What a project's Python files declare.

    Attributes:
        steps: Steps, in the order of files and lines.
        broken: Names that files declare which can't be used.
        settings: Types of settings, by ``step.name``.
    """

    steps: tuple[StepSpec, ...]
    broken: frozenset[str]
    settings: Mapping[str, Types]


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A project that this process has declared."""

    modules: ProjectModules
    functions: Mapping[str, Callable[..., Any]]


_loaded: dict[Path, _Loaded] = {}


def read_python_steps(root: Path, paths: Sequence[str], problems: Problems) -> PythonSteps:
    """Load a project's Python files, and return the steps that they mark.

    Args:
        root: The project's folder.
        paths: Its ``steps/*.py``, relative to the root.
        problems: Takes what is wrong.
    """
    modules, broken = _load_modules(root, paths, problems)
    reader = CodeReader(root, modules.files)
    shown = {path.removesuffix(".py").replace("/", "."): path for path in paths}
    steps: list[StepSpec] = []
    functions: dict[str, Callable[..., Any]] = {}
    settings: dict[str, Types] = {}
    for marked in modules.marked:
        if marked.module not in shown:
            continue
        before = len(problems)
        read = _read_step(marked, shown[marked.module], modules, reader, problems)
        if read is not None:
            step, types = read
            functions.setdefault(step.name, marked.function)
            settings.update({f"{step.name}.{name}": kinds for name, kinds in types.items()})
            steps.append(step)
        elif len(problems) > before:
            broken.add(_name_of(marked))
    _loaded[root] = _Loaded(modules, functions)
    return PythonSteps(tuple(steps), frozenset(broken), settings)


def load_function(project: ProjectSpec, step: StepSpec) -> Callable[..., Any]:
    """Return the function of a Python step.

    In the process that declared the project it is the very function that was fingerprinted;
    another process loads the file that declares the step.

    Args:
        project: The project.
        step: One of its Python steps.

    Raises:
        UnknownNameError: The file no longer declares the step.
    """
    loaded = _loaded.get(project.root)
    functions: Mapping[str, Callable[..., Any]]
    if loaded is None:
        problems = Problems()
        modules, _ = _load_modules(project.root, [step.location.path], problems)
        problems.check()
        functions = {_name_of(marked): marked.function for marked in modules.marked}
    else:
        loaded.modules.activate()
        functions = loaded.functions
    if step.name not in functions:
        hint = "its file has changed since the run began: run again"
        message = f"{step.location.path} no longer declares {step.name!r}"
        raise UnknownNameError(message, hint=hint)
    return functions[step.name]


def _name_of(marked: MarkedFunction) -> str:
    return marked.mark.name or marked.function.__name__


def _load_modules(
    root: Path, paths: Sequence[str], problems: Problems
) -> tuple[ProjectModules, set[str]]:
    """Load files; return the modules, and names that broken files would have declared."""
    modules = ProjectModules(root)
    broken: set[str] = set()
    with modules.loading():
        for path in paths:
            if read_text(root / path, path, problems) is None:
                continue
            try:
                modules.load(path)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's code may raise anything
                _report_import(error, path, root, problems)
                text = (root / path).read_text("utf-8", "replace")
                broken.update(name for pair in _DEFINED.findall(text) for name in pair if name)
        modules.load_late()
    return modules, broken


def _report_import(error: BaseException, path: str, root: Path, problems: Problems) -> None:
    """Report why a file can't be loaded, at the user's own last line."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        where = Location(_show_path(error.filename, root) or path, error.lineno)
        problems.add("python-syntax", f"not valid Python: {error.msg}", where)
        return
    own = [
        Location(shown, frame.lineno)
        for frame in traceback.extract_tb(error.__traceback__)
        if (shown := _show_path(frame.filename, root))
    ]
    hint = ""
    if isinstance(error, ModuleNotFoundError):
        hint = f"install it where segue runs, or check the spelling: {error.name}"
    message = f"can't be loaded: {type(error).__name__}: {error}"
    problems.add("python-import", message, own[-1] if own else Location(path), hint)


def _show_path(path: str, root: Path) -> str | None:
    return path[len(f"{root}/") :] if is_project_file(path, root) else None


def _read_step(
    marked: MarkedFunction,
    shown: str,
    modules: ProjectModules,
    reader: CodeReader,
    problems: Problems,
) -> tuple[StepSpec, dict[str, Types]] | None:
    """Return the step that a marked function is, and the types of its settings.

    What is wrong is reported, and nothing returned.
    """
    function, before = marked.function, len(problems)
    location, path = _find_place(marked, shown, modules)
    name = _name_of(marked)
    check_name(name, "step", location, problems)
    options = _read_mark(marked, location, problems)
    annotations = _annotate(find_bare(function), modules)
    read = read_signature(function, path, annotations, location, problems)
    if read is None or len(problems) > before:
        return None
    spec, types = read
    row = annotations.read_schema(find_bare(function).__annotations__["return"])
    if row is not None and options.schema is None:
        options = replace(options, schema=_write_schema(row, location, problems))
        if options.schema is None:
            return None
    _check_options(spec, options, location, problems)
    libraries = [frame.kind.partition(".")[0] for frame in _frames_of(spec) if "." in frame.kind]
    step = StepSpec(
        name=name,
        location=location,
        reads=tuple(table for table, _ in spec.inputs),
        mode=Mode.EFFECT if spec.returns.kind == FrameKind.NOTHING else options.mode,
        fingerprint=fingerprint_function(
            function, modules.root, options.meaning, libraries, reader
        ),
        function=spec,
        key=options.key,
        by=options.by,
        sort=options.sort,
        how=options.how,
        schema=options.schema,
        tags=options.tags,
        on=options.on,
        limits=options.limits,
        about=_read_about(function),
        window=options.window,
        model=options.model,
    )
    return step, types


def _annotate(function: Callable[..., Any], modules: ProjectModules) -> Annotations:
    """Return what reads the annotations of a function's module."""
    file = modules.files.find(function.__code__.co_filename)
    if file is None:
        return Annotations(function.__globals__, {})
    return Annotations(function.__globals__, file.imports)


def _find_place(
    marked: MarkedFunction, shown: str, modules: ProjectModules
) -> tuple[Location, str]:
    """Return where a step is declared, and the file that holds its function's code.

    Both are one place, unless another file's factory made the function.
    """
    code = find_bare(marked.function).__code__
    path = _show_path(code.co_filename, modules.root) or shown
    if path != shown:
        return Location(shown, marked.line), path
    file = modules.files.find(code.co_filename)
    nodes = file.definitions.get((code.co_firstlineno, code.co_name)) if file else None
    return Location(shown, nodes[0].lineno if nodes else code.co_firstlineno), path


def _read_mark(marked: MarkedFunction, location: Location, problems: Problems) -> Options:
    raw = dict(marked.mark.options)
    for name in [name for name in raw if name not in PYTHON_OPTIONS]:
        message = f"@step has no option {name!r}"
        problems.add("unknown-option", message, location, nearest(name, PYTHON_OPTIONS))
        del raw[name]
    if raw.get("mode") == "view":
        hint = "write it as SQL, or leave the mode out"
        problems.add("bad-option", "only a SQL step can be a view", location, hint)
        del raw["mode"]
    schema = raw.get("schema")
    if schema is not None and not isinstance(schema, str):
        raw["schema"] = _write_schema(schema, location, problems)
    return read_options(raw, location, problems)


def _write_schema(schema: Any, location: Location, problems: Problems) -> str | None:
    """Return a schema that is declared in another form as an expression."""
    try:
        return str(read_columns(schema))
    except (ValueError, TypeError) as error:
        problems.add("bad-option", f"schema: {error}", location)
        return None


def _frames_of(spec: FunctionSpec) -> list[FrameSpec]:
    return [*(frame for _, frame in spec.inputs), spec.returns]


def _check_options(
    spec: FunctionSpec, options: Options, location: Location, problems: Problems
) -> None:
    if (options.by or options.sort or options.window) and not spec.inputs:
        message = "by, sort and window mean nothing without a table"
        problems.add("bad-option", message, location, "take a table as a parameter")
    if spec.returns.kind == FrameKind.NOTHING and options.mode != Mode.REPLACE:
        message = f"mode {options.mode.value} means nothing for a step that returns None"
        problems.add("bad-option", message, location, "return a frame, or leave the mode out")


def _read_about(function: Callable[..., Any]) -> str:
    text = inspect.cleandoc(function.__doc__ or "")
    return " ".join(text.partition("\n\n")[0].split())
