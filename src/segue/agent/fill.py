"""Fill a slot: check what is signed, fetch the bundle, unpack it, find its packages.

Run as ``python -m segue.agent.fill`` by the supervisor, in a process of its own that ends when
it is done: signatures, TLS certificates of packages and pip are heavy, and an idle agent is
small. It has no key of the node and no connection: it asks its parent for each file of the
hub, a line of JSON out and a line in.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from segue.agent.order import Order, tell_error
from segue.agent.slots import FOLDER, LOCK
from segue.errors import BundleError, DeploymentError, HubError, SegueError, name_disk_fault
from segue.failpoints import pass_point
from segue.spec.edge_codec import read_edge
from segue.spec.secrets import fill_secrets
from segue.wire.bundle import EDGE, Manifest, digest_file, read_target, unpack_bundle
from segue.wire.bundle import LOCK as LOCK_FILE
from segue.wire.deployment import Deployment
from segue.wire.trust_folder import Fetch

if TYPE_CHECKING:
    from segue.spec.edge import EdgePart


def fill_slot(order: Order, fetch: Fetch) -> Deployment:
    """Fill the slot of a generation, wholly or not at all.

    Raises:
        DeploymentError: It is not signed, too old, for other nodes, or its packages are missing.
        BundleError: There is something odd in its bundle.
        HubError: The hub can't be reached.
    """
    from segue.agent.packages import provide_packages
    from segue.wire.trust import Trust

    read_target(order.target)
    home = Path(order.home)
    trust = Trust(home / "trust", fetch)
    deployment = _choose(order, trust.refresh())
    slot = home / FOLDER / str(order.generation)
    bundle = home / FOLDER / f".{order.generation}.zip"
    try:
        trust.fetch_bundle(order.target, bundle)
        pass_point("deploy.fetched")
        _check_content(deployment, unpack_bundle(bundle, slot), slot)
        pass_point("deploy.unpacked")
        provide_packages(slot, deployment.needs)
    except BaseException:
        shutil.rmtree(slot, ignore_errors=True)
        raise
    finally:
        bundle.unlink(missing_ok=True)
    return deployment


def _choose(order: Order, deployments: list[Deployment]) -> Deployment:
    """Return the deployment that an order means, if it is signed so and newer."""
    number = order.generation
    found = [each for each in deployments if each.generation == number]
    if not found:
        raise DeploymentError(f"nobody has signed a deployment {number}: the hub can't make one")
    if found[0].target != order.target or len(found) > 1:
        raise DeploymentError(f"deployment {number} is signed for another bundle than told")
    if number <= order.highest:
        raise DeploymentError(
            f"deployment {number} is older than {order.highest}, which this node has had",
            hint="going back is a new deployment: segue rollback",
        )
    if misfit := found[0].find_misfit(order.node, order.project, order.labels):
        raise DeploymentError(f"deployment {number} is not for this node: {misfit}")
    return found[0]


def _check_content(deployment: Deployment, manifest: Manifest, slot: Path) -> None:
    """Hold what a bundle says of itself to what is signed about it, and to what runs here."""
    signed = (deployment.project, deployment.fleet)
    if (manifest.project, manifest.fleet) != signed:
        raise BundleError(f"the bundle is of {manifest.project}/{manifest.fleet}, not of {signed}")
    lock = slot / LOCK_FILE
    if (digest_file(lock) if lock.is_file() else "") != deployment.lock:
        raise BundleError("the bundle has another lock file than was signed")
    part = read_edge((slot / EDGE).read_bytes())
    if (part.project, part.fleet) != signed:
        raise BundleError(f"the bundle runs {part.project}/{part.fleet}, not {signed}")
    _check_secrets(part)


def _check_secrets(part: EdgePart) -> None:
    """Hold that secrets are set here without which rows, or letters, could not go their way.

    Such a node is refused before anything runs, so that what runs now goes on.
    """
    named: list[tuple[str, Any]] = [(each.name, dict(each.options)) for each in part.sources]
    named += [(each.name, dict(each.options)) for each in part.destinations]
    named += [(f"alert {each.name}", each.send) for each in part.alerts]
    for name, stated in named:
        try:
            fill_secrets(stated, os.environ)
        except KeyError as error:
            raise DeploymentError(
                f"{name}: the environment variable {error.args[0]} is not set at this node",
                hint="set it for the agent, such as by systemctl edit segue-agent, and restart it",
            ) from None


def fetch_from_parent(out: IO[str], back: IO[str]) -> Fetch:
    """Return what asks the parent for files of the hub."""

    def fetch(path: str, into: Path, most: int) -> None:
        print(json.dumps({"get": path, "into": str(into), "most": most}), file=out, flush=True)
        answer = json.loads(back.readline() or '{"error": {"message": "the agent has ended"}}')
        if answer.get("missing"):
            raise FileNotFoundError(path)
        if told := answer.get("error"):
            raise HubError(told["message"], hint=told.get("hint", ""))

    return fetch


def main() -> None:
    """Fill the slot that a line on standard input names; the last line out tells how it went."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever prints, pip or a package, is no line of the protocol
    order = Order.read(json.loads(sys.stdin.readline()))
    folder = Path(order.home) / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / LOCK).open("w") as lock:
            # One that was left by a dead agent is at its end soon: it asks for no more files.
            fcntl.flock(lock, fcntl.LOCK_EX)
            filled = fill_slot(order, fetch_from_parent(out, sys.stdin))
        told: dict[str, Any] = {"filled": asdict(filled)}
    except SegueError as error:
        told = {"error": tell_error(error)}
    except OSError as error:
        told = {"error": tell_error(name_disk_fault(error, folder))}
    print(json.dumps(told), file=out, flush=True)


if __name__ == "__main__":
    main()
