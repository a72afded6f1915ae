"""Certificates that a user brings: tried the way a node tries them, taken anew when they change.

A hub that nodes will refuse should say so where it is started, and not at each node.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography import x509

from segue.errors import UsageError
from segue.hub.authority import Certificates, given_certificates, read_root
from segue.wire.transport import OTHER_NAME, WRONG_TIME, make_context

LOOK_SECONDS = 60.0
"""Time between two looks whether the files have changed."""
_TURNS = 8
_log = logging.getLogger("segue.hub")


def read_names(path: Path) -> list[str]:
    """Return the names and addresses that a certificate is for; those of any host in front."""
    leaf = x509.load_pem_x509_certificates(path.read_bytes())[0]
    try:
        told = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    names = told.get_values_for_type(x509.DNSName)
    return [*names, *map(str, told.get_values_for_type(x509.IPAddress))]


def choose_name(certificates: Certificates, host: str) -> str:
    """Return the name under which nodes reach a hub, if nobody says which; empty for none.

    Args:
        certificates: Those that it has.
        host: Address that it listens on.
    """
    names = read_names(certificates.certificate)
    plain = [name for name in names if "*" not in name]
    return host if host in names else next(iter(plain), "")


def hold_certificates(certificates: Certificates, names: Sequence[str]) -> None:
    """Hold that nodes will trust certificates under all names; warn if their time is wrong.

    Raises:
        UsageError: Nodes would not.
    """
    root, leaf = read_root(certificates), certificates.certificate
    for name in names:
        error = _shake_hands(certificates, root, name, check_time=False)
        if error is None:
            continue
        if error.verify_code in OTHER_NAME:
            listed = ", ".join(read_names(leaf)) or "no name at all"
            raise UsageError(
                f"{leaf} is no certificate for {name}: it is for {listed}",
                hint="name the hub as the certificate does: --name NAME",
            )
        raise UsageError(
            f"nodes would not trust {leaf} with the root in {certificates.root}: "
            f"{error.verify_message}",
            hint="--ca names the root that has signed it; those between belong into --cert",
        )
    for name in names[:1]:
        error = _shake_hands(certificates, root, name, check_time=True)
        if error is not None and error.verify_code in WRONG_TIME:
            _log.warning("nodes refuse %s: %s", leaf, error.verify_message)


def _shake_hands(
    certificates: Certificates, root: str, name: str, *, check_time: bool
) -> ssl.SSLCertVerificationError | None:
    """Return what a node that has pinned the root would object to."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificates.certificate, certificates.key)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    node = make_context(root, check_time=check_time).wrap_bio(back, there, server_hostname=name)
    hub = server.wrap_bio(there, back, server_side=True)
    for _ in range(_TURNS):
        for side in (node, hub):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                return error
    return None


class Reload:
    """Takes certificates anew when their files change, as a tool that renews them does.

    Args:
        certificates: The files.
        names: Names under which nodes reach the hub.
        load: Takes the files; nothing that nodes would refuse comes to it.
    """

    def __init__(
        self,
        certificates: Certificates,
        names: Sequence[str],
        load: Callable[[Path, Path], None],
    ) -> None:
        self._files, self._names, self._load = certificates, names, load
        self._root = read_root(certificates)
        self._stamp = self._look()

    def __call__(self) -> None:
        """Look whether they have changed.

        Raises:
            UsageError: They have, and nodes would not trust them.
        """
        stamp = self._look()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        files = self._files
        root = files.root if files.root != files.certificate else None
        fresh = given_certificates(files.certificate, files.key, root)
        hold_certificates(fresh, self._names)
        if read_root(fresh) != self._root:
            raise UsageError(f"the root in {fresh.root} is another one than nodes have pinned")
        self._load(fresh.certificate, fresh.key)
        _log.warning("the hub has taken %s anew", fresh.certificate)

    def _look(self) -> tuple[tuple[int, int], ...]:
        told = (path.stat() for path in (self._files.certificate, self._files.key))
        return tuple((each.st_mtime_ns, each.st_ino) for each in told)
