"""Bundles with random damage: refused, or read just as the standard library reads them."""

import tempfile
import zipfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from segue.errors import BundleError
from segue.wire.archive import find_odd_name
from segue.wire.bundle import EDGE, MANIFEST, unpack_bundle, write_bundle

NAMES = st.text(
    st.one_of(st.sampled_from("ab./\\: AéE\u0301\0\n"), st.characters(codec="utf-8")), max_size=12
)
FOLDER = Path(tempfile.gettempdir())


def make(folder):
    files = {EDGE: b'{"a": 1}', "project/é.py": b"x = 1\n" * 5, "tables/t.arrow": bytes(range(64))}
    return write_bundle(folder, files, project="shop", fleet="shops")


@settings(max_examples=300)
@given(data=st.data())
def test_a_damaged_bundle_is_refused_or_harmless(data):
    with tempfile.TemporaryDirectory(dir=FOLDER) as name:
        folder = Path(name)
        path = make(folder / "bundles")
        good = content = path.read_bytes()
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(content) - 1))
            kind = data.draw(st.sampled_from(["set", "cut", "insert", "copy"]))
            if kind == "set":
                content = content[:at] + bytes([data.draw(st.integers(0, 255))]) + content[at + 1 :]
            elif kind == "cut":
                content = content[:at] + content[at + data.draw(st.integers(1, 40)) :]
            elif kind == "insert":
                content = content[:at] + data.draw(st.binary(max_size=8)) + content[at:]
            else:
                other = data.draw(st.integers(0, len(content)))
                content = content[:at] + content[other : other + 60] + content[at:]
            if not content:
                break
        path.write_bytes(content)
        target = folder / "slots" / "1"
        try:
            unpack_bundle(path, target)
        except BundleError:
            assert not target.exists()
            assert {each.name for each in folder.iterdir()} == {"bundles", "slots"}
            assert not list(target.parent.iterdir())
            return
        with zipfile.ZipFile(path) as archive:
            read = {info.filename: archive.read(info) for info in archive.infolist()}
        found = {
            str(each.relative_to(target)): each.read_bytes()
            for each in target.rglob("*")
            if each.is_file()
        }
        assert found == read
        assert content == good or found.keys() >= {EDGE, MANIFEST}


@given(names=st.sets(NAMES, max_size=6))
def test_what_is_written_is_read_or_both_are_refused(names):
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        files = {name: name.encode() for name in names} | {EDGE: b"{}"}
        try:
            path = write_bundle(Path(folder), files, project="p", fleet="f")
        except BundleError:
            return
        assert not any(map(find_odd_name, names))
        unpack_bundle(path, Path(folder) / "out")
        for name in names:
            place = Path(folder) / "out" / name
            assert place.read_bytes() == files[name]
            assert place.resolve().is_relative_to((Path(folder) / "out").resolve())
