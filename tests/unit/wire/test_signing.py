"""Requests are signed in one form, and anything else is refused."""

import base64
import re

import pytest

from segue.errors import SessionError, SignatureError
from segue.wire.keys import NodeKey, is_signed, name_key
from segue.wire.sessions import Sessions
from segue.wire.signing import Request, digest_body, read_key_id, sign, verify

KEY = NodeKey.from_seed(bytes(range(32)))
OTHER = NodeKey.from_seed(bytes(32))
REQUEST = Request("POST", "hub.example.com:8443", "/v1/records", "part=1", b"rows of a batch")
RFC_PARAMS = (
    '("date" "@method" "@path" "@authority" "content-type" "content-length")'
    ';created=1618884473;keyid="test-key-ed25519"'
)
SESSION = "session-0123456789"


def unpad(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signed(**changed):
    """Return the arguments of `verify` for a request that is signed well, with changes."""
    arguments = {
        "method": REQUEST.method,
        "authority": REQUEST.authority,
        "path": REQUEST.path,
        "query": REQUEST.query,
        "headers": list(sign(REQUEST, KEY, SESSION, 7).items()),
        "body": REQUEST.body,
        "public_key": KEY.public,
    }
    return {**arguments, **changed}


def replaced(name, value):
    return [(each, value if each == name else old) for each, old in signed()["headers"]]


def test_the_primitive_gives_what_rfc_9421_b_2_6_gives():
    key = NodeKey.from_seed(unpad("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU"))
    lines = [
        '"date": Tue, 20 Apr 2021 02:07:55 GMT',
        '"@method": POST',
        '"@path": /foo',
        '"@authority": example.com',
        '"content-type": application/json',
        '"content-length": 18',
        f'"@signature-params": {RFC_PARAMS}',
    ]
    signature = base64.b64decode(
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    )
    base = "\n".join(lines).encode()
    assert key.public == unpad("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs")
    assert key.sign(base) == signature
    assert is_signed(key.public, base, signature)
    assert not is_signed(key.public, base + b" ", signature)


def test_a_digest_is_that_of_rfc_9530():
    body = b'{"hello": "world"}'
    assert digest_body(body) == "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"


def test_the_headers_have_the_form_of_rfc_9421():
    headers = sign(REQUEST, KEY, SESSION, 7)
    params = (
        '("@method" "@authority" "@path" "@query" "content-digest" "segue-session"'
        f' "segue-counter");keyid="{name_key(KEY.public)}";alg="ed25519"'
    )
    base = "\n".join(
        [
            '"@method": POST',
            '"@authority": hub.example.com:8443',
            '"@path": /v1/records',
            '"@query": ?part=1',
            f'"content-digest": {digest_body(REQUEST.body)}',
            f'"segue-session": {SESSION}',
            '"segue-counter": 7',
            f'"@signature-params": {params}',
        ]
    )
    assert headers["Signature-Input"] == f"segue={params}"
    assert headers["Signature"] == f"segue=:{base64.b64encode(KEY.sign(base.encode())).decode()}:"


def test_a_request_that_is_signed_well_is_let_in():
    assert verify(**signed()) == (SESSION, 7)
    assert read_key_id(signed()["headers"]) == KEY.id
    assert verify(**signed(body=memoryview(REQUEST.body))) == (SESSION, 7)
    assert verify(**signed(authority="HUB.example.com:8443")) == (SESSION, 7)


@pytest.mark.parametrize(
    "changed",
    [
        {"body": b"rows of a batch."},
        {"body": b""},
        {"method": "GET"},
        {"authority": "other.example.com:8443"},
        {"path": "/v1/status"},
        {"path": "/v1/record%73"},
        {"query": "part=2"},
        {"query": ""},
        {"headers": replaced("Segue-Session", "session-0123456780")},
        {"headers": replaced("Segue-Counter", "8")},
        {"headers": replaced("Content-Digest", digest_body(b"")), "body": b""},
    ],
    ids=str,
)
def test_a_request_that_was_changed_is_refused(changed):
    with pytest.raises(SignatureError):
        verify(**signed(**changed))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (' "content-digest"', ""),
        (' "@query"', ""),
        (' "segue-counter"', ""),
        ('"@method" "@authority"', '"@authority" "@method"'),
        ('"@path"', '"@path" "@path"'),
        ('"content-digest"', '"content-digest";bs'),
        ('alg="ed25519"', 'alg="hmac-sha256"'),
        (';alg="ed25519"', ""),
        (";keyid=", ";created=1618884473;keyid="),
        ("segue=", "sig1="),
    ],
)
def test_another_form_is_refused_even_if_its_signature_fits(old, new):
    told = dict(signed()["headers"])
    form = told["Signature-Input"].replace(old, new)
    assert form != told["Signature-Input"]
    values = {
        "@method": REQUEST.method,
        "@authority": REQUEST.authority,
        "@path": REQUEST.path,
        "@query": f"?{REQUEST.query}",
        **{name.lower(): value for name, value in told.items()},
    }
    _, _, params = form.partition("=")
    covered = re.findall(r'"([^"]+)"', params[: params.index(")")])
    lines = [f'"{name}": {values[name]}' for name in covered]
    base = "\n".join([*lines, f'"@signature-params": {params}'])
    signature = base64.b64encode(KEY.sign(base.encode())).decode()
    headers = {**told, "Signature-Input": form, "Signature": f"segue=:{signature}:"}
    with pytest.raises(SignatureError, match="exactly"):
        verify(**signed(headers=headers.items()))


@pytest.mark.parametrize("position", range(5))
def test_a_header_that_is_there_twice_or_not_is_refused(position):
    headers = signed()["headers"]
    with pytest.raises(SignatureError, match="twice"):
        verify(**signed(headers=[*headers, headers[position]]))
    with pytest.raises(SignatureError, match="missing"):
        verify(**signed(headers=[*headers[:position], *headers[position + 1 :]]))


def test_a_second_signature_beside_the_first_is_refused():
    told = dict(signed()["headers"])
    for name in ("Signature-Input", "Signature"):
        more = f"{told[name]}, {told[name].replace('segue=', 'other=')}"
        with pytest.raises(SignatureError):
            verify(**signed(headers=replaced(name, more)))


def test_another_key_is_refused():
    with pytest.raises(SignatureError, match="another key"):
        verify(**signed(public_key=OTHER.public))
    by_other = list(sign(REQUEST, OTHER, SESSION, 7).items())
    with pytest.raises(SignatureError, match="another key"):
        verify(**signed(headers=by_other))
    named = [(name, value.replace(OTHER.id, KEY.id)) for name, value in by_other]
    with pytest.raises(SignatureError, match="does not fit"):
        verify(**signed(headers=named))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Segue-Counter", "07"),
        ("Segue-Counter", "-7"),
        ("Segue-Counter", "٧"),
        ("Segue-Counter", "9" * 16),
        ("Segue-Session", "short"),
        ("Segue-Session", "with space 0123456789"),
        ("Signature", "segue=:AAAA:"),
        ("Signature", ""),
    ],
)
def test_odd_values_are_refused(name, value):
    with pytest.raises(SignatureError):
        verify(**signed(headers=replaced(name, value)))


def test_a_replay_is_refused():
    sessions = Sessions()
    session = sessions.open(sessions.challenge(), KEY.id)
    sessions.admit(session, KEY.id, 1)
    sessions.admit(session, KEY.id, 5)
    for counter in (0, 1, 4, 5):
        with pytest.raises(SignatureError, match="seen before"):
            sessions.admit(session, KEY.id, counter)
    sessions.admit(session, KEY.id, 6)


def test_a_challenge_opens_one_session_and_a_session_serves_one_key():
    sessions = Sessions()
    challenge = sessions.challenge()
    session = sessions.open(challenge, KEY.id)
    for again in (challenge, "c" * 32):
        with pytest.raises(SessionError):
            sessions.open(again, KEY.id)
    with pytest.raises(SessionError):
        sessions.admit(session, OTHER.id, 1)
    sessions.forget(KEY.id)
    with pytest.raises(SessionError):
        sessions.admit(session, KEY.id, 1)


def test_memory_of_sessions_is_bounded_and_keeps_those_in_use():
    sessions = Sessions(most=3)
    first, second, third = (sessions.open(sessions.challenge(), KEY.id) for _ in range(3))
    sessions.admit(first, KEY.id, 1)
    sessions.open(sessions.challenge(), KEY.id)
    sessions.admit(first, KEY.id, 2)
    with pytest.raises(SessionError):
        sessions.admit(second, KEY.id, 1)
    sessions.admit(third, KEY.id, 1)
    challenges = [sessions.challenge() for _ in range(4)]
    with pytest.raises(SessionError):
        sessions.open(challenges[0], KEY.id)
