"""Takes messages to their channels through Apprise: all at once, and never longer than stated."""

from __future__ import annotations

import logging
import time
import warnings
from dataclasses import dataclass, field
from threading import Thread, get_ident
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from segue.errors import MissingExtraError
from segue.spec.alerts import OWNER
from segue.spec.secrets import fill_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segue.spec.alerts import Channel

_REASON = 200
_heard: dict[int, list[str]] = {}


@dataclass(slots=True)
class Letter:
    """A message on its way.

    Attributes:
        channel: Where it goes.
        title: Its title.
        body: Its text.
        kind: ``failure``, ``warning``, ``success`` or ``info``, which channels show by a colour.
        owner: Whom it is for, where the channel's URL names the owner.
        problem: Why it did not arrive; empty if it did.
    """

    channel: Channel
    title: str
    body: str
    kind: str = "failure"
    owner: str = ""
    problem: str = "it was not sent"
    target: Any = field(default=None, repr=False)


class _Listener(logging.Handler):
    """Keeps what Apprise says of a failure, by the thread that it happened in."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record of a thread that sends."""
        if record.thread in _heard:
            _heard[record.thread].append(record.getMessage())


_LISTENER = _Listener(logging.WARNING)


def send_letters(letters: Sequence[Letter], environ: Mapping[str, str], timeout: float) -> None:
    """Send letters side by side; what became of each stands in its `problem`.

    Args:
        letters: The letters.
        environ: Where the secrets of the channels' URLs are.
        timeout: Longest wait for all of them, in seconds. A channel that has not answered by
            then is left alone.
    """
    try:
        import_apprise()
    except MissingExtraError as error:
        for letter in letters:
            letter.problem = f"{error.message}: {error.hint}"
        return
    threads = []
    for letter in letters:
        _address(letter, environ)
        if letter.target is not None:
            letter.problem = f"no answer within {timeout:g} s"
            # a daemon: a channel that hangs must not keep the process
            threads.append(Thread(target=_send, args=(letter,), daemon=True, name="segue-alert"))
    end = time.monotonic() + timeout
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))


def import_apprise() -> Any:
    """Return the library.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import apprise
    except ImportError as error:
        raise MissingExtraError(
            "alerts need the library apprise", hint="pip install 'segue[alerts]'"
        ) from error
    if _LISTENER not in logging.getLogger("apprise").handlers:
        logging.getLogger("apprise").addHandler(_LISTENER)
    return apprise


def _address(letter: Letter, environ: Mapping[str, str]) -> None:
    """Find out where a letter goes; its problem says why, if that can't be."""
    apprise = import_apprise()
    try:
        url = fill_secrets(letter.channel.url, environ)
    except KeyError as error:
        letter.problem = f"the environment variable {error.args[0]} is not set"
        return
    url = url.replace(OWNER, quote(letter.owner, safe="@"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what its hundred channels import is not ours to mend
        # its own threads would keep the process until a channel that hangs gives up
        asset = apprise.AppriseAsset(async_mode=False, service_timeout=0, app_id="segue")
        target = apprise.Apprise(asset=asset)
        known = target.add(url)
    if known:
        letter.target = target
    else:
        letter.problem = "Apprise does not understand its url"


def _send(letter: Letter) -> None:
    me = get_ident()
    _heard[me] = []
    try:
        arrived = letter.target.notify(
            body=letter.body, title=letter.title, notify_type=letter.kind, body_format="text"
        )
        said = "; ".join(_heard[me])
    except Exception as error:  # noqa: BLE001  # a hundred channels, each with failures of its own
        arrived, said = False, f"{type(error).__name__}: {error}"
    finally:
        del _heard[me]
    letter.problem = "" if arrived else said[:_REASON] or "it was refused"
