"""A contract that is a dict of Python's own values, as the text that contracts are read from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from segue.errors import UsageError
from segue.frames.kinds import name_type
from segue.judge.user_function import GIVEN

if TYPE_CHECKING:
    from collections.abc import Callable


def write_contract(contract: Mapping[str, Any]) -> tuple[str, dict[str, Callable[..., Any]]]:
    r"""Return a contract as YAML, and the functions in it by the names that stand for them.

    Args:
        contract: What ``contracts.yml`` says of a table; also functions, decimals, timedeltas.

    Raises:
        UsageError: It holds what no contract can say.

    Example:
        >>> text, functions = write_contract({"checks": [{"python": len}]})
        >>> text, functions["len"] is len
        ('checks:\n- python: given:len\n', True)
    """
    import yaml

    functions: dict[str, Callable[..., Any]] = {}
    return yaml.safe_dump(_make_plain(contract, functions), sort_keys=False), functions


def _make_plain(value: Any, functions: dict[str, Callable[..., Any]]) -> Any:
    if hasattr(value, "item") and getattr(value, "shape", None) == ():  # a scalar of NumPy
        value = value.item()
    if value is None or isinstance(value, bool | int | float | date):
        return value
    if isinstance(value, str | Decimal | time):  # an enum may be a text, too
        return str(value)
    if isinstance(value, timedelta):
        return f"{value.total_seconds():f}s"
    if isinstance(value, Mapping):
        return {_make_plain(key, functions): _make_plain(value[key], functions) for key in value}
    if isinstance(value, list | tuple | set | frozenset):
        return [_make_plain(item, functions) for item in value]
    if callable(value) and not isinstance(value, type):
        return f"{GIVEN}:{_name_function(value, functions)}"
    hint = "write what contracts.yml would say: texts, numbers, lists, dates, or a function"
    raise UsageError(f"the contract holds a value of type {name_type(value)}", hint=hint)


def _name_function(function: Callable[..., Any], functions: dict[str, Callable[..., Any]]) -> str:
    stated = str(getattr(function, "__name__", type(function).__name__))
    name, number = stated if stated.isidentifier() else "function", 2
    stem = name
    while functions.get(name, function) is not function:
        name, number = f"{stem}_{number}", number + 1
    functions[name] = function
    return name
