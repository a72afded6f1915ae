"""What a function returns, frame by frame, as tables of one schema."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from segue.frames.convert import from_frame, is_frame, join_frames, refuse_other
from segue.frames.kinds import find_kind, is_iterator, name_type
from segue.spec.step import FrameKind, FrameSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from segue.errors import OutputError
    from segue.execute.agree import SchemaAgreement
    from segue.execute.blame import Blame

JOINED_FRAMES = 1_000
JOINED_ROWS = 100_000
"""How many results of groups are converted together, at most."""

LAZY = (FrameKind.POLARS_LAZY, FrameKind.DUCKDB)


@dataclass(frozen=True, slots=True)
class Call:
    """Which call of a function it is.

    Attributes:
        group: The group's key, as text; empty without groups.
        given: Returns what the function was given, by table.
    """

    group: str
    given: Callable[[], Mapping[str, pa.Table]]


@dataclass(slots=True)
class Results:
    """Takes frames, makes them tables of one schema, and hands them on.

    Many small ones are converted together, so that thousands of groups cost little.

    Attributes:
        blame: Tells errors.
        returns: What the function announces to return; None for whatever it returns.
        agreement: Finds the schema.
        keep: Is handed the tables.
    """

    blame: Blame
    returns: FrameSpec | None
    agreement: SchemaAgreement
    keep: Callable[[pa.Table], None]
    _frames: list[tuple[Any, FrameKind, Call]] = field(default_factory=list)
    _rows: int = 0

    def recognise(self, result: Any, call: Call) -> FrameSpec:
        """Return what a result is: what is announced, or what it turns out to be.

        Raises:
            OutputError: It is something else, or nothing that could be taken.
        """
        if self.returns is None:
            if result is None:
                return FrameSpec(FrameKind.NOTHING)
            if is_iterator(result):
                return FrameSpec(FrameKind.NOTHING, iterator=True)
            found = find_kind(result)
            if found is None:
                raise self._other(name_type(result), call)
            return found
        kind = self.returns.kind
        if not self.returns.iterator:
            self._refuse_other(result, kind, call)
        elif is_frame(result, kind) and kind is not FrameKind.ROWS:
            raise self._other(f"a single {kind}", call)
        elif not isinstance(result, Iterable):
            raise self._other(name_type(result), call)
        return self.returns

    def recognise_item(self, item: Any, call: Call) -> FrameKind:
        """Return which kind of frame one of an iterator is.

        Raises:
            OutputError: It is something else, or nothing that could be taken.
        """
        if self.returns is None:
            found = find_kind(item)
            if item is not None and (found is None or found.iterator):
                raise self._other(f"an iterator of {name_type(item)}", call)
            return found.kind if found else FrameKind.NOTHING
        self._refuse_other(item, self.returns.kind, call)
        return self.returns.kind

    def add(self, frame: Any, kind: FrameKind, call: Call) -> None:
        """Take one frame; it may be converted later, together with others.

        Raises:
            OutputError: A column can't be stored, or does not fit what came before.
        """
        self._frames.append((frame, kind, call))
        self._rows += len(frame) if isinstance(frame, Sized) else 0
        if len(self._frames) >= JOINED_FRAMES or self._rows >= JOINED_ROWS:
            self.flush()

    def join(self, kind: FrameKind) -> Any | None:
        """Return what was taken and not yet handed on as one frame of a kind.

        It stays here; None if there is nothing, another kind, or frames that don't simply fit.
        """
        if not self._frames or any(each is not kind for _, each, _ in self._frames):
            return None
        return join_frames([frame for frame, _, _ in self._frames], kind)

    def flush(self) -> None:
        """Convert what was taken and not yet handed on.

        Raises:
            OutputError: As `add`.
        """
        frames, self._frames, self._rows = self._frames, [], 0
        if len(frames) > 1 and self._flush_together(frames):
            return
        for frame, kind, call in frames:
            try:
                self._fit(from_frame(frame, kind, self.agreement.hints))
            except ValueError as error:
                raise self.blame.refuse(str(error), call.group, given=call.given) from None

    def _flush_together(self, frames: list[tuple[Any, FrameKind, Call]]) -> bool:
        """Convert frames as one; False if they have to be told apart."""
        kinds = {kind for _, kind, _ in frames}
        if len(kinds) > 1:
            return False
        (kind,) = kinds
        joined = join_frames([frame for frame, _, _ in frames], kind)
        if joined is None:
            return False
        try:
            self._fit(from_frame(joined, kind, self.agreement.hints))
        except ValueError:
            return False  # one by one they tell which of them is odd
        return True

    def _fit(self, table: pa.Table) -> None:
        # an empty frame is a common way to say: nothing
        if table.num_columns or table.num_rows:
            self.keep(self.agreement.fit(table))

    def _refuse_other(self, frame: Any, kind: FrameKind, call: Call) -> None:
        try:
            refuse_other(frame, kind)
        except TypeError as error:
            raise self._other(str(error), call) from None

    def _other(self, found: str, call: Call) -> OutputError:
        if self.returns is None:
            message, hint = f"it returned {found}, which is no frame", "return a frame"
        else:
            message = f"it returned {found}, where {self.returns} is announced"
            hint = "return what the annotation says, or change the annotation"
        return self.blame.refuse(message, call.group, hint)
