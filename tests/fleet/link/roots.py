"""Authorities and certificates for tests of TLS."""

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass
class Root:
    """An authority, and a certificate of it for 127.0.0.1 with its key."""

    ca: str
    digest: str
    certificate: Path
    key: ec.EllipticCurvePrivateKey
    name: x509.Name


def make_root(folder, days=30):
    folder.mkdir(exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"root {folder.name}")])
    own = sign(name, name, key, key, 3650, x509.BasicConstraints(ca=True, path_length=0))
    text = own.public_bytes(Encoding.PEM).decode()
    digest = hashlib.sha256(own.public_bytes(Encoding.DER)).hexdigest()
    return renew(Root(text, digest, folder / "certificate.pem", key, name), days)


def renew(root, days):
    """Make another certificate of an authority, in the place of the one that it had."""
    own = ec.generate_private_key(ec.SECP256R1())
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    host = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub")])
    leaf = sign(host, root.name, own, root.key, days, address)
    secret = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    root.certificate.write_bytes(leaf.public_bytes(Encoding.PEM) + secret)
    return root


def sign(subject, issuer, own, key, days, extension):
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(extension, critical=False)
        .sign(key, hashes.SHA256())
    )
