"""Stream alerts on their way: to channels that run, through failures and restarts."""

import json
import shutil
import threading
from contextlib import closing

import pytest

from segue.agent.channels import send_letter
from segue.agent.channels import webhook as webhooks
from segue.agent.spool import Spool
from segue.agent.work import once
from segue.agent.work.once import run_once
from segue.agent.work.outbox import STATE, Outbox
from segue.agent.work.watch import Letter
from segue.errors import ChannelError
from segue.spec.edge import StreamAlert
from tests.edge_slots import SETTINGS, read_spool, source, write_lines, write_slot
from tests.fleet.brokers.mosquitto import Listener, Mosquitto
from tests.fleet.waiting import wait_for
from tests.receivers import find_port, hanging_server, webhook


def letter(channel, key="n1/hot/5/0"):
    return Letter(key, "hot", channel, "hot at n1", "too hot: 31")


def test_a_webhook_gets_a_document():
    with webhook() as server:
        url = "http://127.0.0.1:${PORT}/hook?token=hunter2"
        send_letter(letter(url), {"PORT": str(server.port)})
        assert server.posted == [
            {"key": "n1/hot/5/0", "alert": "hot", "title": "hot at n1", "message": "too hot: 31"}
        ]
        server.status = 503
        with pytest.raises(ChannelError, match="503"):
            send_letter(letter(url), {"PORT": str(server.port)})


def test_secrets_are_not_told():
    url = f"http://user:hunter2@127.0.0.1:{find_port()}/?token=hunter3"
    with pytest.raises(ChannelError) as caught:
        send_letter(letter(url), {})
    assert "hunter" not in str(caught.value)
    with pytest.raises(ChannelError, match="PORT is not set"):
        send_letter(letter("http://127.0.0.1:${PORT}/"), {})


def test_a_channel_that_fails_is_named_and_none_of_its_secrets():
    port = find_port()
    environ = {"PATH_PART": "T0KEN/B1", "WHO": "me", "HOOK": f"http://127.0.0.1:{port}/T0KEN"}
    for channel, name in [
        (f"http://${{WHO}}:hunter2@127.0.0.1:{port}/${{PATH_PART}}", f"http://127.0.0.1:{port}"),
        (f"http://127.0.0.1:{port}/hunter2 spaced", f"http://127.0.0.1:{port}"),
        ("${HOOK}", "${HOOK}"),
        (f"mqtt://127.0.0.1:{port}/hunter2", f"mqtt://127.0.0.1:{port}"),
        ("pagerduty://hunter2?severity=odd", "pagerduty://..."),
        ("nonsense://${PATH_PART}/hunter2", "nonsense://${PATH_PART}..."),
        ("http://[hunter2", "http://[hunter2"),
    ]:
        with pytest.raises(ChannelError) as caught:
            send_letter(letter(channel), environ)
        told = caught.value.message
        assert told.startswith(f"{name}: "), told
        assert "hunter2" not in told.removeprefix(name), told
        assert "T0KEN" not in told, told


def test_each_channel_of_an_alert_has_its_own_problem():
    kept = Kept()
    with webhook() as well, webhook() as broken:
        broken.status = 503
        outbox = Outbox(None, kept.save, {})
        channels = [f"http://127.0.0.1:{server.port}/T0KEN" for server in (broken, well)]
        letters = [letter(channel, f"n1/hot/5/{n}") for n, channel in enumerate(channels)]
        kept.states |= outbox.enclose(letters)
        outbox.post(letters)
        wait_for(lambda: well.posted and len(kept.letters()) == 1 and outbox.problems)
        (told,) = outbox.problems
        assert told.startswith(f"alert hot: http://127.0.0.1:{broken.port}: it answered 503")
        broken.status = 200
        assert outbox.wait(30)
        wait_for(lambda: not outbox.problems)
        outbox.stop()


def test_pagerduty_gets_an_event_that_it_knows_again():
    with webhook() as server:
        url = f"pagerduty://R0utingKey?severity=error&endpoint=http://127.0.0.1:{server.port}/v2"
        send_letter(letter(url), {})
        (event,) = server.posted
    assert event["routing_key"] == "R0utingKey"
    assert event["event_action"] == "trigger"
    assert event["dedup_key"] == "n1/hot/5/0"
    assert event["payload"]["source"] == "n1"
    assert event["payload"]["severity"] == "error"
    assert event["payload"]["summary"] == "hot at n1: too hot: 31"


def test_sqs_gets_a_message(monkeypatch):
    pytest.importorskip("moto")
    pytest.importorskip("flask")
    from botocore.session import get_session
    from moto.server import ThreadedMotoServer

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    server = ThreadedMotoServer("127.0.0.1", find_port(), verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        client = get_session().create_client(
            "sqs", region_name="eu-west-1", endpoint_url=f"http://{host}:{port}"
        )
        queue = client.create_queue(QueueName="alerts")["QueueUrl"]
        path = queue.partition(str(port))[2]
        send_letter(letter(f"sqs://{host}:{port}{path}?region=eu-west-1&tls=no"), {})
        (message,) = client.receive_message(QueueUrl=queue)["Messages"]
        with pytest.raises(ChannelError, match="does not exist"):
            send_letter(letter(f"sqs://{host}:{port}/1/none?region=eu-west-1&tls=no"), {})
        with pytest.raises(ChannelError, match="region"):
            send_letter(letter(f"sqs://{host}:{port}{path}?tls=no"), {})
        client.close()
    finally:
        server.stop()
    assert json.loads(message["Body"])["message"] == "too hot: 31"


def test_mqtt_publishes_to_a_topic(tmp_path):
    pytest.importorskip("paho.mqtt")
    if shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin") is None:
        pytest.skip("Mosquitto is not installed: apt-get install mosquitto")
    broker = Mosquitto(tmp_path).start()
    try:
        for version in ("5", "3.1.1"):
            with closing(Listener(broker.port)) as listener:
                url = f"mqtt://127.0.0.1:{broker.port}/site/alerts?version={version}"
                send_letter(letter(url), {})
                wait_for(lambda found=listener: found.messages)
                (message,) = listener.messages
                assert message.topic == "site/alerts"
                assert json.loads(message.payload)["key"] == "n1/hot/5/0"
        broker.stop()
        with pytest.raises(ChannelError, match="broker can't be reached"):
            send_letter(letter(f"mqtt://127.0.0.1:{broker.port}/site/alerts"), {})
    finally:
        broker.stop()


def test_everything_else_goes_through_apprise():
    pytest.importorskip("apprise")
    with webhook() as server:
        send_letter(letter(server.url), {})
        assert server.take() == [("hot at n1", "too hot: 31", "warning")]
    with pytest.raises(ChannelError, match="does not understand"):
        send_letter(letter("nonsense://x"), {})


class Kept:
    """What the outbox has in the spool."""

    def __init__(self):
        self.states = {}
        self.lock = threading.Lock()

    def save(self, make):
        with self.lock:
            self.states |= make()

    def letters(self):
        return json.loads(self.states.get(STATE) or b"[]")


def test_a_letter_stays_in_the_spool_until_it_arrived():
    kept = Kept()
    with webhook() as server:
        server.status = 500
        outbox = Outbox(None, kept.save, {})
        sent = letter(f"http://127.0.0.1:{server.port}/")
        kept.states |= outbox.enclose([sent])
        outbox.post([sent])
        wait_for(lambda: outbox.problems)
        assert len(kept.letters()) == 1
        outbox.stop()
        server.status = 200
        again = Outbox(kept.states[STATE], kept.save, {})  # as another process
        again.start()
        assert again.wait(30)
        wait_for(lambda: not kept.letters())
        again.stop()
        assert len(server.posted) == 1


def test_a_channel_whose_library_fails_is_told_and_tried_again(monkeypatch):
    faults = [RuntimeError("a fault of a library")]
    real = webhooks.send

    def send(url, sent):
        if faults:
            raise faults.pop()
        real(url, sent)

    monkeypatch.setattr(webhooks, "send", send)
    kept = Kept()
    with webhook() as server:
        outbox = Outbox(None, kept.save, {})
        sent = letter(f"http://127.0.0.1:{server.port}/")
        kept.states |= outbox.enclose([sent])
        outbox.post([sent])
        assert outbox.wait(30)
        outbox.stop()
    assert not faults


def test_a_broker_without_a_port_is_told():
    with pytest.raises(ChannelError, match="url must be an address"):
        send_letter(letter("mqtt://127.0.0.1:port/site/alerts"), {})


def test_a_channel_that_hangs_holds_up_no_other():
    kept = Kept()
    with hanging_server() as port, webhook() as server:
        outbox = Outbox(None, kept.save, {})
        letters = [
            letter(f"http://127.0.0.1:{port}/", "a"),
            letter(f"http://127.0.0.1:{server.port}/", "b"),
        ]
        kept.states |= outbox.enclose(letters)
        outbox.post(letters)
        wait_for(lambda: server.posted, 5)
        assert [each["key"] for each in kept.letters()] != ["b"]
        outbox.stop()


def test_an_alert_is_sent_once_while_the_rows_go_their_way(tmp_path):
    log, home = tmp_path / "a.jsonl", tmp_path / "home"
    home.mkdir()
    with webhook() as server:
        alert = StreamAlert(
            name="hot",
            table="readings",
            condition="value > 30",
            at_least=2,
            distinct="sensor",
            within=0,
            column="",
            send=(f"http://127.0.0.1:{server.port}/",),
            message="{sensor}: {value}",
            quiet=3600 * 10**6,
        )
        slot = write_slot(tmp_path / "1", [source(log)], alerts=(alert,))
        rows = [{"n": n, "sensor": f"s{n}", "value": 31.0} for n in range(3)]
        for _ in range(2):
            write_lines(log, rows)
            run_once(slot, home, "n1")
        assert [each["message"] for each in server.posted] == ["s1: 31.0"]
    assert read_spool(home) == {"readings": rows * 2}
    with Spool(home / "spool.db", SETTINGS) as spool:
        assert spool.state(STATE) is None


def test_a_run_to_the_end_tells_of_the_channel_that_took_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(once, "_LETTERS_WAIT", 2.0)
    log, home, channel = tmp_path / "a.jsonl", tmp_path / "home", f"http://127.0.0.1:{find_port()}"
    home.mkdir()
    alert = StreamAlert("hot", "readings", "value > 30", 1, "", 0, "", (channel,), "", 1)
    slot = write_slot(tmp_path / "1", [source(log)], alerts=(alert,))
    write_lines(log, [{"n": 1, "sensor": "s", "value": 31.0}])
    (told,) = run_once(slot, home, "n1").alerts
    assert told.startswith(f"alert hot: {channel}: it can't be reached")
