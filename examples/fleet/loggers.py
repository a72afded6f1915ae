"""What the freezers of each shop write: a line of JSON for each reading, some of them odd."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

EVERY = 0.1
"""Seconds between the lines of a shop's freezers."""

LINES = 10
NO_JSON, NO_TEMPERATURE = 0.005, 0.01
"""Shares of lines that are no JSON, and of readings that can't be true."""


class Loggers:
    """Writes the readings of all shops, in a thread.

    Attributes:
        written: Lines that were written.
    """

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self.written = 0
        self._folders = folders
        self._silent = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write no more."""
        self._silent.set()
        if self._thread.is_alive():
            self._thread.join()

    def _write(self) -> None:
        for folder in self._folders.values():
            folder.mkdir(parents=True, exist_ok=True)
        files = {shop: (f / "freezers.jsonl").open("a") for shop, f in self._folders.items()}
        chance = random.Random(1)
        number = 0
        while not self._silent.wait(EVERY):
            for file in files.values():
                file.write("".join(write_line(chance, number + each) for each in range(LINES)))
                file.flush()
                self.written += LINES
            number += LINES
        for file in files.values():
            file.close()


def write_line(chance: random.Random, number: int) -> str:
    """Return a reading: one in two hundred is no JSON, one in a hundred no temperature."""
    if chance.random() < NO_JSON:
        return "<- logger restarted ->\n"
    broken = chance.random() < NO_TEMPERATURE
    reading = {
        "n": number,
        "measured": datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds"),
        "freezer": f"f{number % 10}",
        "celsius": 850.0 if broken else round(chance.gauss(-18, 3), 1),
    }
    return json.dumps(reading) + "\n"
