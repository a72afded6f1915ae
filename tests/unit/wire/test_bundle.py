"""Bundles: equal content is equal bytes, and anything odd is refused whole."""

import hashlib
import io
import json
import os
import stat
import struct
import zipfile
import zlib

import pytest

from segue.errors import BundleError
from segue.wire.archive import Limits, find_odd_name, read_members
from segue.wire.bundle import (
    EDGE,
    MANIFEST,
    read_file,
    read_manifest,
    read_target,
    unpack_bundle,
    write_bundle,
)

FILES = {EDGE: b"{}", "project/steps/clean.py": b"x = 1\n", "tables/stores.arrow": b"\0" * 300}


@pytest.fixture
def bundle(tmp_path):
    return write_bundle(tmp_path / "bundles", FILES, project="shop", fleet="shops")


def test_equal_content_gives_equal_bytes(tmp_path, bundle):
    files = dict(reversed(FILES.items()))
    (tmp_path / "stores.arrow").write_bytes(files["tables/stores.arrow"])
    os.utime(tmp_path / "stores.arrow", (0, 0))
    files["tables/stores.arrow"] = tmp_path / "stores.arrow"

    again = write_bundle(tmp_path / "again", files, project="shop", fleet="shops")

    assert again.name == bundle.name
    assert again.read_bytes() == bundle.read_bytes()
    assert read_target(bundle.name) == hashlib.sha256(bundle.read_bytes()).hexdigest()


def test_a_bundle_is_a_zip_file_that_others_read(bundle):
    with zipfile.ZipFile(bundle) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == sorted([*FILES, MANIFEST])
        assert archive.read(EDGE) == FILES[EDGE]


def test_a_bundle_is_unpacked(tmp_path, bundle):
    manifest = unpack_bundle(bundle, tmp_path / "slots" / "1")

    assert (manifest.project, manifest.fleet) == ("shop", "shops")
    for name, content in FILES.items():
        assert (tmp_path / "slots" / "1" / name).read_bytes() == content
    assert [each.name for each in (tmp_path / "slots").iterdir()] == ["1"]
    assert read_file(bundle, EDGE) == b"{}"
    assert read_manifest(bundle) == manifest


def test_a_compressed_bundle_is_read_too(tmp_path, bundle):
    packed = rezip(bundle, tmp_path / "packed.zip", zipfile.ZIP_DEFLATED)
    unpack_bundle(packed, tmp_path / "out")
    assert (tmp_path / "out" / "tables/stores.arrow").read_bytes() == b"\0" * 300


def rezip(bundle, path, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(path, "w", method) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name), old.read(name), method)
    return path


def zip_of(names, *, manifest=None, change=lambda info: None, method=zipfile.ZIP_STORED):
    """Return a zip file with a manifest that fits, written by the standard library."""
    out = io.BytesIO()
    digests = {name: hashlib.sha256(b"x").hexdigest() for name in names}
    document = {"format": 1, "project": "shop", "fleet": "shops", "files": digests}
    document |= manifest or {}
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo(MANIFEST), json.dumps(document))
        for name in names:
            info = zipfile.ZipInfo("place")
            info.filename = name
            change(info)
            archive.writestr(info, b"x", method)
    return out.getvalue()


def change_attr(mode, dos=0):
    def change(info):
        info.external_attr = mode << 16 | dos

    return change


def change_field(name, value):
    return lambda info: setattr(info, name, value)


NAMES = {
    "parent": ["../evil"],
    "parent inside": ["a/../../evil"],
    "parent at the end": ["a/.."],
    "here": ["./a"],
    "absolute": ["/etc/passwd"],
    "two slashes": ["a//b"],
    "backslash": ["a\\b"],
    "backslash parent": ["..\\evil"],
    "drive": ["C:evil"],
    "stream": ["a:evil"],
    "folder": ["a/"],
    "twice": ["a", "a"],
    "twice by case": ["Steps/a", "steps/A"],
    "twice by normal form": ["\u00e9", "e\u0301"],
    "not composed": ["e\u0301"],
    "twice by compatibility": ["\ufb01", "fi"],
    "file and folder": ["a", "a/b"],
    "file and folder by case": ["A", "a/b"],
    "nothing": [""],
    "nul": ["a\x01b"],
    "newline": ["a\nb"],
    "right to left": ["a\u202eb"],
    "dot at the end": ["a."],
    "space at the end": ["a "],
    "long part": ["a" * 300],
    "long": ["a/" * 600 + "b"],
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_odd_names_are_refused(tmp_path, names):
    check_refused(tmp_path, zip_of(names))


def flip_flags(data, bit):
    """Set a flag of every member, in both places."""
    out = bytearray(data)
    for sign, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        found = data.find(sign)
        while found >= 0:
            out[found + at] |= bit
            found = data.find(sign, found + 1)
    return bytes(out)


def change_first(data, old, new):
    at = data.index(old, data.index(b"PK\x03\x04", 4))
    return data[:at] + new + data[at + len(old) :]


def change_number(data, at, number):
    begin = data.rindex(b"PK\x01\x02") + at
    return data[:begin] + struct.pack("<L", number) + data[begin + 4 :]


def end_comment(data):
    return data[:-2] + struct.pack("<H", 4) + b"more"


def hide_entry():
    """Leave a member between two others out of the list at the end."""
    data = zip_of(["a", "b", "c"], manifest={"files": {}})
    start = data.index(b"PK\x01\x02")
    listed = [b"PK\x01\x02" + part for part in data[start:].split(b"PK\x01\x02")[1:]]
    end = listed[-1].index(b"PK\x05\x06")
    listed[-1] = listed[-1][:end]
    del listed[1]
    body = data[:start] + b"".join(listed)
    size = len(body) - start
    return body + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 3, 3, size, start, 0)


def overlap():
    """Let two names of the list share one member's data, as a bomb of many would."""
    data = zip_of(["a"], manifest={"files": {"a": hashlib.sha256(b"x").hexdigest()}})
    start, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    entry = data[data.rindex(b"PK\x01\x02") : end]
    listed = data[start:end] + entry
    return (
        data[:start]
        + listed
        + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 3, 3, len(listed), start, 0)
    )


HOSTILE = {
    "symbolic link": lambda: zip_of(["a"], change=change_attr(stat.S_IFLNK | 0o777)),
    "device": lambda: zip_of(["a"], change=change_attr(stat.S_IFCHR | 0o666)),
    "pipe": lambda: zip_of(["a"], change=change_attr(stat.S_IFIFO | 0o666)),
    "folder by mode": lambda: zip_of(["a"], change=change_attr(stat.S_IFDIR | 0o755)),
    "folder by flag": lambda: zip_of(["a"], change=change_attr(stat.S_IFREG | 0o644, 0x10)),
    "comment": lambda: zip_of(["a"], change=change_field("comment", b"hidden")),
    "extra": lambda: zip_of(["a"], change=change_field("extra", b"\x99\x99\x02\x00zz")),
    "unicode path": lambda: zip_of(
        ["a"], change=change_field("extra", struct.pack("<HHBL", 0x7075, 6, 1, 0) + b"b")
    ),
    "other packing": lambda: zip_of(["a"], method=zipfile.ZIP_BZIP2),
    "lzma": lambda: zip_of(["a"], method=zipfile.ZIP_LZMA),
    "not in the manifest": lambda: zip_of(["a"], manifest={"files": {}}),
    "only in the manifest": lambda: zip_of([], manifest={"files": {"a": "00" * 32}}),
    "another digest": lambda: zip_of(["a"], manifest={"files": {"a": "00" * 32}}),
    "no digest": lambda: zip_of(["a"], manifest={"files": {"a": None}}),
    "files are a list": lambda: zip_of(["a"], manifest={"files": ["a"]}),
    "another format": lambda: zip_of(["a"], manifest={"format": 2}),
    "no project": lambda: zip_of(["a"], manifest={"project": None}),
    "data before": lambda: b"#!/bin/sh\n" + zip_of(["a"]),
    "data after": lambda: zip_of(["a"]) + b"more",
    "two archives": lambda: zip_of(["a"]) + zip_of(["b"]),
    "empty": lambda: b"",
    "no zip": lambda: b"PK" * 100,
    "cut off": lambda: zip_of(["a"])[:-1],
    "encrypted": lambda: flip_flags(zip_of(["a"]), 0x1),
    "data descriptor": lambda: flip_flags(zip_of(["a"]), 0x8),
    "strong encryption": lambda: flip_flags(zip_of(["a"]), 0x40),
    "no manifest": lambda: zip_of(["a"]).replace(b"manifest.json", b"manifest.jsom"),
    "other name before the data": lambda: change_first(zip_of(["aaaa"]), b"aaaa", b"bbbb"),
    "two sizes": lambda: change_number(zip_of(["a"]), 24, 2),
    "end comment": lambda: end_comment(zip_of(["a"])),
    "entry hidden from the list": hide_entry,
    "entries that overlap": overlap,
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_hostile_archives_are_refused(tmp_path, make):
    check_refused(tmp_path, make())


def check_refused(tmp_path, data, limits=None):
    path = tmp_path / "bundle.zip"
    path.write_bytes(data)
    target = tmp_path / "slots" / "1"
    with pytest.raises(BundleError):
        unpack_bundle(path, target, limits or Limits())
    assert list(target.parent.iterdir()) == []
    assert {each.name for each in tmp_path.iterdir()} == {"bundle.zip", "slots"}


def test_a_good_archive_of_the_standard_library_is_taken(tmp_path):
    """The table above refuses for what it says, not for how it was made."""
    path = tmp_path / "bundle.zip"
    path.write_bytes(zip_of(["a", "b/c", "b/é"]))
    unpack_bundle(path, tmp_path / "out")
    assert (tmp_path / "out" / "b" / "é").read_bytes() == b"x"


def bomb(told):
    """Return an archive with 64 MB of zeros in it that says it has `told` bytes."""
    content = b"\0" * (64 << 20)
    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = pack.compress(content) + pack.flush()
    name = b"tables/bomb"
    fields = (20, 0, 8, 0, 0x21, zlib.crc32(content), len(packed), told, len(name), 0)
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", *fields) + name + packed
    central = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, *fields, 0, 0, 0, 0, 0) + name
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(central), len(local), 0)
    return local + central + end


@pytest.mark.parametrize("told", [64 << 20, 10, 0])
def test_what_unpacks_to_too_much_is_refused_before_it_has(tmp_path, told, monkeypatch):
    from segue.wire import archive

    data = io.BytesIO(bomb(told))
    limits = Limits(member_bytes=8 << 20, bytes=16 << 20)
    if told > limits.member_bytes:
        with pytest.raises(BundleError, match="more than"):
            read_members(data, limits)
        return
    (member,) = read_members(data, limits)
    seen = []
    with pytest.raises(BundleError, match="unpacks to more than it says"):
        seen.extend(map(len, archive.read_member(data, member)))
    assert sum(seen) <= told


def test_too_many_or_too_large_is_refused(tmp_path):
    names = [f"f{number}" for number in range(20)]
    check_refused(tmp_path, zip_of(names), Limits(members=20))
    (tmp_path / "slots").rmdir()
    check_refused(tmp_path, zip_of(names), Limits(bytes=1000))


def test_a_refused_bundle_leaves_what_was_there(tmp_path, bundle):
    unpack_bundle(bundle, tmp_path / "slots" / "1")
    path = tmp_path / "bad.zip"
    path.write_bytes(zip_of(["a"], manifest={"files": {"a": "00" * 32}}))

    with pytest.raises(BundleError, match="differs"):
        unpack_bundle(path, tmp_path / "slots" / "1")

    assert (tmp_path / "slots" / "1" / EDGE).read_bytes() == b"{}"


@pytest.mark.parametrize("name", ["../x", MANIFEST, "a\\b"])
def test_odd_bundles_are_not_written(tmp_path, name):
    with pytest.raises(BundleError):
        write_bundle(tmp_path, {EDGE: b"{}", name: b""}, project="shop", fleet="shops")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("target", ["bundle-x.zip", "../bundle-" + "a" * 64 + ".zip", "x"])
def test_names_that_are_no_bundles_are_refused(target):
    with pytest.raises(BundleError):
        read_target(target)


def test_names_of_modules_are_not_odd():
    for name in ["project/steps/__init__.py", "wheels/a-1.0-py3-none-any.whl", "données/é.csv"]:
        assert find_odd_name(name) == ""
