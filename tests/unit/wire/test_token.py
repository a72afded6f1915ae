"""A token is one string, and its secret is not shown."""

import base64

import pytest

from segue.errors import EnrolmentError
from segue.wire.token import Token

TOKEN = Token("https://hub.example.com:8443", "s3cret", "till-7", "shops", "ab" * 32, "cd" * 32)


def test_a_token_survives_its_string():
    text = TOKEN.write()
    assert Token.parse(f"  {text}\n") == TOKEN
    assert text.replace("-", "").replace("_", "").isalnum()
    assert "s3cret" not in repr(TOKEN)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "[]",
        "é",
        base64.b64encode(b"[" * 5000).decode(),
        "A" * 9000,
        TOKEN.write()[:40],
        base64.b64encode(b'{"hub": 1, "secret": "", "node": "", "project": ""}').decode(),
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(EnrolmentError, match="no enrolment token"):
        Token.parse(text)
