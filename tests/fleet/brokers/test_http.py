"""The HTTP source: answered once the spool has it, repeats counted once, nothing for strangers."""

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from segue.errors import SourceError
from tests.fleet.brokers.taking import Taken, make_source, open_reader, take, take_chunk
from tests.fleet.waiting import wait_for
from tests.receivers import find_port


@pytest.fixture
def taken(tmp_path):
    with closing(Taken(tmp_path / "taken.db")) as file:
        yield file


def options(**more):
    return {"listen": "127.0.0.1:0", **more}


def post(port, body, path="/", method="POST", **headers):
    """Post a body; return the status and the document of the answer."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text.startswith(b"{") else text


class Poster(threading.Thread):
    """Posts in a thread of its own; `answer` is there after `join`."""

    def __init__(self, *words, **headers):
        super().__init__()
        self.words, self.headers, self.answer = words, headers, None
        self.start()

    def run(self):
        self.answer = post(*self.words, **self.headers)

    def wait(self):
        self.join()
        return self.answer


@pytest.fixture
def opening(tmp_path, taken):
    opened = []

    def open_(format_="json", **more):
        source = make_source("http", options(**more), format_=format_)
        opened.append(open_reader(source, taken, tmp_path, seconds=0))
        return opened[-1]

    yield open_
    for each in opened:
        each.close()


def count(lines):
    return lambda found: len(found) >= lines


def test_an_answer_means_that_the_spool_has_it(opening, taken):
    reader = opening()
    poster = Poster(reader.port, b'{"a":1}\n\n{"a":2}')
    chunk = reader.read(1000, 10)
    assert poster.is_alive()
    take_chunk(reader, taken, chunk)
    assert poster.wait() == (200, {"records": 2})
    assert taken.lines() == ['{"a":1}', '{"a":2}']
    assert reader.exhausted()


def test_gzip_and_documents(opening, taken):
    reader = opening()
    posters = [
        Poster(reader.port, gzip.compress(b'{"a":1}\n'), Content_Encoding="gzip"),
        Poster(reader.port, b'[{"a": 2}, {"a": 3}]'),
        Poster(reader.port, b'{\n "a": 4\n}'),
    ]
    take(reader, taken, count(4))
    assert {poster.wait()[0] for poster in posters} == {200}
    assert sorted(taken.lines()) == ['{"a":1}', '{"a":2}', '{"a":3}', '{"a":4}']


def test_a_repeat_is_counted_once_also_by_the_next_process(opening, taken):
    reader = opening()
    first = Poster(reader.port, b'{"a":1}', Idempotency_Key="k1")
    wait_for(lambda: not reader.exhausted())
    second = Poster(reader.port, b'{"a":1}', Idempotency_Key="k1")  # while the first one waits
    take(reader, taken, count(1))
    assert first.wait() == second.wait() == (200, {"records": 1})
    assert post(reader.port, b'{"a":1}', Idempotency_Key="k1") == (200, {"records": 1})
    assert post(reader.port, b'{"a":9}', Idempotency_Key="k1")[0] == 422
    reader.close()
    later = opening()
    assert post(later.port, b'{"a":1}', Idempotency_Key="k1") == (200, {"records": 1})
    assert later.read(1000, 0.05) is None
    assert taken.lines() == ['{"a":1}']


def test_killed_between_spool_and_answer_a_repeat_is_counted_once(tmp_path, taken):
    port = find_port()
    told = {
        "path": str(tmp_path / "taken.db"),
        "scratch": str(tmp_path),
        "kind": "http",
        "options": {"listen": f"127.0.0.1:{port}"},
        "schema": "a: int64",
        "lines": 100,
        "most": 1000,
    }
    sent = 0
    for round_ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.fleet.brokers.taking", json.dumps(told)],
            env={**os.environ, "SEGUE_FAILPOINT": f"deliver.written=kill@{round_ + 1}"},
            cwd=Path(__file__).parents[3],
        )
        while True:
            try:
                status, _ = post(port, b'{"a":%d}' % sent, Idempotency_Key=str(sent))
            except OSError:
                if process.poll() is not None:
                    break
            else:
                assert status == 200
                sent += 1
        assert process.wait() == -signal.SIGKILL
    told["options"]["listen"] = "127.0.0.1:0"
    source = make_source("http", told["options"])
    with closing(open_reader(source, taken, tmp_path)) as reader:
        again = Poster(reader.port, b'{"a":%d}' % sent, Idempotency_Key=str(sent))
        assert again.wait()[0] == 200
        assert reader.read(1000, 0) is None
    assert taken.lines() == [f'{{"a":{n}}}' for n in range(sent + 1)]


def test_a_spool_without_room_is_said_so(opening, taken):
    reader = opening(timeout="200ms", queue=100)
    assert post(reader.port, b'{"a":1}')[0] == 503  # nobody reads: it is not taken
    assert reader.exhausted()
    waiting = Poster(reader.port, b'{"a":"' + b"x" * 80 + b'"}')
    wait_for(lambda: not reader.exhausted())
    assert post(reader.port, b'{"a":"' + b"x" * 80 + b'"}')[0] == 503
    assert waiting.wait()[0] == 503
    assert reader.read(1000, 0) is None
    assert taken.lines() == []


def test_strangers_and_odd_requests_are_sent_away(opening):
    reader = opening(token="hunter2", path="/in", most=1000)
    good = {"Authorization": "Bearer hunter2"}
    bomb = gzip.compress(b"x" * 10**6)
    assert post(reader.port, b"{}", "/in")[0] == 401
    assert post(reader.port, b"{}", "/in", Authorization="Bearer hunter3")[0] == 401
    assert post(reader.port, b"{}", "/", **good)[0] == 404
    assert post(reader.port, b"{}", "/in", Origin="https://example.com", **good)[0] == 403
    assert post(reader.port, b"x" * 1001, "/in", **good)[0] == 413
    assert post(reader.port, bomb, "/in", Content_Encoding="gzip", **good)[0] == 413
    assert post(reader.port, bomb[:-9], "/in", Content_Encoding="gzip", **good)[0] in (400, 413)
    assert post(reader.port, b"no", "/in", Content_Encoding="gzip", **good)[0] == 400
    assert post(reader.port, b"no", "/in", Content_Encoding="br", **good)[0] == 415
    assert post(reader.port, iter([b"{}"]), "/in", **good)[0] == 411
    assert post(reader.port, b"", "/in", method="GET", **good)[0] == 501
    assert post(reader.port, b"\n\n", "/in", **good) == (200, {"records": 0})


def test_other_machines_need_a_token_and_encryption(opening):
    for wrong in ({}, {"token": "t"}, {"insecure": True}):
        with pytest.raises(SourceError, match="reached from other machines"):
            opening(listen="0.0.0.0:0", **wrong)
    opening(listen="0.0.0.0:0", token="t", insecure=True)


def test_an_address_in_use_is_told(opening):
    reader = opening()
    with pytest.raises(SourceError, match="in use"):
        opening(listen=f"127.0.0.1:{reader.port}")


def test_many_clients_at_once(opening, taken):
    reader = opening()
    posters = [Poster(reader.port, b'{"a":%d}\n' % n * 3) for n in range(40)]
    take(reader, taken, count(120), most=50)
    assert {poster.wait()[0] for poster in posters} == {200}
    assert sorted(taken.lines()) == sorted(f'{{"a":{n}}}' for n in range(40) for _ in range(3))
