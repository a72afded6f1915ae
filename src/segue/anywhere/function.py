"""The function that a user gave: what it takes, and what it returns."""

from __future__ import annotations

import inspect
import os
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from segue.declare.annotations import SERVED_HINT, Annotations
from segue.declare.syntax import PythonFiles
from segue.errors import Location, UsageError
from segue.execute.blame import Blame
from segue.frames.kinds import name_type
from segue.registry import nearest
from segue.spec.step import FrameKind, FrameSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_FILES = PythonFiles()
_CALLABLE = "Callable"


@dataclass(frozen=True, slots=True)
class Function:
    """A function, and what is known of it.

    Attributes:
        call: The function.
        name: Its name, for errors.
        inputs: Name of the parameter for each input, and the frame it asks for: an empty name
            where inputs go by position, None where it does not say.
        returns: The frame it announces, None if it does not say.
        settings: Values of its further parameters.
        listeners: Names of the parameters that take a callback.
        blame: Tells its errors.
        optional: Names of the parameters that have a default.
        schema: What its annotation tells of the result's columns, if anything.
    """

    call: Callable[..., Any]
    name: str
    inputs: tuple[tuple[str, FrameSpec | None], ...]
    returns: FrameSpec | None
    settings: Mapping[str, Any]
    listeners: tuple[str, ...]
    blame: Blame
    optional: tuple[str, ...] = ()
    schema: Any = None


def read_function(given: Any, count: int, params: Mapping[str, Any] | None) -> Function:
    """Return a function with what it takes and returns.

    Args:
        given: The function, or where it can be imported from: ``package.module:function``.
        count: How many inputs there are.
        params: Values of its further parameters.

    Raises:
        UsageError: It can't be called in this way.
    """
    call = _import(given) if isinstance(given, str) else given
    if not callable(call):
        hint = 'give a function, or where to import it from: "package.module:function"'
        raise UsageError(f"fn is of type {name_type(given)}, and can't be called", hint=hint)
    bare = _find_bare(call)
    name = getattr(bare, "__qualname__", None) or type(call).__name__
    code = getattr(bare, "__code__", None)
    if inspect.iscoroutinefunction(bare) or inspect.isasyncgenfunction(bare):
        raise UsageError(f"function {name!r} is async", hint="write def, not async def")
    blame = _find_blame(name, code)
    settings = dict(params or {})
    try:
        signature = inspect.signature(call)
    except (TypeError, ValueError):  # functions written in C may have none
        return Function(call, name, (("", None),) * count, None, settings, (), blame)
    annotations = _read_annotations(bare, code)
    reader = _Reader(name, annotations, settings, blame.location)
    inputs, listeners = reader.sort_parameters(signature, count)
    returns = reader.read_returns(signature)
    optional = [p.name for p in signature.parameters.values() if p.default is not p.empty]
    schema = annotations.read_schema(signature.return_annotation)
    return Function(
        call, name, inputs, returns, settings, listeners, blame, tuple(optional), schema
    )


def _import(text: str) -> Any:
    module, colon, path = text.partition(":")
    if not colon or not module or not path:
        hint = 'write "package.module:function"'
        raise UsageError(f"fn={text!r} does not tell a module and a function", hint=hint)
    try:
        found: Any = import_module(module)
    except ModuleNotFoundError as error:
        hint = f"install it, or check the spelling: {error.name}"
        raise UsageError(f"fn={text!r}: there is no module {error.name!r}", hint=hint) from None
    for part in path.split("."):
        if not hasattr(found, part):
            known = [name for name in dir(found) if not name.startswith("_")]
            message = f"fn={text!r}: there is no {part!r} in it"
            raise UsageError(message, hint=nearest(part, known, noun="function"))
        found = getattr(found, part)
    return found


def _find_bare(call: Any) -> Any:
    """Return the function with code behind what was given."""
    while isinstance(call, partial):
        call = call.func
    bare = inspect.unwrap(call)
    if not (inspect.isroutine(bare) or inspect.isclass(bare)):
        bare = getattr(type(bare), "__call__", bare)  # noqa: B004  # the function itself is wanted
    return getattr(bare, "__func__", bare)


def _find_blame(name: str, code: Any) -> Blame:
    subject = f"function {name!r}"
    if code is None:
        return Blame(subject, os.getcwd())  # noqa: PTH109  # text is what is needed
    here = os.getcwd()  # noqa: PTH109
    folder, shown, file = _find_file(code.co_filename, here)
    location = Location(f"{shown}{file}", code.co_firstlineno)
    return Blame(subject, folder, location=location, shown=shown)


@lru_cache(maxsize=256)
def _find_file(path: str, here: str) -> tuple[str, str, str]:
    """Return the folder of a file, what is shown before its name, and its name."""
    folder, file = os.path.split(os.path.realpath(path))
    inside = os.path.relpath(folder, here)
    far = inside.startswith("..")
    return folder, f"{folder}/" if far else "" if inside == "." else f"{inside}/", file


def _read_annotations(bare: Any, code: Any) -> Annotations:
    names = getattr(bare, "__globals__", {})
    imports: Mapping[str, str] = {}
    texts = [a for a in getattr(bare, "__annotations__", {}).values() if isinstance(a, str)]
    if texts and code is not None:
        try:
            imports = _FILES.read(code.co_filename).imports
        except (OSError, SyntaxError, ValueError):  # typed into a shell, or a notebook
            imports = {}
    return Annotations(names, imports)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the signature of one function."""

    name: str
    annotations: Annotations
    settings: Mapping[str, Any]
    location: Location | None

    def sort_parameters(
        self, signature: inspect.Signature, count: int
    ) -> tuple[tuple[tuple[str, FrameSpec | None], ...], tuple[str, ...]]:
        """Return inputs and callbacks; check that all others have a value."""
        inputs: list[tuple[str, FrameSpec | None]] = []
        listeners: list[str] = []
        rest: list[inspect.Parameter] = []
        open_ended = False
        for parameter in signature.parameters.values():
            kind = parameter.kind
            if kind is parameter.VAR_KEYWORD:
                open_ended = True
            elif kind is parameter.VAR_POSITIONAL:
                frame = self._read_input(parameter)
                inputs += [("", frame)] * (count - len(inputs))
            elif self._is_callback(parameter):
                listeners.append(parameter.name)
            elif len(inputs) < count and parameter.name not in self.settings:
                named = "" if kind is parameter.POSITIONAL_ONLY else parameter.name
                inputs.append((named, self._read_input(parameter)))
            else:
                rest.append(parameter)
        if len(inputs) < count:
            takes = "1 frame" if len(inputs) == 1 else f"{len(inputs)} frames"
            raise self._wrong(f"takes {takes}, and {count} are given", "give it that many")
        if not all(named for named, _ in inputs):
            inputs = [("", frame) for _, frame in inputs]
        self._check_settings(rest, open_ended=open_ended)
        return tuple(inputs), tuple(listeners)

    def _check_settings(self, rest: Sequence[inspect.Parameter], *, open_ended: bool) -> None:
        names = [parameter.name for parameter in rest]
        for parameter in rest:
            if parameter.default is parameter.empty and parameter.name not in self.settings:
                hint = f"params={{{parameter.name!r}: ...}}, or a default for it"
                raise self._wrong(f"needs a value for {parameter.name!r}", hint)
        for name in self.settings:
            if name not in names and not open_ended:
                hint = nearest(name, names, noun="setting")
                raise self._wrong(f"has no parameter {name!r}", hint)

    def _is_callback(self, parameter: inspect.Parameter) -> bool:
        if parameter.annotation is parameter.empty or parameter.name in self.settings:
            return False
        return self.annotations.name(parameter.annotation).rpartition(".")[2] == _CALLABLE

    def _read_input(self, parameter: inspect.Parameter) -> FrameSpec | None:
        annotation = parameter.annotation
        if annotation is parameter.empty or self.annotations.name(annotation) == "Any":
            return None
        frame = self.annotations.read_frame(annotation)
        if frame is None or frame.kind is FrameKind.NOTHING:
            shown = self.annotations.show(annotation)
            message = f"asks for {parameter.name!r} as {shown}, which can't be served"
            raise self._wrong(message, SERVED_HINT)
        return frame

    def read_returns(self, signature: inspect.Signature) -> FrameSpec | None:
        """Return the frame that is announced, None if none is."""
        annotation = signature.return_annotation
        if annotation is signature.empty or self.annotations.name(annotation) == "Any":
            return None
        frame = self.annotations.read_result(annotation)
        if frame is None:
            shown = self.annotations.show(annotation)
            raise self._wrong(f"announces to return {shown}, which can't be taken", SERVED_HINT)
        return frame

    def _wrong(self, what: str, hint: str) -> UsageError:
        return UsageError(f"function {self.name!r} {what}", hint=hint, location=self.location)
