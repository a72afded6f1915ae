"""Groups that were left out, told to the user."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from segue.execute.skipped import SkippedGroup

_SHOWN = 10


class SkippedGroupsWarning(UserWarning):
    """Groups were left out, for exceptions that `skip` names.

    Attributes:
        groups: The groups, and what the function raised for each.
    """

    def __init__(self, groups: Sequence[SkippedGroup]) -> None:
        """Sum them up in one message."""
        self.groups = tuple(groups)
        noun = "group was" if len(self.groups) == 1 else "groups were"
        shown = "".join(f"\n  {each}" for each in self.groups[:_SHOWN])
        more = len(self.groups) - _SHOWN
        rest = f"\n  … and {more} more" if more > 0 else ""
        super().__init__(f"{len(self.groups)} {noun} left out:{shown}{rest}")


def report_skipped(
    groups: Sequence[SkippedGroup],
    on_skip: Callable[[SkippedGroup], object] | None,
    stacklevel: int,
) -> None:
    """Tell of groups that were left out: to whom asked for it, else as a warning."""
    if on_skip is not None:
        for group in groups:
            on_skip(group)
    elif groups:
        warnings.warn(SkippedGroupsWarning(groups), stacklevel=stacklevel + 1)
