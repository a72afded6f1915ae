"""Whether a spool's file is where it was made, or a copy."""

from __future__ import annotations

from pathlib import Path

_MACHINE = Path("/etc/machine-id")


def read_home(path: Path) -> list[str]:
    """Return what a copy of a file does not have: its inode, and the machine's id."""
    try:
        machine = _MACHINE.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        machine = ""
    return [str(path.stat().st_ino), machine]
