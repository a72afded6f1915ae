"""What is closed at the end of a `with`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self


class Closing(ABC):
    """Can be used in a `with`, which closes it.

    Example:
        >>> class Door(Closing):
        ...     def close(self):
        ...         print("shut")
        >>> with Door():
        ...     print("open")
        open
        shut
    """

    __slots__ = ()

    @abstractmethod
    def close(self) -> None:
        """Free what it holds."""

    def __enter__(self) -> Self:
        """Return it as it is."""
        return self

    def __exit__(self, *_failure: object) -> None:
        """Close it, whatever happened."""
        self.close()
