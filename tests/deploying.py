"""A person who deploys, with real keys, and a hub that is a folder."""

from segue.agent.identity import IDENTITY, Identity
from segue.deploy.keys import make_key, read_signer
from segue.deploy.repository import Known, keep_live, make_root, number_next, sign_deployments
from segue.spec.edge import EdgePart, SpoolSettings, WhenFull
from segue.spec.edge_codec import write_edge
from segue.wire.bundle import EDGE, write_bundle
from segue.wire.deployment import Deployment
from segue.wire.messages import DesiredState
from segue.wire.trust import Trust
from segue.wire.trust_folder import fetch_from_folders, pin_root

PART = EdgePart("shop", "shops", (), (), (), SpoolSettings(10**6, WhenFull.BLOCK))
EDGE_PART = write_edge(PART)
CONTENT = "project/content"
"""A file in which bundles of tests differ."""


class World:
    """A person who deploys, and the folder that a hub would serve."""

    def __init__(self, folder, *, threshold=1, deployers=("ann",)):
        self.hub = folder / "hub"
        self.keys = folder / "keys"
        self.own = folder / "own"
        (self.hub / "trust").mkdir(parents=True)
        (self.hub / "targets").mkdir()
        publics = [make_key(self.keys, name)[1] for name in ("root", *deployers)]
        self.root = make_root(
            publics[:1], publics[1:], [self.signer("root")], deploy_threshold=threshold
        )
        (self.hub / "trust" / "1.root.json").write_bytes(self.root)
        pin_root(self.own, self.root)
        self.deployers = deployers
        self.path = None

    def signer(self, name):
        return read_signer(self.keys / f"{name}.key")

    def known(self):
        if (self.hub / "trust" / "timestamp.json").exists():
            Trust(self.own, fetch_from_folders(self.hub)).refresh()
            return Known.read(self.own)
        pin_root(self.own, self.root)
        (self.own / "root.json").write_bytes(self.root)
        return Known.read(self.own)

    def sign(self, content=b"", *, signers=None, now=None, files=None, **values):
        named = {EDGE: EDGE_PART, CONTENT: content, **(files or {})}
        self.path = write_bundle(self.hub / "targets", named, project="shop", fleet="shops")
        known = self.known()
        new = number_next(
            known,
            Deployment(
                **{"fleet": "shops", **values}, generation=0, project="shop", target=self.path.name
            ),
        )
        live = keep_live(known.deployments(), new)
        signers = [self.signer(name) for name in signers or self.deployers]
        return new, sign_deployments(known, live, {new.target: self.path}, signers, now=now)

    def deploy(self, content=b"", **options):
        new, files = self.sign(content, **options)
        self.publish(files)
        return new

    def publish(self, files):
        for name, text in files.items():
            (self.hub / "trust" / name).write_bytes(text)

    def node(self, folder):
        pin_root(folder, self.root)
        return Trust(folder, fetch_from_folders(self.hub))

    @property
    def fetch(self):
        return fetch_from_folders(self.hub)


def enrol(home, world, node="n1", **labels):
    """Make a folder the home of a node, as enrolment does."""
    home.mkdir(parents=True, exist_ok=True)
    identity = Identity(node, "shop", "http://127.0.0.1:1", "key", "0", labels)
    (home / IDENTITY).write_bytes(identity.dump())
    (home / "trust").mkdir(exist_ok=True)
    (home / "trust" / "root.json").write_bytes(world.root)
    return home


def desire(deployment):
    return DesiredState("r", deployment.generation, deployment.target)
