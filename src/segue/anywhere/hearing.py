"""What listens on the driver while functions work, here or elsewhere."""

from __future__ import annotations

import pickle
import secrets
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segue.anywhere.port import Port
from segue.errors import UsageError
from segue.execute.callback import Callback
from segue.frames.kinds import name_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from segue.anywhere.function import Function

LOOPBACK = "127.0.0.1"


class Hearing:
    """Given to functions as their callback: calls what listens, one call at a time.

    In this process it does so directly. On its way to another one it becomes a `Callback` that
    speaks to a port of this process, which is opened then.

    Attributes:
        host: Name or address of this machine, as workers reach it.
        failure: What the listening function raised.
    """

    def __init__(self, hear: Callable[..., Any]) -> None:
        self._hear = hear
        self._turn = threading.RLock()
        self._port: Port | None = None
        self._key = secrets.token_bytes(32)
        self.host = LOOPBACK
        self.failure: BaseException | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Let the listening function hear, and return its answer."""
        with self._turn:
            try:
                return self._hear(*args, **kwargs)
            except BaseException as error:  # the driver raises it, an interrupt included
                self.failure = self.failure or error
                raise

    def __reduce__(self) -> tuple[Any, ...]:
        """Open a port, and leave as what speaks to it."""
        with self._turn:
            if self._port is None:
                self._port = Port(self.host, self._key, self._answer)
            return Callback, ((self.host, self._port.number), self._key)

    def _answer(self, asked: bytes) -> bytes:
        import cloudpickle

        args, kwargs = pickle.loads(asked)  # noqa: S301  # it proved itself

        try:
            packed: bytes = cloudpickle.dumps((True, self(*args, **kwargs)))
        except BaseException as error:  # noqa: BLE001  # it is kept, and raised on the driver
            return pickle.dumps((False, f"{type(error).__name__}: {error}"))
        return packed

    def close(self) -> None:
        """Stop listening."""
        with self._turn:
            port, self._port = self._port, None
        if port is not None:
            port.close()


def add_listener(
    function: Function, listen: Callable[..., Any] | None
) -> tuple[Function, Hearing | None]:
    """Return a function that is given a callback, if it takes one.

    Raises:
        UsageError: It takes none, or nothing listens to it.
    """
    names = function.listeners
    if listen is None:
        needed = [name for name in names if name not in function.optional]
        if needed:
            message = f"function {function.name!r} takes a callback, {needed[0]!r}"
            raise UsageError(message, hint="give what it is to call: listen=function")
        return function, None
    if not callable(listen):
        raise UsageError(f"listen is of type {name_type(listen)}, and can't be called")
    if not names:
        hint = "annotate the parameter that is to call it: tell: Callable"
        raise UsageError(f"function {function.name!r} takes no callback", hint=hint)
    hearing = Hearing(listen)
    settings = {**function.settings, **dict.fromkeys(names, hearing)}
    return replace(function, settings=settings), hearing
