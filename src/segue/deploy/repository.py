"""Signed metadata: who may deploy, and what they have deployed, as files for a hub.

A root says which keys may sign. Those who deploy sign *targets* (the deployments), *snapshot*
(which versions belong together) and *timestamp* (which is the newest). The hub signs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from tuf.api import exceptions
from tuf.api.metadata import (  # type: ignore[attr-defined]  # re-exports
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from segue.deploy.keys import PublicKey, name_of
from segue.errors import DeploymentError, UsageError
from segue.wire.deployment import Deployment, read_custom
from segue.wire.trust import check_root
from segue.wire.trust_folder import FIRST_ROOT

if TYPE_CHECKING:
    from securesystemslib.signer import Signer, SSlibKey  # type: ignore[attr-defined]  # re-exports

ROOT_VALID = timedelta(days=3650)
VALID = timedelta(days=90)
"""How long signatures of deployments count; nodes go on with what they run after that."""

KEPT = 5
"""Deployments of one selector that stay signed, the newest ones."""

_ONLINE = (Targets.type, Snapshot.type, Timestamp.type)
_T = TypeVar("_T", Root, Targets, Snapshot, Timestamp)


@dataclass(frozen=True, slots=True)
class Known:
    """What is signed now.

    Attributes:
        root: Who may sign.
        targets: What is deployed; None before the first signature.
        snapshot: Which versions belong together.
        timestamp: Which is the newest.
        behind: Whether the hub has less than that, because it was restored from a backup.
    """

    root: Root
    targets: Targets | None = None
    snapshot: Snapshot | None = None
    timestamp: Timestamp | None = None
    behind: bool = False

    @classmethod
    def read(cls, folder: Path) -> Known:
        """Return what a `segue.wire.trust.Trust` has checked and kept."""

        def read(role: type[_T]) -> _T | None:
            path = folder / f"{role.type}.json"
            return Metadata[_T].from_file(str(path)).signed if path.exists() else None

        root = read(Root)
        if root is None:
            raise UsageError("nobody may deploy yet", hint="segue deploy init")
        return cls(root, read(Targets), read(Snapshot), read(Timestamp))

    def deployments(self) -> list[Deployment]:
        """Return all live deployments, by number."""
        if self.targets is None:
            return []
        listed = [
            each
            for name, target in self.targets.targets.items()
            for each in read_custom(name, target.custom)
        ]
        return sorted(listed, key=lambda each: each.generation)


def make_root(
    roots: Sequence[PublicKey],
    deployers: Sequence[PublicKey],
    signers: Iterable[Signer],
    *,
    threshold: int = 1,
    deploy_threshold: int = 1,
    now: datetime | None = None,
) -> bytes:
    """Return the first root: who may deploy, and who may change that.

    Args:
        roots: Keys that may change the root.
        deployers: Keys that may deploy.
        signers: Private halves of at least `threshold` of `roots`.
        threshold: How many of `roots` must sign a change.
        deploy_threshold: How many of `deployers` must sign a deployment.
        now: The time; the clock's if not stated.

    Raises:
        UsageError: A threshold can't be reached.
    """
    root = Root(expires=_expire(now, ROOT_VALID), consistent_snapshot=True)
    for key in roots:
        _add_key(root, key, Root.type)
    for key in deployers:
        for role in _ONLINE:
            _add_key(root, key, role)
    root.roles[Root.type].threshold = threshold
    root.roles[Targets.type].threshold = deploy_threshold
    _check_thresholds(root)
    return _sign_root(root, None, signers)


def change_root(
    old: Root,
    signers: Iterable[Signer],
    *,
    add: Iterable[tuple[str, PublicKey]] = (),
    remove: Iterable[tuple[str, str]] = (),
    threshold: int | None = None,
    deploy_threshold: int | None = None,
    now: datetime | None = None,
) -> bytes:
    """Return the next root.

    Args:
        old: The present one.
        signers: Private keys: enough for the old root's threshold, and for the new one's.
        add: Role (``root`` or ``deploy``) and key, to be trusted from now on.
        remove: Role and id of a key that is not trusted any more.
        threshold: How many must sign a change from now on; as before if not stated.
        deploy_threshold: How many must sign a deployment from now on; likewise.
        now: The time; the clock's if not stated.

    Raises:
        UsageError: A threshold can't be reached, or there is no such key.
    """
    root = Root.from_dict(old.to_dict())
    root.version += 1
    root.expires = _expire(now, ROOT_VALID)
    for role, key in add:
        for each in _roles(role):
            _add_key(root, key, each)
    for role, keyid in remove:
        for each in _roles(role):
            try:
                root.revoke_key(keyid, each)
            except ValueError:
                raise UsageError(f"the key {keyid} has no part in {role}") from None
    if threshold is not None:
        root.roles[Root.type].threshold = threshold
    if deploy_threshold is not None:
        root.roles[Targets.type].threshold = deploy_threshold
    _check_thresholds(root)
    return _sign_root(root, old, signers)


def _roles(role: str) -> tuple[str, ...]:
    return (Root.type,) if role == Root.type else _ONLINE


def _add_key(root: Root, public: PublicKey, role: str) -> None:
    public.key.unrecognized_fields["x-segue-name"] = public.name
    root.add_key(public.key, role)


def _check_thresholds(root: Root) -> None:
    for name, role in root.roles.items():
        if not 1 <= role.threshold <= len(role.keyids):
            raise UsageError(
                f"{role.threshold} signatures for {name} can't be reached with"
                f" {len(role.keyids)} keys"
            )


def _sign_root(root: Root, old: Root | None, signers: Iterable[Signer]) -> bytes:
    metadata = Metadata(root)
    _sign(metadata, signers)
    try:
        for judge in filter(None, (old, root)):
            judge.verify_delegate(Root.type, metadata.signed_bytes, metadata.signatures)
    except exceptions.UnsignedMetadataError as error:
        raise DeploymentError(
            f"the root is not signed by enough keys: {error}", hint="give more of them: --key FILE"
        ) from None
    return metadata.to_bytes()


def walk_roots(folder: Path) -> Root:
    """Return the newest root of a project: each is signed by the one before.

    Raises:
        UsageError: There is none.
        DeploymentError: One is not signed by enough of the keys before.
    """
    try:
        root = check_root((folder / FIRST_ROOT).read_bytes())
    except FileNotFoundError:
        raise UsageError("nobody may deploy this project yet", hint="segue deploy init") from None
    while (path := folder / f"{root.version + 1}.root.json").is_file():
        try:
            root = _follow_root(root, path.read_bytes())
        except (exceptions.RepositoryError, DeploymentError) as error:
            raise DeploymentError(
                f"{path} is not a good successor: {error}",
                hint="take the folder trust/ as those have it who deployed last",
            ) from None
    return root


def _follow_root(before: Root, text: bytes) -> Root:
    """Return a root that both its own keys and those of the one before have signed."""
    root = check_root(text)
    read = Metadata[Root].from_bytes(text)
    before.verify_delegate(Root.type, read.signed_bytes, read.signatures)
    if root.version != before.version + 1:
        raise DeploymentError(f"it is number {root.version}")
    return root


def list_trusted(root: Root) -> dict[str, list[PublicKey]]:
    """Return who may sign: keys by role, ``root`` and ``deploy``."""
    return {
        role: [_read_key(root, each) for each in sorted(keys)]
        for role, keys in (
            ("root", root.roles[Root.type].keyids),
            ("deploy", root.roles[Targets.type].keyids),
        )
    }


def _read_key(root: Root, keyid: str) -> PublicKey:
    key = cast("SSlibKey", root.keys[keyid])
    return PublicKey(name_of(key), keyid, key)


def sign_deployments(
    known: Known,
    deployments: Iterable[Deployment],
    bundles: Mapping[str, Path],
    signers: Sequence[Signer],
    *,
    valid: timedelta = VALID,
    now: datetime | None = None,
    whole: bool = True,
) -> dict[str, bytes]:
    """Return new signed metadata, for a hub's folder ``trust/``.

    Args:
        known: What is signed now.
        deployments: All that shall be live.
        bundles: Files of bundles that nothing is signed about yet, by target.
        signers: Private keys of those who deploy.
        valid: How long the signatures count.
        now: The time; the clock's if not stated.
        whole: Whether the keys must be enough; if not, others sign after them. Then the parts
            name each other by version only, for signatures are among their bytes.

    Raises:
        DeploymentError: The keys are not enough, or are not among those that may deploy.
    """

    def refer(version: int, text: bytes) -> MetaFile:
        return MetaFile.from_data(version, text, ["sha256"]) if whole else MetaFile(version)

    expires = _expire(now, valid)
    targets = _list_targets(known, deployments, bundles, expires)
    version = targets.version
    target_text = _sign_role(known.root, targets, signers, whole=whole)
    snapshot = Snapshot(
        version=known.snapshot.version + 1 if known.snapshot else 1,
        expires=expires,
        meta={"targets.json": refer(version, target_text)},
    )
    snapshot_text = _sign_role(known.root, snapshot, signers, whole=whole)
    timestamp = Timestamp(
        version=known.timestamp.version + 1 if known.timestamp else 1,
        expires=expires,
        snapshot_meta=refer(snapshot.version, snapshot_text),
    )
    return {
        f"{version}.targets.json": target_text,
        f"{snapshot.version}.snapshot.json": snapshot_text,
        "timestamp.json": _sign_role(known.root, timestamp, signers, whole=whole),
    }


def _list_targets(
    known: Known,
    deployments: Iterable[Deployment],
    bundles: Mapping[str, Path],
    expires: datetime,
) -> Targets:
    """Return what is to be signed about bundles, in a version after what is known."""
    version = known.targets.version + 1 if known.targets else 1
    targets = Targets(version=version, expires=expires)
    for name, listed in _group(deployments).items():
        target = _find_target(known, bundles, name)
        target.unrecognized_fields["custom"] = {"deployments": [each.signed() for each in listed]}
        targets.targets[name] = target
    return targets


def _group(deployments: Iterable[Deployment]) -> dict[str, list[Deployment]]:
    grouped: dict[str, list[Deployment]] = {}
    for each in sorted(deployments, key=lambda each: each.generation):
        grouped.setdefault(each.target, []).append(each)
    return grouped


def _find_target(known: Known, bundles: Mapping[str, Path], name: str) -> TargetFile:
    if name in bundles:
        return TargetFile.from_file(name, str(bundles[name]), ["sha256"])
    if known.targets is None or name not in known.targets.targets:
        raise DeploymentError(f"there is no bundle {name}")
    return TargetFile.from_dict(known.targets.targets[name].to_dict(), name)


def _sign_role(root: Root, signed: _T, signers: Sequence[Signer], *, whole: bool) -> bytes:
    metadata = Metadata(signed)
    allowed = root.roles[signed.type].keyids
    _sign(metadata, [each for each in signers if each.public_key.keyid in allowed])
    found = root.get_verification_result(signed.type, metadata.signed_bytes, metadata.signatures)
    if not found.signed:
        raise DeploymentError(
            "not signed by anybody who may deploy",
            hint="segue deploy keys list shows who may; give such a key: --key FILE",
        )
    if whole and found.missing:
        raise DeploymentError(
            f"signed by {len(found.signed)} of the {found.threshold} who must",
            hint="let the others sign after you: --share FILE; or name their keys: --key FILE",
        )
    return metadata.to_bytes()


def _sign(metadata: Metadata[_T], signers: Iterable[Signer]) -> None:
    for signer in signers:
        metadata.sign(signer, append=True)


def _expire(now: datetime | None, valid: timedelta) -> datetime:
    return (now or datetime.now(UTC)).replace(microsecond=0) + valid


def keep_live(deployments: Iterable[Deployment], new: Deployment) -> list[Deployment]:
    """Return what is live with a new deployment: the `KEPT` newest of each selector.

    Example:
        >>> old = [Deployment(number, "shop", "shops") for number in range(1, 9)]
        >>> [each.generation for each in keep_live(old, Deployment(9, "shop", "shops"))]
        [5, 6, 7, 8, 9]
    """
    grouped: dict[tuple[str, str], list[Deployment]] = {}
    for each in [*deployments, new]:
        grouped.setdefault((each.fleet, each.selector), []).append(each)
    kept = [each for listed in grouped.values() for each in listed[-KEPT:]]
    return sorted(kept, key=lambda each: each.generation)


def number_next(known: Known, deployment: Deployment) -> Deployment:
    """Return a deployment with the number after all others: the newest is always kept."""
    numbers = [each.generation for each in known.deployments()]
    return replace(deployment, generation=max(numbers, default=0) + 1)
