"""One function over any frame, anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.anywhere.asked import Asked, name_inputs, read_skip
from segue.anywhere.compute import compute, give_answer
from segue.anywhere.data import read_data
from segue.anywhere.function import read_function
from segue.anywhere.hearing import add_listener
from segue.anywhere.layouts import read_names
from segue.anywhere.results import NATIVE, read_returns
from segue.anywhere.sessions import find_owner, find_site
from segue.anywhere.skips import report_skipped
from segue.errors import OutputError, StepError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from segue.anywhere.compute import Answer
    from segue.anywhere.hearing import Hearing
    from segue.anywhere.sessions import Site
    from segue.execute.skipped import SkippedGroup

_HINT = 'declare them: schema="name: type, ..."'


def transform(  # noqa: PLR0913  # users name them
    data: Any,
    fn: Callable[..., Any] | str,
    *,
    by: str | Sequence[str] | None = None,
    sort: str | Sequence[str] | None = None,
    how: str = "inner",
    schema: Any = None,
    params: Mapping[str, Any] | None = None,
    skip: type[BaseException] | Sequence[type[BaseException]] = (),
    on: Any = None,
    returns: Any = None,
    split: int | str | None = None,
    listen: Callable[..., Any] | None = None,
    on_skip: Callable[[SkippedGroup], object] | None = None,
) -> Any:
    """Call a function on data: once, or once for each group, wherever the data is.

    The function's annotations say which frames it takes and returns; it needs nothing of
    segue. Without an annotation it is given the kind of frame that the data is. Nulls, NaN,
    big integers and types come to it, and back, the same on every engine.

    Args:
        data: A pandas, Polars, Arrow or DuckDB frame, a list of dicts, an iterator of any of
            these, a live Spark, Ray or Dask frame, or the path of files; a tuple of several
            for a function of several frames.
        fn: The function, or where it can be imported from: ``"package.module:function"``.
        by: Columns whose groups are passed to the function one by one; null is a key, too.
            Several inputs are grouped together. Without it all rows are passed at once.
        sort: Columns that order the rows of a group; ``"-day"`` for descending.
        how: Which keys of several inputs have a call: those that all inputs have (``inner``),
            the first (``left``), the last (``right``) or any (``full``). ``cross`` passes all
            rows of each input at once.
        schema: Columns of the result: an expression such as ``"*, n: int64"``, a
            `pyarrow.Schema`, a dict of types by name, or a TypedDict, dataclass, pydantic or
            pandera model. Results are cast to it where nothing is lost. Without it they are told
            by the function's annotation (``list[Row]``), else found: from all results here, from
            a small sample elsewhere.
        params: Values of the function's further parameters.
        skip: Exceptions for which a group is left out, and reported.
        on: Where to work: None for where the data is, the name of an engine, an address, or
            a live session of an engine.
        returns: Frame to return: ``"pandas"``, ``"polars"``, ``"arrow"``, ``"rows"``,
            ``"duckdb"``, ``"native"`` for the engine's own, or a class. The kind of the first
            input if not stated; Arrow for a path.
        split: In how many parts rows without `by` are passed: ``8``, ``"even:8"``, or
            ``"rows:100000"`` for so many rows at once. With `by` it is a hint to the engine.
        listen: Called here, whenever the function calls the parameter that it annotates
            ``Callable``, wherever it runs; its answer goes back there. So functions tell how
            far they are, and ask whether to stop. What it raises ends the call. On an engine it
            may hear of a sample first, by which the columns of the result are found.
        on_skip: Called for each group that was left out, in place of a warning.

    Returns:
        The result. A function that returns None is called for what it does, and the result
        has no columns.

    Raises:
        UsageError: It can't be done as it was asked; the hint is the next move.
        StepError: The function failed; the error tells where, and on which group and rows.
        OutputError: Its result does not fit the schema, or is no frame.

    Example:
        >>> import pyarrow as pa
        >>> def count(rows: list[dict]) -> list[dict]:
        ...     return [{"store": rows[0]["store"], "rows": len(rows)}]
        >>> transform(pa.table({"store": [1, 2, 1]}), count, by="store").to_pylist()
        [{'store': 1, 'rows': 2}, {'store': 2, 'rows': 1}]
    """
    given = data if isinstance(data, tuple) else (data,)
    if not given:
        raise UsageError("there is no data", hint="give a frame, or a tuple of frames")
    frame = read_returns(returns)
    function, hearing = add_listener(read_function(fn, len(given), params), listen)
    found = [(find_owner(each), each) for each in given]
    owners = [(engine, each) for engine, each in found if engine is not None]
    asked = Asked(
        tuple(
            read_data(each, name, live=engine is not None, plain=True)
            for (engine, each), name in zip(found, name_inputs(given), strict=True)
        ),
        function,
        read_names(by, "by"),
        read_names(sort, "sort"),
        how,
        split,
        schema,
        read_skip(skip),
    )
    site = find_site(on, owners)
    native = frame == NATIVE or (frame is None and asked.datas[0].live is not None)
    if hearing is not None and site is not None:
        hearing.host = site.session.driver_host
    try:
        answer = compute(asked, site, native=native)
    except StepError as error:
        if hearing is not None and hearing.failure is not None:
            raise hearing.failure from error
        raise
    finally:
        if not native:  # an engine's own frame may be computed later
            _close(hearing, site)
    _check_answer(answer, asked)
    report_skipped(answer.skipped, on_skip, 2)
    return give_answer(answer, asked, frame)


def _close(hearing: Hearing | None, site: Site | None) -> None:
    if hearing is not None:
        hearing.close()
    if site is not None:
        site.session.close()


def _check_answer(answer: Answer, asked: Asked) -> None:
    """Raise if a function should have told the columns of its result, and did not.

    Raises:
        OutputError: It was never called, or returned nothing that tells.
    """
    announced = asked.function.returns is not None or answer.skipped
    if answer.is_empty and announced and not asked.is_effect:
        message = "it returned nothing to tell columns by"
        raise OutputError(f"{asked.function.blame.subject}: {message}", hint=_HINT)
