"""Two tables held against each other, where their rows are: as sets of rows, or by a key.

As sets, rows of both are put below each other and grouped: those of which both sides have the
same number cancel out. By a key, they are joined. Null equals null, NaN equals NaN, and no row
leaves the engine but a few that are shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from segue.registry import nearest
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from segue.spec.types import Column, DataType, TableSchema

_FAMILIES = {"string": "text", "categorical": "text", "date": "moment"}


@dataclass(frozen=True, slots=True)
class Pair:
    """A column that both sides have.

    Attributes:
        here: The column of the table that is judged.
        there: The column of the other one.
    """

    here: Column
    there: Column

    @property
    def is_number(self) -> bool:
        """Whether a tolerance makes sense."""
        return _family(self.here.type) == _family(self.there.type) == "number"


@dataclass(frozen=True, slots=True)
class Sides:
    """What is compared.

    Attributes:
        here: What to put behind FROM for the table that is judged.
        there: The same for the other one.
        key: Columns that tell which rows belong together; none to compare sets of rows.
        compared: The other columns that are compared.
        tolerance: Largest difference of numbers that counts as none: a number, or a share of the
            other side's such as ``1%``.
        grouped: Whether rows of a key are brought together by grouping: a join takes less
            memory, and not every engine joins where null meets null.
    """

    here: str
    there: str
    key: tuple[Pair, ...]
    compared: tuple[Pair, ...]
    tolerance: str = ""
    grouped: bool = False

    def write_sets(self) -> str:
        """Return the SELECT of rows that one side has more often, and how much so.

        Column `n` is positive for those that are here, and negative for those there.
        """
        groups = ", ".join(f"c{place}" for place in range(len(self.compared)))
        both = self._write_both()
        return (
            f"select {groups}, sum(side)::bigint as n from ({both}) as both_ "
            f"group by {groups} having sum(side) <> 0"
        )

    def write_repeated(self, *, here: bool) -> str:
        """Return the SELECT of the number of keys that come more than once on a side."""
        columns = ", ".join(f"k{place}" for place in range(len(self.key)))
        side = self._write_side("true as found", here=here)
        groups = f"select {columns} from ({side}) as side_ group by {columns} having count(*) > 1"
        return f"select count(*) as n from ({groups}) as repeated_"

    def write_keys(self) -> str:
        """Return the SELECT of all keys, which must not repeat on this side.

        Columns `k0`, ... of the key, `here` and `there`, which are null where it is missing,
        `a0`, `b0`, ... of the values, and `d0`, ..., which are true where they differ.
        """
        met = self._write_grouped() if self.grouped else self._write_joined()
        differ = [
            f"here and there and {self._write_difference(place, pair)} as d{place}"
            for place, pair in enumerate(self.compared)
        ]
        return f"select {', '.join(['*', *differ])} from ({met}) as met_"

    def _write_joined(self) -> str:
        keys = [f"coalesce(a_.k{i}, b_.k{i}) as k{i}" for i in range(len(self.key))]
        values = [f"a_.c{i} as a{i}, b_.c{i} as b{i}" for i in range(len(self.compared))]
        told = ", ".join([*keys, "a_.found as here", "b_.found as there", *values])
        meet = " and ".join(f"a_.k{i} is not distinct from b_.k{i}" for i in range(len(self.key)))
        one, other = (self._write_side("true as found", here=here) for here in (True, False))
        return f"select {told} from ({one}) as a_ full join ({other}) as b_ on {meet}"

    def _write_grouped(self) -> str:
        keys = [f"k{i}" for i in range(len(self.key))]
        wanted = [("true", "here", "there")]
        wanted += [(f"c{i}", f"a{i}", f"b{i}") for i in range(len(self.compared))]
        values = [
            f"any_value({value}) filter (where side = {side}) as {name}"
            for value, *names in wanted
            for side, name in enumerate(names)
        ]
        sides = (
            self._write_side(f"{side} as side", here=here)
            for side, here in enumerate((True, False))
        )
        told, groups = ", ".join([*keys, *values]), ", ".join(keys)
        return f"select {told} from ({' union all '.join(sides)}) as both_ group by {groups}"

    def write_counts(self) -> str:
        """Return the SELECT of counts over the keys.

        Rows that are on both sides; that are here only, and there only; that differ; and those
        that differ in each column.
        """
        each = [f"d{place}" for place in range(len(self.compared))]
        some = " or ".join(each) or "false"
        terms = ["here and there", "there is null", "here is null", some, *each]
        counts = ", ".join(f"count(*) filter (where {t}) as n{i}" for i, t in enumerate(terms))
        return f"select {counts} from ({self.write_keys()}) as compared_"

    def write_unlike(self) -> str:
        """Return the SELECT of keys that are not the same on both sides, for people."""
        columns = [f"k{i} as {quote_identifier(p.here.name)}" for i, p in enumerate(self.key)]
        found = "when there is null then 'only here' when here is null then 'only there'"
        name = quote_identifier(self._name_found())
        columns.append(f"case {found} else 'differs' end as {name}")
        for place, pair in enumerate(self.compared):
            for letter, where in (("a", "here"), ("b", "there")):
                name = quote_identifier(f"{pair.here.name} {where}")
                columns.append(f"{letter}{place} as {name}")
        some = "".join(f" or d{place}" for place in range(len(self.compared)))
        return (
            f"select {', '.join(columns)} from ({self.write_keys()}) as compared_ "
            f"where there is null or here is null{some}"
        )

    def write_left(self) -> str:
        """Return the SELECT of rows that one side has more often, for people."""
        columns = ["case when n > 0 then 'only here' else 'only there' end as "]
        columns[0] += quote_identifier(self._name_found())
        columns += [
            f"c{place} as {quote_identifier(pair.here.name)}"
            for place, pair in enumerate(self.compared)
        ]
        return f"select {', '.join(columns)} from ({self.write_sets()}) as left_"

    def _name_found(self) -> str:
        names = {pair.here.name.lower() for pair in (*self.key, *self.compared)}
        name = "row"
        while name in names:
            name += "_"
        return name

    def _write_both(self) -> str:
        """Return the rows of both sides below each other, marked 1 and -1."""
        sides = []
        for source, mark, here in ((self.here, "1", True), (self.there, "-1", False)):
            columns = _list_columns(self.compared, "c", here=here)
            sides.append(f"select {', '.join([*columns, f'{mark} as side'])} from {source}")
        return " union all ".join(sides)

    def _write_side(self, mark: str, *, here: bool) -> str:
        columns = _list_columns(self.key, "k", here=here)
        columns += _list_columns(self.compared, "c", here=here)
        source = self.here if here else self.there
        return f"select {', '.join([*columns, mark])} from {source}"

    def _write_difference(self, place: int, pair: Pair) -> str:
        one, other = f"a{place}", f"b{place}"
        differs = f"{one} is distinct from {other}"
        if not self.tolerance or not pair.is_number:
            return f"({differs})"
        if pair.here.type.is_integer and pair.there.type.is_integer:
            one, other = f"{one}::decimal(38,0)", f"{other}::decimal(38,0)"
        most = self.tolerance
        if most.endswith("%"):
            most = f"{Decimal(most[:-1]) / 100:f} * abs({other})"
        # null beside a number is a difference, however large the tolerance
        return f"({differs} and coalesce(abs({one} - {other}) > {most}, true))"


def _list_columns(pairs: Sequence[Pair], letter: str, *, here: bool) -> list[str]:
    columns = [pair.here if here else pair.there for pair in pairs]
    return [
        f"{quote_identifier(column.name)}{_cast(column.type)} as {letter}{place}"
        for place, column in enumerate(columns)
    ]


def match_columns(
    here: TableSchema, there: TableSchema, key: Sequence[str], chosen: Sequence[str]
) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """Return the columns of the key, and the others that are compared.

    Args:
        here: Columns of the table that is judged.
        there: Columns of the other one.
        key: Names of the key's columns.
        chosen: Names of those to compare; all if there are none.

    Raises:
        ValueError: A column is missing on one side, or the two can't be compared.
    """
    names = tuple(chosen) or tuple(name for name in here.names if name not in key)
    keys = tuple(_match(name, here, there) for name in key)
    compared = tuple(_match(name, here, there) for name in names)
    if not chosen:
        known = {pair.there.name for pair in (*keys, *compared)}
        further = [name for name in there.names if name not in known]
        if further:
            hint = "say columns: [...] to compare some"
            raise ValueError(f"there is no column {further[0]!r} here, only there: {hint}")
    return keys, compared


def _match(name: str, here: TableSchema, there: TableSchema) -> Pair:
    one, other = _find(name, here), _find(name, there)
    if one is None:
        raise ValueError(f"there is no column {name!r} here: {nearest(name, list(here.names))}")
    if other is None:
        raise ValueError(f"there is no column {name!r} there: {nearest(name, list(there.names))}")
    families = {_family(one.type), _family(other.type)} - {"null"}
    if len(families) > 1:
        raise ValueError(
            f"column {name!r} is {one.type} here and {other.type} there: "
            "compare with a query that casts it"
        )
    return Pair(one, other)


def _find(name: str, schema: TableSchema) -> Column | None:
    """Return a column by its name, or by the same name in other case if there is none."""
    columns: Iterable[Column] = schema.columns
    same = [each for each in columns if each.name == name]
    alike = [each for each in columns if each.name.lower() == name.lower()]
    return next(iter([*same, *alike]), None)


def _family(type_: DataType) -> str:
    if type_.is_integer or type_.is_float or type_.kind == "decimal":
        return "number"
    if type_.kind == "timestamp":
        return "instant" if len(type_.arguments) > 1 else "moment"
    if type_.fields and type_.kind != "categorical":
        return str(type_)
    return _FAMILIES.get(type_.kind, type_.kind)


def _cast(type_: DataType) -> str:
    return "::varchar" if type_.kind == "categorical" else ""
