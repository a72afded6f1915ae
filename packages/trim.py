"""Remove from an installed Arrow what nothing on a node loads: ``python trim.py SITE-PACKAGES``.

For images, at build time: the layer is never changed again, so no upgrade finds a package whose
files are missing. What goes: Flight, remote file systems, ORC, headers, sources and tests.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

FOLDERS = ("include", "includes", "src", "tests")
FILES = (
    *("*.pxd", "*.pxi", "*.pyx", "*.h"),
    *("libarrow_flight.so*", "libarrow_python_flight.so*", "_flight.*.so"),
    *("libarrow_s3.so*", "_s3fs.*.so", "_gcsfs.*.so", "_azurefs.*.so", "_hdfs.*.so"),
    *("_orc.*.so", "_dataset_orc.*.so", "_pyarrow_cpp_tests.*.so"),
)


def trim(packages: Path) -> int:
    """Remove it; return how many bytes went.

    Args:
        packages: The folder in which ``pyarrow`` lies.
    """
    arrow = packages / "pyarrow"
    before = measure(arrow)
    for name in FOLDERS:
        shutil.rmtree(arrow / name, ignore_errors=True)
    for pattern in FILES:
        for path in arrow.glob(pattern):
            path.unlink()
    drop_copies(arrow)
    return before - measure(arrow)


def drop_copies(arrow: Path) -> None:
    """Remove libraries that lie there under further names: wheels hold no links.

    The loader asks for the name with one number, such as ``libarrow_python.so.2600``.
    """
    for path in arrow.glob("lib*.so.*"):
        stem, number = path.name.split(".so.", 1)
        if "." not in number:
            (arrow / f"{stem}.so").unlink(missing_ok=True)
            for further in arrow.glob(f"{stem}.so.{number}.*"):
                further.unlink()


def measure(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    sys.stdout.write(f"{trim(Path(sys.argv[1])) / 1e6:.0f} MB removed\n")
