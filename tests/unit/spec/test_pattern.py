"""Patterns for other dialects mean what RE2 makes of them: DuckDB says what that is."""

import re

import pytest

from segue.registry import load_local_engine
from segue.spec.pattern_text import JAVA, POSTGRES, write_pattern
from segue.spec.sql import quote_text
from segue.spec.step import PlaceSpec

PATTERNS = r"""
A[0-9]+
^A1$
.
.*
(?s).*
(?s)a.b
(?i)stra\x{df}e
(?i)k+
(?i)[^k]
(?i:a)b
(?i)\W
(?-s).
(?U)a+
[^a-z]*
\w+
\W
\s
[[:alpha:]]+
[[:^digit:]x]+
\p{L}+
\p{Lu}\p{Ll}*
\PL+
\p{^L}+
\pN+
\bx\b.*
\B.
(?m)^a$\n^b$
a{2,3}?
a{0}
(a|b)*c
a|
(?:a|b|)+
\Qa.b\E
[\d-]+
[]a]+
[a\-z]+
[^\W\d]+
\x41
\x{e9}
[\x{e0}-\x{ff}]+
a\z
x*$
(?P<n>a)b
[[:word]+
a\_?
[.]\.
\012
""".strip().split("\n")
TEXTS = [
    *["", "A12", "A1", "A1\n", "xA12x", "a", "b", "ab", "abab", "aaa", "aa", "c", "abc", "..", "_"],
    *["K", "k", "\u212a", "ſ", "ß", "ẞ", "STRASSE", "STRAßE", "straße", "é", "É", "e\u0301"],
    *["x", "x y", " ", "\n", "\t", "\x0b", "\u00a0", "\u2028", "a\nb", "a.b", "a\r", "x\n"],
    *["1-2", "]a", "🤖", "äöü", "Äa", "à", "1", "²", "٣", "-", "aB", "AB", "Ab", "\ud7ff\ue000"],
]


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    engine = load_local_engine()
    with engine.open(PlaceSpec("here", threads=1), tmp_path_factory.mktemp("here")) as opened:
        yield opened


def compile_java(pattern):
    """Return a pattern of Java's as one of Python's, as far as it is used here."""
    spelled = re.sub(r"\\x\{([0-9A-F]+)\}", lambda code: f"\\U{int(code[1], 16):08x}", pattern)
    return re.compile(spelled.replace("\\z", "\\Z"))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_means_the_same(session, pattern):
    found = compile_java(write_pattern(pattern, JAVA, whole=True))
    listed = ", ".join(
        f"regexp_full_match({quote_text(text)}, {quote_text(pattern)}) as c{at}"
        for at, text in enumerate(TEXTS)
    )
    expected = session.fetch(f"select {listed}").to_pylist()[0].values()
    assert {text: bool(found.search(text)) for text in TEXTS} == dict(
        zip(TEXTS, expected, strict=True)
    )


@pytest.mark.parametrize(
    "pattern",
    [
        *["(?=a)b", "(?<!a)b", r"(a)\1", "a)", "(a", "[a", "a**", "a{3}{2}", "*a", r"\p{Greek}"],
        *[r"\p{Xx}", "[z-a]", r"[a-\d]", "a{1001}", "a{3,2}", r"\C", r"\Z", "(?<n>a)", "a\\"],
    ],
)
def test_what_cannot_be_carried_over_is_refused(pattern):
    with pytest.raises(ValueError, match="`"):
        write_pattern(pattern, JAVA, whole=True)


def test_postgres_counts_to_255_and_has_no_zero():
    assert write_pattern(r"[\x00-a]", POSTGRES, whole=False) == r"[\U00000001-a]"
    with pytest.raises(ValueError, match="255"):
        write_pattern("a{256}", POSTGRES, whole=True)
