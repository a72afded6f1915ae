"""A port of this process at which workers ask, and are answered."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import Listener, answer_challenge, deliver_challenge
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_PATIENCE = 5.0
"""Seconds to wait for a thread that ends."""


class Port:
    """Answers whoever knows the key, each in a thread of its own.

    Attributes:
        number: Number of the port.
    """

    def __init__(self, host: str, key: bytes, answer: Callable[[bytes], bytes]) -> None:
        """Open a port.

        Args:
            host: Name or address of this machine; the port is open there only.
            key: What both sides prove to know before anything is read.
            answer: Returns the answer to what was asked.
        """
        self._key = key
        self._answer = answer
        self._lock = threading.Lock()
        self._connections: dict[Any, threading.Thread] = {}
        self._closed = False
        self._listener = Listener((host, 0), backlog=64)
        self._address: tuple[str, int] = self._listener.address  # of TCP
        self.number = self._address[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            connection = self._listener.accept()
            with self._lock:
                if self._closed:
                    connection.close()
                    return
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._connections[connection] = thread
            thread.start()

    def _serve(self, connection: Any) -> None:
        with connection, suppress(EOFError, OSError, AuthenticationError):
            # here, so that one who never answers keeps nobody else waiting
            deliver_challenge(connection, self._key)
            answer_challenge(connection, self._key)
            while True:
                connection.send_bytes(self._answer(connection.recv_bytes()))

    def close(self) -> None:
        """Close the port and all connections."""
        with self._lock:
            self._closed = True
            serving = dict(self._connections)
        with suppress(OSError):
            socket.create_connection(self._address, _PATIENCE).close()  # ends the wait for others
        self._thread.join(_PATIENCE)
        self._listener.close()
        for connection, thread in serving.items():
            # closing alone leaves a thread that reads from it waiting
            with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as other:
                other.shutdown(socket.SHUT_RDWR)
            if thread is not threading.current_thread():
                thread.join(_PATIENCE)
