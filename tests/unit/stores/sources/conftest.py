import dataclasses
import os

import pytest

from segue.errors import Location
from segue.registry import load_engine, load_source
from segue.spec.step import PlaceSpec, SourceSpec


@dataclasses.dataclass
class World:
    """A project's folder with files, and an engine that reads them."""

    root: object
    scratch: object
    session: object

    def put(self, name, content=b""):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def observe(self, kind, **options):
        spec = SourceSpec("t", Location("segue.toml", 3), kind, options)
        return load_source(kind).observe(spec, self.root)

    def scan(self, kind, only=(), **options):
        spec = SourceSpec("t", Location("segue.toml", 3), kind, options)
        return load_source(kind).scan(spec, self.root, self.scratch, only)

    def read(self, kind, only=(), **options):
        self.session.bind("t", self.scan(kind, only, **options))
        return self.session.fetch("from t")

    def types(self, kind, **options):
        self.session.bind("t", self.scan(kind, **options))
        return str(self.session.describe("from t"))


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    scratch = tmp_path_factory.mktemp("engine")
    with load_engine("duckdb").open(PlaceSpec("local", threads=2), scratch) as session:
        yield session


@pytest.fixture
def world(engine, tmp_path):
    root = tmp_path / "project"
    root.mkdir()
    with engine.fork() as session:
        yield World(root, tmp_path / "scratch", session)


def touch(path, seconds):
    """Give a file another modification time."""
    os.utime(path, (seconds, seconds))
