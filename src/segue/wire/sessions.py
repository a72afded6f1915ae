"""Sessions: a hub's memory of which signed requests it has seen.

A node asks for a challenge, signs it and so opens a session; each further request of the
session has a larger counter than all before it. A request that is sent again is refused by
its counter, one of an earlier life of the hub by its session. No clock is compared.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass

from segue.errors import SessionError, SignatureError


@dataclass(slots=True)
class _Session:
    key_id: str
    counter: int = 0


class Sessions:
    """Challenges and sessions of one hub, in memory; the oldest go when there are too many.

    Example:
        >>> sessions = Sessions()
        >>> session = sessions.open(sessions.challenge(), "ab" * 16)
        >>> sessions.admit(session, "ab" * 16, 1)
        >>> sessions.admit(session, "ab" * 16, 1)
        Traceback (most recent call last):
        segue.errors.SignatureError: the request is refused: it was seen before
    """

    def __init__(self, most: int = 20_000) -> None:
        """Keep at most `most` challenges, and as many sessions."""
        self._most = most
        self._lock = threading.Lock()
        self._challenges: OrderedDict[str, None] = OrderedDict()
        self._sessions: OrderedDict[str, _Session] = OrderedDict()

    def challenge(self) -> str:
        """Return a random text that opens one session."""
        challenge = secrets.token_urlsafe(24)
        with self._lock:
            self._challenges[challenge] = None
            if len(self._challenges) > self._most:
                self._challenges.popitem(last=False)
        return challenge

    def open(self, challenge: str, key_id: str) -> str:
        """Return the id of a new session, for a challenge whose signature was verified.

        Args:
            challenge: The challenge.
            key_id: Key that has signed it.

        Raises:
            SessionError: The challenge is unknown or was used before.
        """
        session = secrets.token_urlsafe(24)
        with self._lock:
            if challenge not in self._challenges:
                raise SessionError("the challenge is unknown or was used")
            del self._challenges[challenge]
            self._sessions[session] = _Session(key_id)
            if len(self._sessions) > self._most:
                self._sessions.popitem(last=False)
        return session

    def admit(self, session: str, key_id: str, counter: int) -> None:
        """Let a request in whose signature was verified.

        Raises:
            SessionError: There is no such session of this key: a new one must be opened.
            SignatureError: The request was seen before.
        """
        with self._lock:
            known = self._sessions.get(session)
            if known is None or known.key_id != key_id:
                raise SessionError("there is no such session")
            if counter <= known.counter:
                raise SignatureError("the request is refused: it was seen before")
            known.counter = counter
            self._sessions.move_to_end(session)

    def forget(self, key_id: str) -> None:
        """End all sessions of a key, such as of a node that is removed."""
        with self._lock:
            ended = [name for name, each in self._sessions.items() if each.key_id == key_id]
            for name in ended:
                del self._sessions[name]
