"""A deployment that several people sign, one after the other: a file that goes between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tuf.api import exceptions
from tuf.api.metadata import (  # type: ignore[attr-defined]  # re-exports
    Metadata,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from segue.deploy.keys import name_of
from segue.deploy.repository import Known
from segue.errors import BundleError, DeploymentError, UsageError
from segue.wire.archive import read_member, read_members, write_archive
from segue.wire.bundle import LIMITS
from segue.wire.deployment import Deployment, read_custom
from segue.wire.trust_folder import METADATA, TARGETS

if TYPE_CHECKING:
    from securesystemslib.signer import Signer  # type: ignore[attr-defined]  # re-exports

_ROLES = (Targets, Snapshot, Timestamp)
_Signed = Metadata[Targets] | Metadata[Snapshot] | Metadata[Timestamp]


@dataclass(frozen=True, slots=True)
class Joint:
    """What is in such a file, after it was held against what is signed now.

    Attributes:
        path: The file.
        roles: Signed metadata, by its name on a hub.
        bundles: Bundles that are new, by target.
        new: Deployments that would be live and are not.
        signed: Names of those who have signed.
        missing: How many more have to.
    """

    path: Path
    roles: Mapping[str, _Signed]
    bundles: Mapping[str, Path]
    new: tuple[Deployment, ...]
    signed: tuple[str, ...]
    missing: int

    def files(self) -> dict[str, bytes]:
        """Return the signed metadata as files, for a hub's folder ``trust/``."""
        return {name: metadata.to_bytes() for name, metadata in self.roles.items()}


def write_joint(path: Path, files: Mapping[str, bytes], bundles: Mapping[str, Path]) -> None:
    """Write signed metadata and new bundles into a file for others to sign."""
    named: dict[str, bytes | Path] = {f"{METADATA}/{name}": text for name, text in files.items()}
    named |= {f"{TARGETS}/{name}": bundle for name, bundle in bundles.items()}
    fresh = path.with_name(path.name + ".new")
    write_archive(fresh, named)
    fresh.replace(path)


def read_joint(path: Path, known: Known, folder: Path) -> Joint:
    """Read such a file, and refuse what does not follow on what is signed now.

    Args:
        path: The file.
        known: What is signed now.
        folder: An empty folder, for the bundles in it.

    Raises:
        BundleError: It is no such file, or damaged.
        DeploymentError: It does not follow on what is signed, or nobody who may deploy signed it.
    """
    files = _unpack(path, folder)
    try:
        roles = _read_roles(files, known)
        targets = _check_chain(path, roles.values())
        bundles = _find_bundles(targets, known, folder)
    except KeyError as error:
        raise DeploymentError(
            f"{path} does not follow on what is deployed: {error.args[0]} is missing",
            hint="somebody has deployed since it was written: ask for a new one",
        ) from None
    except (exceptions.RepositoryError, ValueError, TypeError, AttributeError) as error:
        raise BundleError(f"{path} is no deployment to sign: {error}") from None
    signed, missing = _count(known, roles)
    if not signed:
        raise DeploymentError(
            f"nobody who may deploy has signed {path}",
            hint="segue deploy keys list shows who may",
        )
    return Joint(path, roles, bundles, _find_new(path, targets, known), signed, missing)


def add_signatures(joint: Joint, known: Known, signers: Iterable[Signer]) -> Joint:
    """Return the deployment with more signatures.

    Raises:
        UsageError: The keys have signed it already, or may not.
    """
    before = joint.signed
    signers = list(signers)
    may = {key for metadata in joint.roles.values() for key in _list_keys(known, metadata)}
    if not any(signer.public_key.keyid in may for signer in signers):
        raise UsageError(
            f"no key that was given may sign {joint.path}",
            hint="name another one: --key FILE; segue deploy keys list shows who may",
        )
    for signer in signers:
        for metadata in joint.roles.values():
            if signer.public_key.keyid in _list_keys(known, metadata):
                metadata.sign(signer, append=True)
    signed, missing = _count(known, joint.roles)
    if len(signed) == len(before):
        raise UsageError(
            f"{joint.path} has these signatures already: {', '.join(before)}",
            hint="somebody else has to sign it; segue deploy keys list shows who may",
        )
    return Joint(joint.path, joint.roles, joint.bundles, joint.new, signed, missing)


def _list_keys(known: Known, metadata: _Signed) -> list[str]:
    """Return the keys that may sign a part of the metadata."""
    return list(known.root.roles[metadata.signed.type].keyids)


def _unpack(path: Path, folder: Path) -> dict[str, bytes]:
    """Return the metadata in a file; its bundles go into the folder."""
    files: dict[str, bytes] = {}
    with path.open("rb") as file:
        for member in read_members(file, LIMITS):
            place, _, name = member.name.partition("/")
            content = read_member(file, member)
            if place == METADATA:
                files[name] = b"".join(content)
            elif place == TARGETS:
                with (folder / name).open("xb") as out:
                    out.writelines(content)
            else:
                raise BundleError(f"{path} is no deployment to sign: it has {member.name!r}")
    return files


def _name(role: type[Targets | Snapshot | Timestamp], version: int) -> str:
    return f"{role.type}.json" if role is Timestamp else f"{version}.{role.type}.json"


def _next(known: Known, role: type[Targets | Snapshot | Timestamp]) -> int:
    signed = getattr(known, role.type)
    return int(signed.version) + 1 if signed else 1


def _read_roles(files: Mapping[str, bytes], known: Known) -> dict[str, _Signed]:
    roles: dict[str, _Signed] = {}
    for role in _ROLES:
        version = _next(known, role)
        name = _name(role, version)
        read = Metadata.from_bytes(files[name])
        if read.signed.type != role.type:
            raise TypeError(f"{name} is a {read.signed.type}")
        if read.signed.version != version:
            raise KeyError(f"version {version} of {role.type}")
        roles[name] = cast("_Signed", read)
    return roles


def _check_chain(path: Path, roles: Iterable[_Signed]) -> Targets:
    """Return what is deployed, after a look whether the other parts lead there and only there."""
    signed = [each.signed for each in roles]
    targets, snapshot, timestamp = signed
    whole = (
        isinstance(targets, Targets)
        and isinstance(snapshot, Snapshot)
        and isinstance(timestamp, Timestamp)
        and {name: each.version for name, each in snapshot.meta.items()}
        == {"targets.json": targets.version}
        and timestamp.snapshot_meta.version == snapshot.version
        and targets.delegations is None
    )
    if not (whole and isinstance(targets, Targets)):
        raise DeploymentError(f"the parts of {path} do not belong together", hint="do not sign it")
    return targets


def _find_bundles(targets: Targets, known: Known, folder: Path) -> dict[str, Path]:
    """Return the bundles that are new, after a look at their bytes."""
    live: Mapping[str, TargetFile] = known.targets.targets if known.targets else {}
    bundles = {}
    for name, target in targets.targets.items():
        if name in live:
            if live[name].hashes != target.hashes:
                raise DeploymentError(f"{name} has other bytes than what is live under this name")
            continue
        path = folder / name
        if not path.is_file():
            raise KeyError(f"the bundle {name}")
        with path.open("rb") as file:
            target.verify_length_and_hashes(file)
        bundles[name] = path
    return bundles


def _find_new(path: Path, targets: Targets, known: Known) -> tuple[Deployment, ...]:
    """Return the deployments that would be live and are not."""
    before = {each.generation: each for each in known.deployments()}
    new = []
    for name, target in targets.targets.items():
        for each in read_custom(name, target.unrecognized_fields.get("custom")):
            old = before.get(each.generation)
            if old is None and each.generation > max(before, default=0):
                new.append(each)
            elif old != each:
                raise DeploymentError(
                    f"{path} says something else of deployment {each.generation} than is signed",
                    hint="do not sign it",
                )
    return tuple(sorted(new, key=lambda each: each.generation))


def _count(known: Known, roles: Mapping[str, _Signed]) -> tuple[tuple[str, ...], int]:
    """Return who has signed all of it, and how many more have to."""
    results = [
        known.root.get_verification_result(
            metadata.signed.type, metadata.signed_bytes, metadata.signatures
        )
        for metadata in roles.values()
    ]
    keyids = set.intersection(*(set(each.signed) for each in results))
    names = sorted(name_of(known.root.keys[each]) or each[:8] for each in keyids)
    return tuple(names), max(each.missing for each in results)
