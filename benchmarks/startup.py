"""What it costs to import segue, and to be told what it can do."""

from __future__ import annotations

from benchmarks.children import Child, subject
from benchmarks.kit import Kit, segue_command
from benchmarks.results import Row

NAME = "startup"
IMPORT_MS = 100.0
HELP_MS = 300.0


def measure(kit: Kit) -> list[Row]:
    """Time an import and a help text, ten times each."""
    found = kit.measure(
        {"import": Child(subject("segue_import")), "help": Child(segue_command("--help"))},
        repeats=10,
    )
    imported, helped = found["import"], found["help"]
    heavy = ", ".join(imported.told["heavy"])
    return [
        Row(
            "import segue",
            imported.seconds * 1000,
            IMPORT_MS,
            "limit",
            "ms",
            1.0,
            peak=imported.peak,
            note=f"it loads {heavy}" if heavy else "loads no engine",
        ),
        Row(
            "segue --help",
            helped.seconds * 1000,
            HELP_MS,
            "limit",
            "ms",
            1.0,
            peak=helped.peak,
            note=f"CPU {helped.cpu * 1000:.0f} ms",
        ),
    ]
