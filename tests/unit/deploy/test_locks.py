"""Lock files of several tools, and what of them an edge part needs."""

import pytest

from segue.agent.packages import read_lock
from segue.deploy.locks import (
    Pin,
    find_imports,
    find_packages,
    read_pins,
    read_wheels,
    write_lock,
)
from segue.errors import UsageError

HASH = "sha256:" + "0" * 64
UV = f"""
version = 1
[[package]]
name = "Foo_Bar"
version = "1.2"
wheels = [{{url = "x", hash = "{HASH}"}}, {{url = "y"}}]
[[package]]
name = "local"
source = {{virtual = "."}}
"""
POETRY = f"""
[[package]]
name = "foo-bar"
version = "1.2"
files = [{{file = "a.whl", hash = "{HASH}"}}]
"""
LINES = f"""
# by a tool
foo.bar[extra]==1.2 ; python_version > "3" \\
    --hash={HASH}
-e .
other>=1
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [("uv.lock", UV), ("poetry.lock", POETRY), ("pdm.lock", POETRY), ("requirements.txt", LINES)],
)
def test_lock_files_of_several_tools_are_read(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_pins(tmp_path / name) == {"foo-bar": Pin("foo-bar", "1.2", (HASH,))}


def test_a_lock_that_is_written_is_read_at_nodes():
    text = write_lock([Pin("b", "2", (HASH,)), Pin("a", "1")]).decode()
    assert [(each.name, each.version) for each in read_lock(text)] == [("a", "1"), ("b", "2")]


def test_wheels_of_several_platforms_are_one_pin(tmp_path):
    for tag in ("linux_x86_64", "linux_aarch64"):
        (tmp_path / f"foo_bar-1.0-cp311-cp311-{tag}.whl").write_bytes(tag.encode())
    (pin,) = read_wheels(tmp_path).values()
    assert (pin.name, pin.version, len(pin.hashes)) == ("foo-bar", "1.0", 2)
    (tmp_path / "foo_bar-2.0-py3-none-any.whl").write_bytes(b"")
    with pytest.raises(UsageError, match="two versions"):
        read_wheels(tmp_path)


def test_a_folder_without_wheels_is_told(tmp_path):
    with pytest.raises(UsageError, match="no wheels"):
        read_wheels(tmp_path)
    with pytest.raises(UsageError, match="can't be read"):
        read_pins(tmp_path / "uv.lock")


def test_only_packages_that_modules_import_count(tmp_path):
    (tmp_path / "a.py").write_text("import os, yaml\nfrom click.core import x\nfrom . import b\n")
    assert find_imports([tmp_path / "a.py", tmp_path / "model.onnx"]) == {"yaml", "click"}
    found = find_packages(["pandas"])
    assert {"pandas", "numpy", "python-dateutil", "six"} <= found
    assert "pytest" not in found
