"""Keys are made at the node and stay there."""

import stat

import pytest

from segue.errors import FleetError
from segue.wire.keys import NodeKey


def test_a_key_is_written_for_its_owner_only_and_read_again(tmp_path):
    key, path = NodeKey.make(), tmp_path / "key.pem"
    key.write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert NodeKey.read(path) == key
    assert NodeKey.read(path).sign(b"rows") == key.sign(b"rows")
    assert [each.name for each in tmp_path.iterdir()] == ["key.pem"]


def test_what_is_shown_of_a_key_is_its_public_half():
    assert "private" not in repr(NodeKey.make()).lower()


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_a_file_without_a_key_is_an_error_with_a_hint(tmp_path, content):
    path = tmp_path / "key.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FleetError) as caught:
        NodeKey.read(path)
    assert "enrol" in caught.value.hint
