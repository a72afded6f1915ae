"""Keys of people who deploy: a private file that only its owner can read, and a public one."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from segue.errors import DeploymentError, UsageError
from segue.wire.durable import write_durably

if TYPE_CHECKING:
    from collections.abc import Mapping

    from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]  # re-exports

    KeySigner: TypeAlias = CryptoSigner
    """What signs with a private key."""

PASSPHRASE_VARIABLE = "SEGUE_DEPLOY_PASSPHRASE"  # noqa: S105  # the name of a variable
_NAME = re.compile(r"[A-Za-z0-9][\w.@-]{0,60}", re.ASCII)
_OPEN_TO_OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public half of somebody's key.

    Attributes:
        name: Whose it is, as it was called when it was made.
        id: Name of the key in signed metadata.
        key: The key, as python-tuf has it.
    """

    name: str
    id: str
    key: SSlibKey = field(repr=False)


def find_key_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder where a person's keys are."""
    base = environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "segue" / "keys"


def make_key(folder: Path, name: str, passphrase: str = "") -> tuple[Path, PublicKey]:
    """Make a key: ``<name>.key``, which only its owner can read, and ``<name>.pub``.

    Args:
        folder: Where they go.
        name: Whose it is.
        passphrase: What the private file is locked with; empty not to lock it.

    Raises:
        UsageError: The name is odd, or there is such a key.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        NoEncryption,
        PrivateFormat,
    )
    from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]  # re-exports

    if _NAME.fullmatch(name) is None:
        raise UsageError(f"{name!r} can't be the name of a key", hint="letters, digits, . _ @ -")
    path = folder / f"{name}.key"
    if path.exists():
        raise UsageError(f"there is a key {path} already", hint="choose another name")
    private = Ed25519PrivateKey.generate()
    lock = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    write_durably(path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock), 0o600)
    public = SSlibKey.from_crypto(private.public_key())
    document = {"name": name, "id": public.keyid, **public.to_dict()}
    text = json.dumps(document, indent=1, sort_keys=True) + "\n"
    write_durably(path.with_suffix(".pub"), text.encode())
    return path, PublicKey(name, public.keyid, public)


def read_public(path: Path) -> PublicKey:
    """Return the public key in a ``.pub`` file.

    Raises:
        UsageError: It can't be read, or holds no Ed25519 key.
    """
    from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]  # re-exports

    try:
        document = json.loads(path.read_text())
        name, keyid = str(document.pop("name")), str(document.pop("id"))
        key = SSlibKey.from_dict(keyid, document)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} holds no public key: {error}") from None
    if key.keytype != "ed25519":
        raise UsageError(f"{path} holds a key of type {key.keytype}, not ed25519")
    return PublicKey(name, keyid, key)


def read_signer(path: Path, passphrase: str = "") -> CryptoSigner:
    """Return what signs with a private key.

    Args:
        path: The file ``<name>.key``.
        passphrase: What it is locked with.

    Raises:
        DeploymentError: It can't be read, or others can read it too.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]  # re-exports

    hint = "make one: segue deploy keys new NAME"
    try:
        if path.stat().st_mode & _OPEN_TO_OTHERS:
            raise DeploymentError(
                f"the key {path} can be read by others", hint=f"chmod 600 {path}; better, change it"
            )
        secret = passphrase.encode() or None
        private = load_pem_private_key(path.read_bytes(), password=secret)
    except OSError as error:
        raise DeploymentError(
            f"the key {path} can't be read: {error.strerror}", hint=hint
        ) from None
    except TypeError:
        raise DeploymentError(
            f"the key {path} is locked with a passphrase, or the other way round",
            hint=f"set {PASSPHRASE_VARIABLE}, or type it when you are asked",
        ) from None
    except ValueError:
        raise DeploymentError(
            f"the key {path} can't be opened: the passphrase is another, or it is damaged"
        ) from None
    if not isinstance(private, Ed25519PrivateKey):
        raise DeploymentError(f"the key {path} is no Ed25519 key", hint=hint)
    return CryptoSigner(private)


def is_locked(path: Path) -> bool:
    """Return whether a private key needs a passphrase."""
    try:
        return b"ENCRYPTED" in path.read_bytes()[:64]
    except OSError:
        return False


def list_keys(folder: Path) -> list[PublicKey]:
    """Return the public keys in a folder, by name."""
    return [read_public(path) for path in sorted(folder.glob("*.pub"))]


def name_of(key: object) -> str:
    """Return whose a key in a root is, as `segue.deploy.repository` wrote it there."""
    fields = cast("Mapping[str, object]", getattr(key, "unrecognized_fields", {}))
    return str(fields.get("x-segue-name", ""))
