"""A serial line: each line of text a record."""

from __future__ import annotations

import select
import time
from typing import TYPE_CHECKING, Any

from segue.agent.options import CheckedKind
from segue.agent.sources.lines import TOO_LONG, LineBuffer
from segue.errors import MissingExtraError, SourceError
from segue.protocols.edge import Chunk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from segue.agent.options import Options
    from segue.protocols.edge import Cursor
    from segue.spec.edge import EdgeSource

_STEP = 2**16
_PARITIES = {"none": "N", "even": "E", "odd": "O", "mark": "M", "space": "S"}


class SerialSource(CheckedKind):
    """Reads a device; its first line after opening may be half a line, and is left out.

    What comes while nobody reads is lost as far as the system's buffer does not hold it.
    """

    replayable = False
    typed = False
    required = ("device",)
    optional: Mapping[str, Any] = {
        "baud": 9600,
        "bits": 8,
        "parity": "none",
        "stop": 1,
        "partial": False,
    }
    shapes: Mapping[str, tuple[str, ...]] = {"parity": ("choice", *_PARITIES), "stop": ("text",)}

    def open(self, source: EdgeSource, cursor: Cursor | None, scratch: Path) -> SerialReader:
        """Open the device; see `segue.protocols.edge`."""
        del cursor, scratch
        options = self.fill_source(source)
        return SerialReader(options)


class SerialReader:
    """A device that is open."""

    def __init__(self, options: Options) -> None:
        try:
            import serial  # type: ignore[import-untyped]
        except ModuleNotFoundError:
            raise MissingExtraError(
                "serial lines need pyserial", hint="pip install 'segue[serial]'"
            ) from None
        self._device = options.text("device")
        self._buffer = LineBuffer()
        self._whole = options.flag("partial")
        self._error = serial.SerialException
        try:
            self._port = serial.Serial(
                self._device,
                baudrate=options.whole("baud", 1),
                bytesize=options.whole("bits", 5),
                parity=_PARITIES[options.choice("parity", *_PARITIES)],
                stopbits=float(options.text("stop")),
                timeout=0,
            )
        except serial.SerialException as error:
            raise SourceError(f"{self._device} can't be opened: {error}") from None
        except ValueError as error:
            raise SourceError(f"{options.where}: {error}") from None

    def read(self, most: int, wait: float) -> Chunk | None:
        """Return what is there; see `segue.protocols.edge`."""
        deadline = time.monotonic() + wait
        while True:
            data = self._buffer.take(most)
            lost, self._buffer.lost = self._buffer.lost, 0
            if data or lost:
                return Chunk(None, data, lost=((lost, TOO_LONG),) if lost else ())
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self._port.fileno()], [], [], left)[0]:
                return None
            self._feed(self._receive())

    def accept(self, receipts: Sequence[Any]) -> None:
        """Nobody waits for an answer."""

    def exhausted(self) -> bool:
        """Return whether all whole lines that have come were read."""
        return not select.select([self._port.fileno()], [], [], 0.0)[0]

    def close(self) -> None:
        """Close the device."""
        self._port.close()

    def _receive(self) -> bytes:
        try:
            came: bytes = self._port.read(_STEP)
        except (self._error, OSError) as error:
            raise SourceError(f"{self._device} can't be read: {error}") from None
        if not came:
            raise SourceError(f"{self._device} can't be read: it is gone")
        return came

    def _feed(self, came: bytes) -> None:
        if not self._whole:
            _, newline, came = came.partition(b"\n")
            self._whole = bool(newline)
        self._buffer.feed(came)
