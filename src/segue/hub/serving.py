"""A hub that listens: TLS, loopback, a graceful end."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
import socket
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import uvicorn

from segue.errors import SegueError, UsageError, name_disk_fault
from segue.hub.app import make_app
from segue.hub.authority import (
    Certificates,
    digest_certificate,
    given_certificates,
    prepare_authority,
    read_root,
)
from segue.hub.certificates import LOOK_SECONDS, Reload, choose_name, hold_certificates
from segue.hub.opening import open_hub
from segue.wire.transport import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from segue.hub.opening import HubPlace

PORT = 8443
STOP_SECONDS = 20
"""How long requests that are under way may take when a hub is told to end."""
_RENEW_SECONDS = 12 * 3600.0
_AGAIN_SECONDS = 600.0
ADDRESS = "hub.json"
"""File in the hub's home that says how it is reached, for commands on this machine."""

_log = logging.getLogger("segue.hub")


@dataclass(frozen=True, slots=True)
class Listen:
    """How a hub is reached.

    Attributes:
        host: Address to listen on.
        port: Port; 0 for a free one.
        names: Names and addresses under which agents reach it; the first stands in tokens.
        certificate: The server's certificate; None for the hub's own authority.
        key: Its key.
        root: Root that agents pin, for certificates that are given.
        tls: Whether to speak TLS; None to do so on all but loopback.
    """

    host: str = "127.0.0.1"
    port: int = PORT
    names: tuple[str, ...] = ()
    certificate: Path | None = None
    key: Path | None = None
    root: Path | None = None
    tls: bool | None = None


def find_certificates(listen: Listen, home: Path) -> Certificates | None:
    """Return the certificates of a hub; None if it speaks no TLS, which only loopback may.

    Raises:
        UsageError: It must speak TLS, or a file is missing.
    """
    if (listen.certificate is None) != (listen.key is None):
        raise UsageError("--cert and --key belong together", hint="name both, or none")
    if listen.root is not None and listen.certificate is None:
        raise UsageError("--ca is the root of --cert", hint="name --cert and --key, too")
    if listen.certificate is not None and listen.key is not None:
        return given_certificates(listen.certificate, listen.key, listen.root)
    local = is_loopback(listen.host)
    if listen.tls is False and not local:
        raise UsageError(
            f"a hub on {listen.host} is not served without TLS",
            hint="leave --no-tls out: without --cert and --key the hub makes its own authority",
        )
    if listen.tls is None and local:
        return None
    if listen.tls is False:
        return None
    return prepare_authority(home, find_names(listen))


def find_names(listen: Listen) -> tuple[str, ...]:
    """Return the names and addresses that a certificate has to tell."""
    own = {"localhost", "127.0.0.1", "::1"}
    if listen.host in ("0.0.0.0", "::"):  # noqa: S104  # looked at, not listened on
        own |= {socket.gethostname(), *_own_addresses()}
    else:
        own.add(listen.host)
    return (*listen.names, *sorted(own - set(listen.names)))


def _own_addresses() -> set[str]:
    import psutil

    kinds = (socket.AF_INET, socket.AF_INET6)
    return {
        each.address.partition("%")[0]
        for addresses in psutil.net_if_addrs().values()
        for each in addresses
        if each.family in kinds
    }


def serve(place: HubPlace, listen: Listen, told: Callable[[str], None]) -> None:
    """Run a hub until it is told to end.

    Args:
        place: Where it keeps what it has.
        listen: How it is reached.
        told: Is told where it is reached, once it is.

    Raises:
        UsageError: It can't listen so.
        StorageError: The database or the lake can't be used.
    """
    try:
        place.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        certificates = find_certificates(listen, place.home)
    except OSError as error:
        raise name_disk_fault(error, place.home) from None
    if certificates is not None and listen.certificate is not None:
        listen = _name_by(certificates, listen)
        hold_certificates(certificates, listen.names)
    bound = _bind(listen)
    scheme = "http" if certificates is None else "https"
    url = f"{scheme}://{_write_authority(listen, bound.getsockname()[1])}"
    ca = "" if certificates is None else read_root(certificates)
    hub = open_hub(place, url=url, ca=ca)
    address = place.home / ADDRESS
    config = uvicorn.Config(
        make_app(hub),
        log_level="warning",
        access_log=False,
        lifespan="on",
        timeout_keep_alive=90,
        timeout_graceful_shutdown=STOP_SECONDS,
        server_header=False,
        ssl_certfile=None if certificates is None else certificates.certificate,
        ssl_keyfile=None if certificates is None else certificates.key,
    )
    facts = {"url": url, "ca": digest_certificate(ca), "pid": os.getpid()}
    server = _Server(config, lambda: _announce(address, facts, told), hub.end)
    if certificates is not None:
        server.renewal = _plan_renewal(config, place.home, listen, certificates)
    try:
        server.run(sockets=[bound])
    finally:
        bound.close()


class _Server(uvicorn.Server):
    """Says when it listens, and renews its certificate."""

    def __init__(
        self, config: uvicorn.Config, listens: Callable[[], None], ends: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._listens, self._ends = listens, ends
        self.renewal: Renewal | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            self._listens()
            if self.renewal is not None:
                self.renewal.begin()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._ends()
        if self.config.is_ssl:
            # TLS waits for a farewell, which whoever is not asking anything does not read
            for each in list(self.server_state.connections):
                if _is_silent(each):
                    each.transport.abort()
        await super().shutdown(sockets)


def _is_silent(connection: Any) -> bool:
    """Return whether all that a connection asked is answered, as far as uvicorn tells."""
    cycle = getattr(connection, "cycle", None)
    answered = cycle is None or cycle.response_complete
    return answered and not connection.transport.get_write_buffer_size()


class Renewal:
    """Renews a certificate now and then; a try that fails is not the last one.

    Args:
        renew: Renews it if it is due.
        seconds: Time between two looks.
        again: Time after one that failed.
    """

    def __init__(
        self,
        renew: Callable[[], None],
        *,
        seconds: float = _RENEW_SECONDS,
        again: float = _AGAIN_SECONDS,
    ) -> None:
        self._renew, self._seconds, self._again = renew, seconds, again

    def begin(self) -> None:
        """Look after it from now on, in the loop that runs."""
        asyncio.get_running_loop().call_later(self._seconds, self._look)

    def _look(self) -> None:
        wait = self._seconds
        try:
            self._renew()
        except (SegueError, OSError) as error:
            _log.warning("the certificate could not be renewed: %s", error)
            wait = self._again
        asyncio.get_running_loop().call_later(wait, self._look)


def _renew(config: uvicorn.Config, home: Path, listen: Listen) -> None:
    fresh = prepare_authority(home, find_names(listen))
    _load(config, fresh.certificate, fresh.key)


def _plan_renewal(
    config: uvicorn.Config, home: Path, listen: Listen, certificates: Certificates
) -> Renewal:
    """Return what looks after certificates: they are made here, or somebody else changes them."""
    if listen.certificate is None:
        return Renewal(lambda: _renew(config, home, listen))
    reload = Reload(certificates, listen.names, lambda *files: _load(config, *files))
    return Renewal(reload, seconds=LOOK_SECONDS, again=LOOK_SECONDS)


def _load(config: uvicorn.Config, certificate: Path, key: Path) -> None:
    if config.ssl is not None:
        config.ssl.load_cert_chain(certificate, key)


def _name_by(certificates: Certificates, listen: Listen) -> Listen:
    """Return how a hub is reached, by its certificate's name if nobody says which.

    Raises:
        UsageError: The certificate has none.
    """
    if listen.names:
        return listen
    if name := choose_name(certificates, listen.host):
        return replace(listen, names=(name,))
    raise UsageError(
        f"{certificates.certificate} does not tell under which name nodes reach the hub",
        hint="name it: --name hub.example.com",
    )


def _announce(path: Path, facts: dict[str, object], told: Callable[[str], None]) -> None:
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.write_text(json.dumps(facts))
        fresh.replace(path)
    except OSError as error:
        # It can still tell nodes to wait; commands on this machine know it by what stood here.
        _log.warning("%s", name_disk_fault(error, path).message)
    told(str(facts["url"]))


def _bind(listen: Listen) -> socket.socket:
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((listen.host, listen.port))
    except OSError as error:
        bound.close()
        hint = "choose another one with --port, or stop what listens there"
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            hint = "--host is an address of this machine; under which name nodes reach it is --name"
        raise UsageError(
            f"the hub can't listen on {listen.host} port {listen.port}: {error.strerror}", hint=hint
        ) from None
    return bound


def _write_authority(listen: Listen, port: int) -> str:
    name = listen.names[0] if listen.names else listen.host
    if name in ("0.0.0.0", "::"):  # noqa: S104  # looked at, not listened on
        name = socket.gethostname()
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
