"""What every benchmark is given: folders, how often to measure, and data made once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.children import Child, Measure, measure_all, run_child, subject


@dataclass(frozen=True)
class Kit:
    """What a benchmark works with.

    Attributes:
        data: Folder of generated data, kept between runs.
        scratch: Folder for projects and results, made anew.
        quick: Whether to measure a tenth of the data, once.
        most: Most rows of the benchmarks that come in several sizes.
    """

    data: Path
    scratch: Path
    quick: bool = False
    most: int = sys.maxsize

    def scale(self, amount: int) -> int:
        """Return an amount of rows or steps, smaller in a quick run."""
        return max(1, amount // 10) if self.quick else amount

    def measure(self, children: Mapping[str, Child], repeats: int) -> dict[str, Measure]:
        """Measure things by turns: their medians by name."""
        return measure_all(children, self.count(repeats))

    def count(self, repeats: int) -> int:
        """Return how often to measure: once in a quick run."""
        return 1 if self.quick else repeats

    def make_parquet(self, name: str, query: str) -> Path:
        """Return a file of generated rows, made if it is not there."""
        path = self.data / f"{name}.parquet"
        if not path.exists():
            print(f"  generating {path.name}", flush=True)
            run_child(Child(subject("make_parquet", query, path)))
        return path

    def make_tpch(self) -> Path:
        """Return the folder of the TPC-H tables, made if it is not there."""
        scale = "0.1" if self.quick else "1"
        folder = self.data / f"tpch-{scale}"
        if not folder.exists():
            print(f"  generating {folder.name}", flush=True)
            program = Path(sys.executable).with_name("tpchgen-cli")
            command = [program, "parquet", "-s", scale, "--output-dir", folder]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return folder


def segue_command(*arguments: str) -> list[str]:
    """Return a command of segue's, as typed."""
    return [str(Path(sys.executable).with_name("segue")), *arguments]
