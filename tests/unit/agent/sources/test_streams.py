"""Bytes of streams cut into records."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from segue.agent.sources.lines import LineBuffer
from segue.agent.sources.syslog_frames import SyslogFrames

MOST = 20


def cut(data, cuts):
    ends = sorted({min(each, len(data)) for each in cuts} | {0, len(data)})
    return [data[begin:end] for begin, end in pairwise(ends)]


lines = st.lists(st.binary(max_size=300).map(lambda text: text.replace(b"\n", b" ") + b"\n"))


@given(lines=lines, cuts=st.lists(st.integers(0, 2000)), last=st.binary(max_size=5))
def test_lines_are_the_same_however_they_come(lines, cuts, last):
    buffer, taken = LineBuffer(), b""
    for piece in cut(b"".join(lines) + last.replace(b"\n", b"x"), cuts):
        buffer.feed(piece)
        while data := buffer.take(MOST):
            assert data.endswith(b"\n")
            assert len(data) <= MOST or data.count(b"\n") == 1
            taken += data
    kept = [line for line in lines if len(line) <= 10 * MOST + 1]
    assert taken == b"".join(kept)
    assert buffer.lost == len(lines) - len(kept)


def test_the_end_of_a_stream_is_a_line_only_if_it_was_meant():
    for whole, left, taken in ((True, 0, b"a\nb\n"), (False, 1, b"a\n")):
        buffer = LineBuffer()
        buffer.feed(b"a\nb")
        assert buffer.end(whole=whole) == left
        assert buffer.take(100) == taken


@given(
    messages=st.lists(
        st.tuples(st.binary(min_size=1, max_size=260), st.booleans()),
        max_size=20,
    ),
    cuts=st.lists(st.integers(0, 3000)),
)
def test_messages_of_syslog_are_the_same_however_they_come(messages, cuts):
    data, wanted, long = b"", [], 0
    for text, counted in messages:
        body = b"<13>" + text.replace(b"\n", b"_").replace(b"\r", b"_").replace(b"\0", b"_")
        data += b"%d %s" % (len(body), body) if counted else body + b"\n"
        if len(body) <= 10 * MOST:
            wanted.append(body)
        else:
            long += 1
    frames, taken = SyslogFrames(), []
    for piece in cut(data, cuts):
        frames.feed(piece)
        while found := frames.take_messages(MOST):
            taken += found
    while found := frames.take_messages(MOST):
        taken += found
    assert taken == wanted
    assert frames.lost == long
