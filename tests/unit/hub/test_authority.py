"""Certificates of a hub: made once, kept, and never replaced behind the backs of nodes."""

import asyncio

import pytest

from segue.errors import StorageError, UsageError
from segue.hub.authority import given_certificates, prepare_authority, read_root
from segue.hub.certificates import Reload, choose_name, hold_certificates
from segue.hub.serving import Listen, Renewal, find_certificates
from tests.fleet.link.roots import make_root, renew

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


def test_a_root_without_a_certificate_is_no_way_to_start(tmp_path):
    with pytest.raises(UsageError, match="--ca is the root of --cert"):
        find_certificates(Listen(root=tmp_path / "root.pem"), tmp_path)


def give(root, *, ca=True):
    """Return certificates as a user brings them."""
    path = root.certificate.with_name("root.pem")
    path.write_text(root.ca)
    return given_certificates(root.certificate, root.certificate, path if ca else None)


def test_certificates_that_nodes_would_not_trust_are_told_at_the_start(tmp_path):
    good, other = make_root(tmp_path / "good"), make_root(tmp_path / "other")
    hold_certificates(give(good), ("127.0.0.1",))
    with pytest.raises(UsageError, match=r"no certificate for localhost: it is for 127\.0\.0\.1"):
        hold_certificates(give(good), ("127.0.0.1", "localhost"))
    with pytest.raises(UsageError, match="unable to get") as caught:
        hold_certificates(give(good, ca=False), ("127.0.0.1",))
    assert "--ca" in caught.value.hint
    give(good)
    (tmp_path / "good" / "root.pem").write_text(other.ca)
    swapped = given_certificates(good.certificate, good.certificate, tmp_path / "good" / "root.pem")
    with pytest.raises(UsageError, match="unable to get"):
        hold_certificates(swapped, ("127.0.0.1",))
    assert choose_name(give(good), "0.0.0.0") == "127.0.0.1"  # no address to listen on


def test_a_certificate_that_has_ended_is_told_and_served(tmp_path, caplog):
    """Nodes whose clocks are known to be wrong still take it."""
    hold_certificates(give(make_root(tmp_path / "a", days=-1)), ("127.0.0.1",))
    assert "certificate has expired" in caplog.text


def test_certificates_that_somebody_renews_are_taken_without_a_restart(tmp_path):
    root, loaded = make_root(tmp_path / "a"), []
    look = Reload(give(root), ("127.0.0.1",), lambda *files: loaded.append(files))
    look()
    assert loaded == []
    renew(root, days=60)
    look()
    look()
    assert loaded == [(root.certificate, root.certificate)]
    root.certificate.write_bytes(b"half of it")
    with pytest.raises(UsageError, match="don't fit together"):
        look()
    another = make_root(tmp_path / "b")
    root.certificate.write_bytes(another.certificate.read_bytes())
    with pytest.raises(UsageError, match="unable to get"):
        look()
    assert len(loaded) == 1


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
