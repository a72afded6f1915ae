"""What a terminal shows while data is read and nothing else is to be said."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segue.cli.call import Call


@contextmanager
def show_reading(call: Call, texts: Sequence[str]) -> Iterator[None]:
    """Show on a terminal that data is being read, for as long as it takes."""
    console = call.err
    if not console.is_terminal:
        yield
        return
    from segue.cli.wording import listing
    from segue.spec.printable import printable

    with console.status(printable(f"Reading {listing(tuple(texts))}")):
        yield
