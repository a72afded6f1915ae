"""Delimited text: CSV, TSV and their relatives."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator, model_validator

from segue.errors import Location, SourceError
from segue.spec.scan import Scan
from segue.stores.sources.files import Found, find_files, observe_files
from segue.stores.sources.options import FileOptions, read_options
from segue.stores.sources.unpack import is_utf8, open_plain, unpack_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Self

    from segue.spec.scan import SourceState
    from segue.spec.step import SourceSpec

_DELIMITERS = ",;\t|"
_VALUE = re.compile(r"\s*([-+]?[\d.,]+([eE][-+]?\d+)?|\d{4}-\d\d-\d\d.*|)\s*")
_WHOLE = 50_000_000
"""Files of less than so many bytes in all are read whole to find the types."""
_SAMPLE = 200_000


class CsvOptions(FileOptions):
    """``[tables.<name>]`` of delimited text."""

    delimiter: str | None = Field(
        None,
        min_length=1,
        max_length=4,
        description="What stands between fields; by default a tab for .tsv, else the most "
        "frequent of comma, semicolon, tab and bar in the first line.",
    )
    header: bool | Literal["auto"] = Field(
        "auto",
        description="Whether the first line holds names; `auto`: unless one of its fields is a "
        "number, a date or empty.",
    )
    columns: tuple[str, ...] = Field(
        (), description="Names of the columns, in place of found ones."
    )
    nulls: tuple[str, ...] = Field((), description="Texts that mean null, beside the empty field.")
    quote: str = Field('"', max_length=1, description="What encloses a field; empty for nothing.")
    escape: str | None = Field(
        None, max_length=1, description="What stands before a quote in a field; the quote itself."
    )
    encoding: str = Field("utf-8", description="What the text is written in, as Python names it.")
    decimal: Literal[".", ","] = Field(".", description="What separates the decimals.")
    date_format: str | None = Field(None, description="Format of dates, such as `%d/%m/%Y`.")
    timestamp_format: str | None = Field(None, description="Format of timestamps.")
    skip: int = Field(0, ge=0, description="Lines to leave out at the beginning of each file.")
    comment: str | None = Field(
        None, min_length=1, max_length=1, description="What begins a comment."
    )
    ragged: bool = Field(False, description="Whether lines that are too short end in nulls.")
    union: bool = Field(
        False, description="Whether files may lack columns that others have; they hold nulls."
    )
    sample: int | Literal["all"] | None = Field(
        None,
        description="Rows that decide about the types; by default all rows of less than 50 MB, "
        "else 200,000.",
    )

    @field_validator("encoding")
    @classmethod
    def _check_encoding(cls, value: str) -> str:
        try:
            is_utf8(value)
        except LookupError:
            raise ValueError(f"there is no encoding called {value!r}") from None
        return value

    @model_validator(mode="after")
    def _check_signs(self) -> Self:
        if self.decimal == "," and self.delimiter == ",":
            raise ValueError("a comma can't both separate fields and decimals")
        if self.quote and self.quote == self.delimiter:
            raise ValueError("quote and delimiter can't be the same")
        if len(set(self.columns)) != len(self.columns):
            raise ValueError("columns holds a name twice")
        return self


@dataclass(frozen=True, slots=True)
class _Beginning:
    """How a file begins: delimiter, whether the first record holds names, and the names.

    `bare` says that no row follows, so that nothing tells the types.
    """

    delimiter: str
    header: bool
    names: tuple[str, ...]
    bare: bool


class CsvSource:
    """Files of delimited text."""

    suffixes = (".csv", ".tsv", ".tab", ".psv")
    options = CsvOptions

    def observe(self, source: SourceSpec, root: Path) -> SourceState:
        """Look at the files without reading them.

        Raises:
            SourceError: There is none.
        """
        return observe_files(source, read_options(CsvOptions, source), root, self.suffixes)[0]

    def scan(self, source: SourceSpec, root: Path, scratch: Path, only: Sequence[str] = ()) -> Scan:
        """Return how to read the files; the first line of each is read here.

        Raises:
            SourceError: A file is empty or damaged, or their columns differ.
        """
        options = read_options(CsvOptions, source)
        found = find_files(source, options, root, self.suffixes)
        paths = {
            unpack_file(
                path, found.show(path), scratch, native=(".gz", ".zst"), encoding=options.encoding
            ): path
            for path in found.files
        }
        begins = [
            _read_beginning(path, found.show(real), real, options) for path, real in paths.items()
        ]
        _refuse_differences(begins, found, options)
        return Scan(
            "csv",
            tuple(str(path) for path, real in paths.items() if not only or str(real) in only),
            _list_options(options, begins, {str(p): r for p, r in paths.items()}, found),
            options.column_types,
            hive=found.hive,
            siblings=tuple(
                str(path) for path, real in paths.items() if only and str(real) not in only
            ),
        )


def _list_options(
    options: CsvOptions, begins: list[_Beginning], paths: dict[str, Path], found: Found
) -> dict[str, object]:
    sample = options.sample
    if sample is None:
        whole = sum(path.stat().st_size for path in found.files) < _WHOLE
        sample = "all" if whole else _SAMPLE
    named = options.model_dump(
        include={"nulls", "quote", "comment", "skip", "date_format", "timestamp_format", "ragged"}
    )
    return named | {
        "delimiter": begins[0].delimiter,
        "header": begins[0].header,
        "names": {path: begin.names for path, begin in zip(paths, begins, strict=True)},
        "bare": [path for path, begin in zip(paths, begins, strict=True) if begin.bare],
        "escape": options.quote if options.escape is None else options.escape,
        "decimal": options.decimal if options.decimal != "." else None,
        "sample": -1 if sample == "all" else sample,
        "shown": {path: found.show(real) for path, real in paths.items()},
    }


def _read_beginning(path: Path, shown: str, real: Path, options: CsvOptions) -> _Beginning:
    with open_plain(path, shown) as binary:
        text = io.TextIOWrapper(binary, "utf-8-sig", errors="replace", newline="")
        lines = [text.readline() for _ in range(options.skip)]
        first = text.readline()
        while options.comment and first.startswith(options.comment):
            first = text.readline()
        delimiter = options.delimiter or _guess_delimiter(real, first)
        fields, more = _split_record(first, text, delimiter, options)
        header = options.header
        if header == "auto":
            header = not any(_VALUE.fullmatch(field) for field in fields)
        held = more or any(_is_row(line, options) for line in (text if header else [first]))
    if not first.strip() and not options.columns:
        raise SourceError(
            "the file is empty, so it has no columns",
            location=Location(shown, len(lines) or None),
            hint="state `columns`, or leave the file out",
        )
    names = _name_columns(fields, shown, options, header=header)
    return _Beginning(delimiter, header, names, bare=not held)


def _is_row(line: str, options: CsvOptions) -> bool:
    comment = bool(options.comment and line.startswith(options.comment))
    return bool(line.strip()) and not comment


def _guess_delimiter(path: Path, line: str) -> str:
    if ".tsv" in path.suffixes or ".tab" in path.suffixes:
        return "\t"
    bare = re.sub(r'"[^"]*"', "", line)
    return max(_DELIMITERS, key=bare.count)


def _split_record(
    first: str, rest: io.TextIOWrapper, delimiter: str, options: CsvOptions
) -> tuple[list[str], bool]:
    """Return the fields of the first record, and whether more was met while looking for its end."""
    if len(delimiter) > 1:
        return first.rstrip("\r\n").split(delimiter), False
    if not options.quote:
        return next(csv.reader([first], delimiter=delimiter, quoting=csv.QUOTE_NONE), []), False
    lines = [first]
    if first.count(options.quote) % 2:
        # a quoted name may hold line breaks, but hardly more than a few
        lines += [rest.readline() for _ in range(8)]
    records = csv.reader(lines, delimiter=delimiter, quotechar=options.quote)
    return next(records, []), any(records)


def _name_columns(
    fields: list[str], shown: str, options: CsvOptions, *, header: bool
) -> tuple[str, ...]:
    names = options.columns
    if names:
        if fields and len(names) != len(fields) and not options.ragged:
            raise SourceError(
                f"`columns` has {len(names)} names, and the first line {len(fields)} fields",
                location=Location(shown, options.skip + 1),
            )
        return names
    found = tuple(
        (field.strip() if header else "") or f"column{position}"
        for position, field in enumerate(fields, 1)
    )
    twice = next((name for name in found if found.count(name) > 1), None)
    if twice is not None:
        raise SourceError(
            f"two columns are called {twice!r}",
            location=Location(shown, options.skip + 1),
            hint="state the names of all columns as `columns`",
        )
    return found


def _refuse_differences(begins: list[_Beginning], found: Found, options: CsvOptions) -> None:
    first = begins[0]
    for path, begin in zip(found.files, begins, strict=True):
        if (begin.delimiter, begin.header) != (first.delimiter, first.header):
            raise SourceError(
                "its first line is written differently from that of "
                f"{found.show(found.files[0])} (delimiter or header)",
                location=Location(found.show(path), 1),
                hint="state `delimiter` and `header`",
            )
        if set(begin.names) != set(first.names) and not options.union:
            odd = sorted(set(begin.names) ^ set(first.names))
            raise SourceError(
                f"its columns differ from those of {found.show(found.files[0])}: "
                f"{', '.join(map(repr, odd))}",
                location=Location(found.show(path), 1),
                hint="set union = true to fill missing columns with nulls",
            )
