"""A hub's own certificate authority: a root that agents pin, and a server certificate under it."""

from __future__ import annotations

import hashlib
import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from segue.errors import StorageError, UsageError
from segue.wire.durable import write_durably

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ROOT_DAYS = 20 * 365
SERVER_DAYS = 90
RENEW_DAYS = 30
"""Days before its end at which the server's certificate is made anew."""
_RESTORE = "restore ca.pem and ca-key.pem from a backup; nodes have pinned that root"
_EARLIER = timedelta(days=1)
"""How far back certificates are good, for nodes whose clocks are behind."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files with which a hub speaks TLS.

    Attributes:
        certificate: The server's certificate, and those between it and the root.
        key: Its key.
        root: The root that agents pin.
    """

    certificate: Path
    key: Path
    root: Path


def digest_certificate(pem: str) -> str:
    """Return the SHA-256 of a certificate's DER, hex; empty for no certificate."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest() if pem else ""


def prepare_authority(home: Path, names: Sequence[str]) -> Certificates:
    """Return a hub's own certificates, made or renewed if need be.

    Args:
        home: Folder of the hub's files.
        names: Names and addresses under which agents reach it.

    Raises:
        StorageError: The files can't be read, or the root's key is gone.
    """
    made = Certificates(home / "server.pem", home / "server-key.pem", home / "ca.pem")
    root_key = home / "ca-key.pem"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not made.root.exists():
        _make_root(made.root, root_key)
    if not root_key.exists():
        raise StorageError(f"{root_key} is missing, and belongs to {made.root}", hint=_RESTORE)
    try:
        root = x509.load_pem_x509_certificate(made.root.read_bytes())
        key = serialization.load_pem_private_key(root_key.read_bytes(), None)
    except ValueError as error:
        raise StorageError(
            f"the hub's authority in {home} can't be read: {error}", hint=_RESTORE
        ) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise StorageError(f"{root_key} holds a key of another kind")
    if _is_due(made, names, root):
        _make_server(made, names, root, key)
    return made


def given_certificates(certificate: Path, key: Path, root: Path | None) -> Certificates:
    """Return certificates that a user brings; without `root`, the last of the file is it.

    Raises:
        UsageError: They can't be read.
    """
    for path in (certificate, key, *((root,) if root else ())):
        if not path.is_file():
            raise UsageError(f"there is no file {path}", hint="name PEM files that exist")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (ssl.SSLError, OSError) as error:
        raise UsageError(f"{certificate} and {key} don't fit together: {error}") from None
    if root is not None:
        try:
            x509.load_pem_x509_certificates(root.read_bytes())
        except ValueError as error:
            raise UsageError(f"{root} holds no certificate: {error}") from None
    return Certificates(certificate, key, root or certificate)


def read_root(certificates: Certificates) -> str:
    """Return the root as PEM: the last certificate of its file."""
    mark = "-----BEGIN CERTIFICATE-----"
    text = certificates.root.read_text()
    return mark + text.rpartition(mark)[2]


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_durably(path, text, 0o600)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _begin(subject: x509.Name, issuer: x509.Name, days: int) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + timedelta(days=days))
    )


def _make_root(path: Path, key_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("segue hub")
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    made = (
        _begin(name, name, ROOT_DAYS)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write_key(key_path, key)
    write_durably(path, made.public_bytes(serialization.Encoding.PEM), 0o644)


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _is_due(made: Certificates, names: Sequence[str], root: x509.Certificate) -> bool:
    if not (made.certificate.exists() and made.key.exists()):
        return True
    try:
        found = x509.load_pem_x509_certificate(made.certificate.read_bytes())
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(made.certificate, made.key)
        found.verify_directly_issued_by(root)
        told = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, ssl.SSLError, x509.ExtensionNotFound):
        return True
    except Exception as error:  # cryptography's InvalidSignature has no other root
        if type(error).__name__ != "InvalidSignature":
            raise
        return True
    if set(told) != {_general_name(name) for name in names}:
        return True
    return found.not_valid_after_utc - datetime.now(UTC) < timedelta(days=RENEW_DAYS)


def _make_server(
    made: Certificates,
    names: Sequence[str],
    root: x509.Certificate,
    root_key: ec.EllipticCurvePrivateKey,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    public = root_key.public_key()
    certificate = (
        _begin(_name(names[0][:64]), root.subject, SERVER_DAYS)
        .public_key(key.public_key())
        .add_extension(x509.SubjectAlternativeName(map(_general_name, names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    _write_key(made.key, key)
    write_durably(made.certificate, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
