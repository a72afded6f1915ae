"""Sources that can't be read again: commands, serial lines, TCP, syslog."""

import os
import pty
import select
import socket
import ssl
import struct
import subprocess
import time
import tty

import psutil
import pytest

from segue.errors import SourceError
from tests.fleet.sources.taking import open_source, take_lines


@pytest.fixture
def open_kind(tmp_path):
    opened = []

    def open_(kind, columns="n: int64", **options):
        reader = open_source(kind, tmp_path, columns=columns, **options)
        opened.append(reader)
        return reader

    yield open_
    for reader in opened:
        reader.close()


def take_rows(reader, count, seconds=10.0):
    rows, lost, until = [], [], time.monotonic() + seconds
    while len(rows) < count and time.monotonic() < until:
        chunk = reader.read(2**20, 0.2)
        if chunk is not None:
            rows += chunk.table.to_pylist()
            lost += chunk.lost
    return rows, lost


# commands


def test_a_command_is_read_to_its_end(open_kind):
    reader = open_kind("command", command=["seq", "1", "50000"])
    assert take_lines(reader, 50000) == [b"%d" % each for each in range(1, 50001)]
    reader.read(100, 0.3)
    assert reader.exhausted()


def test_a_command_that_fails_gives_what_it_wrote_and_then_says_why(open_kind):
    reader = open_kind("command", command="sh -c 'echo 1; printf 2; echo oops >&2; exit 3'")
    assert take_lines(reader, 2) == [b"1", b"2"]
    with pytest.raises(SourceError, match="'sh' ended with exit code 3: oops"):
        reader.read(100, 5)


def test_a_command_that_is_not_there(open_kind):
    reader = open_kind("command", command="no-such-program --x")
    with pytest.raises(SourceError, match="'no-such-program' can't be started"):
        reader.read(100, 1)


def test_a_command_starts_again_when_it_ended_and_as_often_as_stated(open_kind):
    reader = open_kind("command", command="echo x", every=0.2)
    begun = time.monotonic()
    assert take_lines(reader, 4) == [b"x"] * 4
    assert time.monotonic() - begun > 0.5


def test_a_command_is_ended_with_its_children(open_kind, tmp_path):
    noted = tmp_path / "pid"
    script = f"sleep 600 & echo $! > {noted}; echo ready; wait"
    reader = open_kind("command", command=["sh", "-c", script])
    assert take_lines(reader, 1) == [b"ready"]
    child = psutil.Process(int(noted.read_text()))
    reader.close()
    child.wait(5)


def test_a_command_that_closes_its_errors_does_not_keep_us_busy(open_kind):
    reader = open_kind("command", command=["sh", "-c", "exec 2>&-; echo a; exec sleep 600"])
    assert take_lines(reader, 1) == [b"a"]
    used = time.thread_time()
    assert reader.read(100, 1) is None
    assert time.thread_time() - used < 0.05


# serial lines


def test_a_serial_line(open_kind):
    ours, theirs = pty.openpty()
    tty.setraw(ours)
    reader = open_kind("serial", device=os.ttyname(theirs), baud=115200)
    os.write(ours, b"half of a line\nt=1\nt=")
    assert reader.read(100, 5).data == b"t=1\n"
    assert reader.exhausted()
    os.write(ours, b"2\n")
    assert reader.read(100, 5).data == b"t=2\n"
    os.close(ours)
    os.close(theirs)
    with pytest.raises(SourceError, match="can't be read"):
        reader.read(100, 5)


def test_a_serial_device_that_is_not_there(open_kind):
    with pytest.raises(SourceError, match="/dev/none can't be opened"):
        open_kind("serial", device="/dev/none")


# TCP


def test_clients_do_not_mix(open_kind):
    reader = open_kind("tcp", listen=0)
    clients = [socket.create_connection(reader.address) for _ in range(5)]
    for row in range(100):
        for number, client in enumerate(clients):
            line = b"%d-%d\n" % (number, row)
            client.sendall(line[:2])
            client.sendall(line[2:])
    lines = take_lines(reader, 500)
    for number in range(5):
        mine = [line for line in lines if line.startswith(b"%d-" % number)]
        assert mine == [b"%d-%d" % (number, row) for row in range(100)]
    for client in clients:
        client.close()


def test_a_line_is_whole_if_the_connection_was_closed_and_lost_if_it_broke(open_kind):
    reader = open_kind("tcp", listen=0)
    closed, broken = (socket.create_connection(reader.address) for _ in range(2))
    closed.sendall(b"1\n2")
    broken.sendall(b"3\n4")
    assert sorted(take_lines(reader, 2)) == [b"1", b"3"]
    broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    broken.close()
    chunk = reader.read(100, 5)
    assert chunk.lost == ((1, "connection broke inside a record"),)
    closed.close()
    assert take_lines(reader, 1) == [b"2"]


def test_a_sender_is_held_back_by_not_reading(open_kind):
    reader = open_kind("tcp", listen=0)
    client = socket.create_connection(reader.address)
    client.setblocking(False)
    sent, line = 0, b"x" * 999 + b"\n"
    while select.select([], [client], [], 0.5)[1]:
        sent += client.send(line[sent % 1000 :])
    sent -= sent % 1000
    before = psutil.Process().memory_info().rss
    assert sent < 50 * 2**20
    assert len(take_lines(reader, sent // 1000)) == sent // 1000
    assert psutil.Process().memory_info().rss - before < 100 * 2**20
    client.close()


def test_more_clients_than_may_connect_wait(open_kind):
    reader = open_kind("tcp", listen=0, connections=1)
    first, second = (socket.create_connection(reader.address) for _ in range(2))
    first.sendall(b"1\n")
    second.sendall(b"2\n")
    assert take_lines(reader, 1) == [b"1"]
    assert reader.read(100, 0.3) is None
    first.close()
    assert take_lines(reader, 1) == [b"2"]
    second.close()


@pytest.fixture
def certificate(tmp_path):
    made = tmp_path / "cert.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    command += (
        f" -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout {made} -out {made}.c"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    made.write_bytes(made.read_bytes() + (tmp_path / "cert.pem.c").read_bytes())
    return made


def test_tls(open_kind, certificate):
    reader = open_kind("tcp", listen=0, certificate=str(certificate))
    silent = socket.create_connection(reader.address)
    pid = os.fork()
    if not pid:
        context = ssl.create_default_context(cafile=str(certificate))
        with context.wrap_socket(
            socket.create_connection(reader.address), server_hostname="127.0.0.1"
        ) as link:
            link.sendall(b"".join(b"%d\n" % each for each in range(50_000)))
        os._exit(0)
    assert take_lines(reader, 50_000) == [b"%d" % each for each in range(50_000)]
    assert os.waitpid(pid, 0)[1] == 0
    silent.close()


def test_an_address_that_is_taken(open_kind):
    host, port = open_kind("tcp", listen=0).address
    with pytest.raises(SourceError, match=f"can't listen on {host}:{port}: Address already in use"):
        open_kind("tcp", listen=port)


@pytest.mark.parametrize("listen", [":80", "x", "1.2.3.4:", "70000"])
def test_an_address_that_is_none(open_kind, listen):
    with pytest.raises(SourceError, match="listen must be a port, or a host and a port"):
        open_kind("tcp", listen=listen)


# syslog

COLUMNS = "time: timestamp(us, UTC), facility: string, severity: string, host: string, "
COLUMNS += "app: string, process: string, message_id: string, data: map<string, string>, "
COLUMNS += "message: string, peer: string"


def test_messages_of_both_kinds_over_udp(open_kind):
    reader = open_kind("syslog", COLUMNS, listen=0, zone="UTC")
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect(reader.address)
    sender.send(
        b'<165>1 2003-08-24T05:14:15.000003-07:00 h a 8 ID [x@1 k="\\"v\\""] \xef\xbb\xbftext'
    )
    sender.send(b"<34>1 - - - - - - no time")
    sender.send(b"<34>2003 Oct 11 22:14:15 odd")
    sender.send(b"<13>Oct 11 2003 22:14:15.5 gate su[12]: entry\n")
    sender.send(b"just text \xff")
    rows, lost = take_rows(reader, 5)
    assert lost == []
    assert {**rows[0], "time": rows[0]["time"].isoformat()} == {
        "time": "2003-08-24T12:14:15.000003+00:00",
        "facility": "local4",
        "severity": "notice",
        "host": "h",
        "app": "a",
        "process": "8",
        "message_id": "ID",
        "data": [("x@1.k", '"v"')],
        "message": "text",
        "peer": "127.0.0.1",
    }
    assert (rows[1]["time"], rows[1]["host"], rows[1]["message"]) == (None, None, "no time")
    assert (rows[2]["severity"], rows[2]["time"]) == ("crit", None)
    assert rows[3]["time"].isoformat() == "2003-10-11T22:14:15.500000+00:00"
    assert (rows[3]["app"], rows[3]["process"], rows[3]["message"]) == ("su", "12", "entry")
    assert (rows[4]["facility"], rows[4]["message"]) == ("user", r"just text \xff")
    sender.close()


def test_what_the_kernel_drops_is_counted(open_kind):
    reader = open_kind("syslog", "message: string", listen=0, buffer="4KiB")
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect(reader.address)
    for number in range(1000):
        sender.send(b"<13>message %d" % number)
    rows, lost = take_rows(reader, 1000, seconds=3)
    assert lost
    assert len(rows) + sum(count for count, _ in lost) == 1000
    assert {reason for _, reason in lost} == {"socket buffer full"}
    sender.close()


def test_messages_over_tcp_counted_and_by_lines(open_kind):
    reader = open_kind("syslog", "message: string, peer: string", listen=0, protocol="both")
    for text in (b"7 <13>a\nb8 <13>long", b"<13>one\n<13>two"):
        with socket.create_connection(reader.address) as link:
            link.sendall(text)
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.sendto(b"<13>udp", reader.address)
    rows, _ = take_rows(reader, 5)
    assert sorted(row["message"] for row in rows) == ["a\nb", "long", "one", "two", "udp"]
    sender.close()


def test_columns_that_messages_do_not_have(open_kind):
    with pytest.raises(SourceError, match="a message has no 'level'"):
        open_kind("syslog", "level: string", listen=0)
    with pytest.raises(SourceError, match="column 'time' is string, not timestamp"):
        open_kind("syslog", "time: string", listen=0)


def test_an_idle_listener_uses_next_to_nothing(open_kind):
    reader = open_kind("syslog", "message: string", listen=0, protocol="both")
    used = time.thread_time()
    assert reader.read(100, 2) is None
    assert time.thread_time() - used < 0.02
