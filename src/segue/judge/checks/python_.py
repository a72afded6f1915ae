"""``{python: checks/orders.py:totals, max: 5}``: a function of your own judges the rows.

It is found as ``package.module:function`` or ``file.py:function``, from the project's folder
(else that of the contract), and gets all rows as one frame of the kind that the annotation of
its first parameter names, as a step would. It returns true or false; a number, with `min`,
`max`, `between` or `equals`; a column that is true for the rows that are wrong; or a frame of
the wrong rows (or it yields such frames). A number is not shown where the table has sensitive
columns, and has no history; how many rows are wrong is. `params` sets its other parameters. What
it raises is an error, which names the line. Rows come to the process in which segue runs. In a
contract that is a dict (``segue.check(frame, {"checks": [{"python": totals}]})``) it may be the
function itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segue.frames.kinds import name_type
from segue.judge.metric_bounds import has_bounds, read_bounds, say_value
from segue.judge.metric_check import judge_metric
from segue.judge.row_check import read_text
from segue.judge.user_function import load_function, split_reference
from segue.judge.user_result import Wrong, read_result, show_wrong
from segue.judge.verdict import decide_verdict, judge_value, measurement
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from segue.protocols import Scene
    from segue.spec.contract import Check, Measurement
    from segue.spec.types import DataType


class PythonCheck:
    """What a function says is wrong breaks it."""

    name = "python"
    scope = "table"
    row_level = False
    refused = frozenset({"by"})

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read ``{python: module:function, max: …}``, or the function as text."""
        if isinstance(value, str):
            value = {"python": value}
        if not isinstance(value, dict) or "python" not in value:
            raise ValueError(f"expected {{python: module:function}}, found {value!r}")
        reference = read_text(value["python"], "package.module:function or file.py:function")
        split_reference(reference)
        params = value.get("params") or {}
        if not isinstance(params, dict) or not all(isinstance(name, str) for name in params):
            raise ValueError(f"expected names and values as `params`, found {params!r}")
        rest = {key: item for key, item in value.items() if key not in ("python", "params")}
        return {"python": reference.strip(), **read_bounds(rest), "params": params}

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return nothing: no SQL tells the rows."""
        del check, types, table
        return ""

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the query of the rows that the function is given; `inspect` calls it."""
        del check, types
        return f"select * from {quote_identifier(table)}"

    def judge(self, check: Check, value: Any, rows: int) -> Measurement:
        """Judge what the function said."""
        if isinstance(value, Wrong):
            return _judge_wrong(check, value, rows)
        name = str(check.arguments["python"])
        if isinstance(value, bool) and not has_bounds(check.arguments):
            said = f"{name} says {say_value(value)}"
            return judge_value(check, None, rows, kept=value, found=said, expected="true")
        if not has_bounds(check.arguments) and check.anomaly is None:
            raise ValueError(f"{name} returned {name_type(value)}: say min, max, or equals")
        return judge_metric(check, value, rows, name, reveals=not isinstance(value, bool))

    def tell_code(self, check: Check, root: Path) -> str:
        """Return the fingerprint of the function and of all that it reaches in the project."""
        from segue.declare.fingerprint import fingerprint_function

        name, settings = check.arguments["python"], check.arguments["params"]
        try:
            function = load_function(name, str(root), settings)
        except ValueError as error:
            raise ValueError(f"{name} {error}") from None
        return fingerprint_function(function.call, function.root).digest

    def inspect(self, check: Check, scene: Scene) -> Measurement:
        """Call the function."""
        query = f"select * from {quote_identifier(scene.table)}"
        try:
            value = _call(check, scene, query)
        except ValueError as error:
            raise ValueError(f"{check.arguments['python']} {error}") from None
        judged = self.judge(replace(check, sensitive=bool(scene.sensitive)), value, scene.rows)
        if isinstance(value, Wrong):
            shown = show_wrong(value, scene.schema.names, scene.sensitive)
            judged = replace(judged, sample=shown)
        return replace(judged, sql=query)


def _call(check: Check, scene: Scene, query: str) -> Any:
    """Return what the function says of the rows of a query."""
    settings = check.arguments["params"]
    function = load_function(
        check.arguments["python"],
        scene.context.folder,
        settings,
        private=bool(scene.sensitive),
        given=scene.context.functions,
    )
    given = None if function.frame.iterator else scene.session.fetch(query)
    rows = scene.session.stream(query) if given is None else given
    from segue.frames.convert import to_frame

    result = function.run(to_frame(rows, function.frame, scene.schema), settings)
    return read_result(result, given, function.guard)


def _judge_wrong(check: Check, wrong: Wrong, rows: int) -> Measurement:
    name = str(check.arguments["python"])
    if has_bounds(check.arguments):
        raise ValueError(f"{name} returned rows, which have no bounds: leave them out")
    if wrong.count:
        message = f"{name} finds {wrong.count:,} wrong row{'' if wrong.count == 1 else 's'}"
    else:
        message = f"{name} finds no wrong rows"
    verdict = decide_verdict(check, wrong.count, rows)
    return measurement(check, verdict, rows, message=message, failing=wrong.count)


CHECK = PythonCheck()
