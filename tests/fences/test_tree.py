"""What may not lie in the repository: registry addresses, unlocked versions, waivers."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# In parts, so that this file passes its own test.
HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("deb", "debian", "org"),
        ("security", "debian", "org"),
        ("archive", "ubuntu", "com"),
        ("conda", "anaconda", "org"),
    )
]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
LOCKED = re.compile(
    r"[a-z0-9.-]+(\[[a-z0-9,-]+\])?==[^\s;]+( ; [^\\]+)?( --hash=sha256:[0-9a-f]{64})+"
)


def project_files():
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


def test_no_file_names_a_package_registry():
    hosts = re.compile("|".join(map(re.escape, HOSTS)).encode())
    found = [
        str(path.relative_to(ROOT))
        for path in project_files()
        if path.is_file() and hosts.search(path.read_bytes())
    ]
    assert found == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_lock_has_exact_versions_and_hashes_only(lock):
    text = lock.read_text().replace("\\\n", "")
    lines = [re.sub(" +", " ", line) for line in text.splitlines() if not line.startswith("#")]
    assert lines
    assert [line for line in lines if not LOCKED.fullmatch(line)] == []


def test_locks_agree():
    pinned = {
        lock.stem: dict(
            re.findall(r"^([a-z0-9.-]+)==([^\s;]+ (?:; [^\\]+)?)", lock.read_text(), re.MULTILINE)
        )
        for lock in LOCKS
    }
    widest = pinned["dev"]
    for name in ("demo", "bench"):
        apart = {k: v for k, v in pinned[name].items() if k in widest and widest[k] != v}
        assert apart == {}, name


def test_layers_have_no_waivers():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert settings["include_external_packages"] is True
    for contract in settings["contracts"]:
        assert not [key for key in contract if "ignore" in key], contract["name"]
