"""A user's own function that judges rows: found, given the frame it asks for, and called."""

from __future__ import annotations

import inspect
import os
import sysconfig
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.errors import SegueError
from segue.registry import nearest
from segue.spec.step import FrameKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from segue.spec.step import FrameSpec

GIVEN = "given"
"""What stands for a module where the contract itself holds the function."""
_PACKAGE = f"{Path(os.path.realpath(__file__)).parents[1]}/"


@dataclass(frozen=True, slots=True)
class UserFunction:
    """A function of a user's file.

    Attributes:
        call: The function.
        frame: The frame that it asks for.
        root: Folder of the user's files.
        private: Whether what it raises may quote values that must not be shown.
    """

    call: Callable[..., Any]
    frame: FrameSpec
    root: Path
    private: bool = False

    def run(self, frame: Any, settings: Mapping[str, Any]) -> Any:
        """Call the function.

        Raises:
            ValueError: It failed; the message names the user's own line.
        """
        return self.guard(lambda: self.call(frame, **settings))

    def guard(self, work: Callable[[], Any]) -> Any:
        """Do what runs the user's code, such as computing what it has returned.

        Raises:
            ValueError: It failed; the message names the user's own line.
        """
        try:
            return work()
        except SegueError:  # of the rows that it reads: it tells by itself
            raise
        except (Exception, SystemExit) as error:  # users raise anything
            told = _describe(error, private=self.private)
            where = _find_line(error, self.root)
            raise ValueError(f"raised {told}{where}") from error


def split_reference(reference: str) -> tuple[str, str]:
    """Return the module or file, and the function in it.

    Raises:
        ValueError: It is not written so.

    Example:
        >>> split_reference("checks/orders.py:totals")
        ('checks/orders.py', 'totals')
    """
    place, colon, name = reference.strip().rpartition(":")
    if not colon or not place or not all(part.isidentifier() for part in name.split(".")):
        raise ValueError(f"expected package.module:function or file.py:function, not {reference!r}")
    if not place.endswith(".py") and not all(part.isidentifier() for part in place.split(".")):
        raise ValueError(f"{place!r} is neither a module nor a file that ends in .py")
    return place, name


def load_function(
    reference: str,
    folder: str,
    settings: Mapping[str, Any],
    *,
    private: bool = False,
    given: Mapping[str, Callable[..., Any]] | None = None,
) -> UserFunction:
    """Return a function as its file has it now.

    Args:
        reference: ``package.module:function``, or ``file.py:function``.
        folder: Folder where paths and modules start; empty for the current one.
        settings: What it is given by name besides rows.
        private: Whether values must stay out of messages.
        given: Functions that the contract itself holds: they are called ``given:name``.

    Raises:
        ValueError: There is none, it can't be loaded, or it can't be called with rows. The
            message follows the function's name, as that of all errors here.
    """
    place, name = split_reference(reference)
    if place == GIVEN and given and name in given:
        function = given[name]
        code = getattr(inspect.unwrap(function), "__code__", None)
        root = Path(os.path.realpath(code.co_filename if code else os.curdir)).parent
        return UserFunction(function, _read_frame(function, settings), root, private)
    root, module = _locate(place, Path(os.path.realpath(folder or os.curdir)))
    found: Any = _load_module(module, root, private=private)
    for part in name.split("."):
        if not hasattr(found, part):
            known = [each for each in dir(found) if not each.startswith("_")]
            hint = nearest(part, known, noun="function")
            raise ValueError(f"is not there: {place} has no {part!r}: {hint}")
        found = getattr(found, part)
    if not callable(found):
        raise ValueError("is no function")  # noqa: TRY004  # of the contract
    return UserFunction(found, _read_frame(found, settings), root, private)


def _locate(place: str, folder: Path) -> tuple[Path, str]:
    """Return the folder that a module belongs to, and its name there."""
    if not place.endswith(".py"):
        return folder, place
    file = Path(os.path.realpath(folder / place))
    if not file.is_file():
        raise ValueError(f"is not there: {folder} has no file {place}")
    root = folder if file.is_relative_to(folder) else file.parent
    return root, str(file.relative_to(root)).removesuffix(".py").replace("/", ".")


def _load_module(module: str, root: Path, *, private: bool) -> Any:
    from importlib import import_module

    from segue.declare.modules import ProjectModules

    try:
        with ProjectModules(root).loading():
            return import_module(module)
    except (Exception, SystemExit) as error:  # the user's code may raise anything
        told = _describe(error, private=private)
        raise ValueError(f"can't be loaded: {told}{_find_line(error, root)}") from error


def _read_frame(function: Any, settings: Mapping[str, Any]) -> FrameSpec:
    """Return the frame that a function asks for by the annotation of its first parameter."""
    from segue.declare.annotations import SERVED_HINT

    bare = inspect.unwrap(function)
    if inspect.iscoroutinefunction(bare) or inspect.isasyncgenfunction(bare):
        raise ValueError("is async: write def, not async def")
    parameters = list(inspect.signature(function).parameters.values())
    wanted = [each for each in parameters if each.default is each.empty]
    fixed = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if len(wanted) != 1 or wanted[0] is not parameters[0] or wanted[0].kind not in fixed:
        raise ValueError("has other parameters than one frame, and settings with defaults")
    known = [each.name for each in parameters[1:]]
    for name in settings:
        if name not in known:
            hint = nearest(name, known, noun="setting")
            raise ValueError(f"has no setting {name!r}: {hint}")
    annotation = wanted[0].annotation
    if annotation is inspect.Parameter.empty:
        message = f"does not say which frame it wants as {wanted[0].name!r}"
        raise ValueError(f"{message}; {SERVED_HINT}")
    annotations = _read_annotations(bare)
    frame: FrameSpec | None = annotations.read_frame(annotation)
    if frame is None or frame.kind is FrameKind.NOTHING:
        shown = annotations.show(annotation)
        raise ValueError(f"wants {shown}, which can't be served; {SERVED_HINT}")
    return frame


def _read_annotations(bare: Any) -> Any:
    from segue.declare.annotations import Annotations
    from segue.declare.syntax import PythonFiles

    code = getattr(bare, "__code__", None)
    imports: Mapping[str, str] = {}
    if code is not None and os.path.isfile(code.co_filename):  # noqa: PTH113  # a text is there
        imports = PythonFiles().read(code.co_filename).imports
    return Annotations(getattr(bare, "__globals__", {}), imports)


def _describe(error: BaseException, *, private: bool) -> str:
    """Return an exception in one line; its message may quote values."""
    if private:
        return f"{type(error).__name__} (its message may hold sensitive values)"
    return "".join(traceback.format_exception_only(error)).strip().replace("\n", " ")


def _find_line(error: BaseException, root: Path) -> str:
    """Return the innermost line of the user's own files that was at work, in brackets."""
    from segue.declare.modules import is_project_file

    foreign = (_PACKAGE, f"{sysconfig.get_path('stdlib')}/")
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({_shorten(os.path.realpath(error.filename), root)}:{error.lineno})"
    found = ""
    for frame in traceback.extract_tb(error.__traceback__):
        path = os.path.realpath(frame.filename)
        if is_project_file(path, root) and not path.startswith(foreign):
            found = f" ({_shorten(path, root)}:{frame.lineno})"
    return found


def _shorten(path: str, root: Path) -> str:
    return path.removeprefix(f"{root}/")
