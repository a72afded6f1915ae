"""A step's function: the tables and settings that it takes, and the frame that it returns."""

from __future__ import annotations

import inspect
from types import FunctionType
from typing import TYPE_CHECKING, Any

from segue.declare.annotations import SERVED_HINT, Annotations, fits
from segue.spec.step import FrameKind, FrameSpec, FunctionSpec, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable

    from segue.declare.problems import Problems
    from segue.errors import Location

SCALARS = (bool, int, float, str, type(None))
Types = tuple[type, ...]


def find_bare(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function that decorators have wrapped, or the given one if it has no code."""
    if isinstance(function, FunctionType) and not hasattr(function, "__wrapped__"):
        return function  # as most are
    bare = inspect.unwrap(function)
    return bare if inspect.isfunction(bare) else function


def read_signature(
    function: Callable[..., Any],
    path: str,
    annotations: Annotations,
    location: Location,
    problems: Problems,
) -> tuple[FunctionSpec, dict[str, Types]] | None:
    """Return what a step's function takes and returns, and the types of its settings.

    Args:
        function: The function.
        path: File of its code, relative to the project's folder.
        annotations: Reads annotations as that file means them.
        location: Where the step is declared.
        problems: Takes what is wrong.

    Returns:
        None if something is wrong.
    """
    bare = find_bare(function)
    if inspect.iscoroutinefunction(bare) or inspect.isasyncgenfunction(bare):
        problems.add("bad-function", "a step can't be async", location, "write def, not async def")
        return None
    before = len(problems)
    inputs: list[tuple[str, FrameSpec]] = []
    settings: list[tuple[str, Scalar]] = []
    types: dict[str, Types] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            hint = "name each table as a parameter of its own"
            message = f"*{parameter.name} names no table"
            problems.add("bad-parameter", message, location, hint)
        elif parameter.default is parameter.empty:
            frame = _read_input(parameter, annotations, location, problems)
            inputs += [(parameter.name, frame)] if frame else []
        elif _check_setting(parameter, annotations, location, problems):
            settings.append((parameter.name, parameter.default))
            types[parameter.name] = _setting_types(parameter, annotations) or SCALARS
    returns = _read_return(bare, annotations, location, problems)
    if returns is None or len(problems) > before:
        return None
    spec = FunctionSpec(path, bare.__qualname__, tuple(inputs), returns, tuple(settings))
    return spec, types


def _read_input(
    parameter: inspect.Parameter, annotations: Annotations, location: Location, problems: Problems
) -> FrameSpec | None:
    name, annotation = parameter.name, parameter.annotation
    if annotation is parameter.empty:
        message = f"parameter {name!r} does not say which frame it wants"
        problems.add("missing-annotation", message, location, SERVED_HINT)
        return None
    frame = annotations.read_frame(annotation)
    if frame is not None and frame.kind != FrameKind.NOTHING:
        return frame
    if annotations.read_scalar(annotation):
        hint = f"a setting needs a default: {name}: {annotations.show(annotation)} = ..."
        message = f"parameter {name!r} is no table, and has no default"
        problems.add("bad-parameter", message, location, hint)
        return None
    message = f"parameter {name!r}: {annotations.show(annotation)} can't be served"
    problems.add("bad-annotation", message, location, SERVED_HINT)
    return None


def _check_setting(
    parameter: inspect.Parameter, annotations: Annotations, location: Location, problems: Problems
) -> bool:
    name, default = parameter.name, parameter.default
    if type(default) not in SCALARS:
        hint = "a setting is a number, a text, true, false or None; a table has no default"
        message = f"setting {name!r} has a default of type {type(default).__name__}"
        problems.add("bad-parameter", message, location, hint)
        return False
    allowed = _setting_types(parameter, annotations)
    if allowed is None:
        shown = annotations.show(parameter.annotation)
        message = f"setting {name!r} is annotated {shown}, which no setting can be"
        hint = "annotate it bool, int, float or str, or one of these | None"
        problems.add("bad-parameter", message, location, hint)
        return False
    if not fits(default, allowed):
        shown = annotations.show(parameter.annotation)
        message = f"setting {name!r} is annotated {shown}, and its default is {default!r}"
        problems.add("bad-parameter", message, location, "make the two agree")
        return False
    return True


def _setting_types(parameter: inspect.Parameter, annotations: Annotations) -> Types | None:
    """Return the types that a setting takes: its annotation's, or its default's."""
    if parameter.annotation is not parameter.empty:
        return annotations.read_scalar(parameter.annotation)
    return SCALARS if parameter.default is None else (type(parameter.default),)


def _read_return(
    function: Callable[..., Any], annotations: Annotations, location: Location, problems: Problems
) -> FrameSpec | None:
    if "return" not in function.__annotations__:
        hint = f"{SERVED_HINT}; or None for a step that makes no table"
        problems.add("missing-annotation", "it does not say what it returns", location, hint)
        return None
    annotation = function.__annotations__["return"]
    frame = annotations.read_result(annotation)
    if frame is None:
        message = f"the result: {annotations.show(annotation)} can't be served"
        problems.add("bad-annotation", message, location, SERVED_HINT)
    return frame
