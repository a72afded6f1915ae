"""Certificates of a hub: made once, kept, and never replaced behind the backs of nodes."""

import asyncio

import pytest

from segue.errors import StorageError, UsageError
from segue.hub.authority import given_certificates, prepare_authority, read_root
from segue.hub.serving import Renewal

NAMES = ("localhost",)


def test_certificates_are_made_once(tmp_path):
    made = prepare_authority(tmp_path, NAMES)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert prepare_authority(tmp_path, NAMES) == made
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_root_that_nodes_have_pinned_is_not_replaced(tmp_path):
    made = prepare_authority(tmp_path, NAMES)
    pinned = read_root(made)
    (tmp_path / "ca-key.pem").unlink()
    with pytest.raises(StorageError, match=r"ca-key\.pem is missing") as caught:
        prepare_authority(tmp_path, NAMES)
    assert "backup" in caught.value.hint
    assert read_root(made) == pinned


def test_an_authority_that_was_cut_short_is_made_again(tmp_path):
    prepare_authority(tmp_path, NAMES)
    (tmp_path / "ca.pem").unlink()  # the key is written first
    assert read_root(prepare_authority(tmp_path, NAMES))


def test_a_root_that_is_given_and_none_is_told(tmp_path):
    made = prepare_authority(tmp_path / "hub", NAMES)
    for text in (b"no certificate", b"\xff\xfe", made.key.read_bytes()):
        (tmp_path / "root.pem").write_bytes(text)
        with pytest.raises(UsageError, match=r"root\.pem holds no certificate"):
            given_certificates(made.certificate, made.key, tmp_path / "root.pem")


def test_a_renewal_that_fails_is_tried_again():
    faults = [StorageError("no room"), OSError("no room"), None]

    async def play():
        renewed = asyncio.Event()

        def renew():
            if not faults:
                renewed.set()
            elif (fault := faults.pop(0)) is not None:
                raise fault

        Renewal(renew, seconds=0.0, again=0.0).begin()
        await renewed.wait()

    asyncio.run(play())
