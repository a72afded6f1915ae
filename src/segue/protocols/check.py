"""What segue asks of a kind of check."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from segue.protocols.engine import Session
    from segue.spec.contract import Check, Measurement
    from segue.spec.history import Point
    from segue.spec.output import DataFile
    from segue.spec.types import DataType, TableSchema


@dataclass(frozen=True, slots=True)
class Context:
    """What a measurement knows beside the table: the time, and what was before.

    Attributes:
        now: The time that freshness is measured against; None for the moment of measuring.
        past: Gives the earlier measurements of a check by its name, oldest first.
        added: Name under which the rows are bound that came since the table was last judged;
            empty if all rows count as new.
        before: Name under which the published version before this one is bound; empty if there
            is none.
        folder: Folder against which paths in contracts are read; empty for the current one.
        files: The files that hold exactly the table's rows, with their statistics; None if
            they are not known.
        functions: Functions that the contract itself holds, by name.
        sensitive: Columns of other tables whose values must not be shown, by table.
    """

    now: datetime | None = None
    past: Callable[[str], Sequence[Point]] | None = None
    added: str = ""
    before: str = ""
    folder: str = ""
    files: Sequence[DataFile] | None = None
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    sensitive: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def moment(self) -> datetime:
        """The time that freshness is measured against, in UTC."""
        return self.now or datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Scene:
    """What a kind is given that measures by queries of its own.

    Attributes:
        session: Engine in which the table, and what the check reads besides, is bound.
        table: Name of the rows to look at: the table, or the part of it that the check names.
        schema: Columns of the table.
        rows: Number of those rows.
        context: What is known beside the table.
        sensitive: Columns whose values must stay out of messages and samples.
    """

    session: Session
    table: str
    schema: TableSchema
    rows: int
    context: Context
    sensitive: frozenset[str] = frozenset()


class CheckKind(Protocol):
    """A kind of check; one small file each.

    A kind may have these as well:

    - ``own``: names of options (`where`, `by`, ...) that it reads by itself;
    - ``refused``: names of options that make no sense for it, refused when a contract is read;
    - ``implied``: options that go without saying, such as ``{"new": True}``;
    - ``tell_code(check, root) -> str``: a digest of the project's code that it calls, or of
      another file that it needs; a ValueError refuses the check;
    - ``limited(arguments) -> bool``: whether a contract says what is expected of what it
      measures; if not, ``anomaly`` has to;
    - ``screen(check, types, table) -> Screen``: a cheap test before a dear count;
    - ``complete(check, context) -> Check``: the check with arguments that the contract alone
      can't tell, such as the time;
    - ``inspect(check, scene) -> Measurement``: measures by queries of its own, in place of
      `measure` and `judge`; ``inspects(check) -> bool`` tells which checks, if not all;
    - ``probe(check) -> str``: a query that fails more plainly than `measure` where that can't
      be bound;
    - ``settle(check, columns) -> Mapping``: the check's arguments, once all columns that the
      contract lists are known; a ValueError refuses the check;
    - ``compares``: whether rows break it by how they stand to others: `failing` is then given
      the name of the whole table and heeds `where` and `by` of the check by itself, so that
      rows of a sample, or new ones, are held against all. ``measure_part(check, part, table)``
      may count such rows by a cheaper query;
    - ``fragile``: whether rows that keep it may break it once others are set aside: it is judged
      again on those that are left;
    - ``folds``: whether its measure heeds the `where` of the check by itself, so that it shares
      the scan of the whole table;
    - ``convex``: whether all values between two that keep it do so as well, and nulls too;
    - ``pointwise``: whether a row breaks it by the one value of its column, and nulls never do;
    - ``extreme``: whether its measure depends on nothing but its column's least and greatest
      value;
    - ``rowless``: whether its measure looks at no row;
    - ``decide(check, types) -> Screen | None``: counts that tell that the check is kept without
      the value, for tables of many rows.

    Attributes:
        name: The word in contracts.
        scope: ``column`` for one that stands below a column, ``table`` for one beside the
            columns, ``both`` for one that can be either.
        row_level: Whether single rows break it, so that they can be set aside.
    """

    name: str
    scope: str
    row_level: bool

    def read(self, value: Any) -> Mapping[str, Any]:
        """Turn what stands in a contract into the check's arguments.

        Tables that it looks into besides stand under `table` or `reads`.

        Raises:
            ValueError: It makes no sense; the message says what was expected.
        """
        ...

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the SQL predicate (never null) that is true for rows that break the check.

        It may use window functions or subqueries over `table` only where `row_level` is
        true for them as well. For whole-table checks: an empty string.
        """
        ...

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the aggregate SQL expression that `judge` reads.

        A count of failing rows for a row-level check, the measured value otherwise. The
        expressions of all checks share one scan; a measure that needs a query of its own
        is a whole SELECT of one value, beginning with ``select``.
        """
        ...

    def judge(self, check: Check, value: Any, rows: int) -> Measurement:
        """Turn what was measured into a verdict with a sentence for people."""
        ...
