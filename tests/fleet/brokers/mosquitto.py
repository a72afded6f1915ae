"""A Mosquitto of the tests' own: on loopback, with a file of settings, and killed at will."""

import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from tests.receivers import find_port

SECONDS = 120


class Mosquitto:
    """A broker that keeps sessions and messages on disk, as often as it is told to `save`.

    Not with each change: it would wait for the disk, which other tests keep busy, each time.

    Attributes:
        port: Where it listens, also after it was started again.
    """

    def __init__(self, folder, *, users=None):
        self.port = find_port()
        self._folder = folder
        settings = [
            f"listener {self.port} 127.0.0.1",
            "persistence true",
            f"persistence_location {folder}/",
            "max_inflight_messages 0",
            "log_type all",
            "user root",
        ]
        if users:
            file = folder / "users"
            for name, password in users.items():
                create = [] if file.exists() else ["-c"]
                subprocess.run(
                    ["mosquitto_passwd", *create, "-b", file, name, password], check=True
                )
            settings += ["allow_anonymous false", f"password_file {file}"]
        else:
            settings.append("allow_anonymous true")
        (folder / "mosquitto.conf").write_text("\n".join(settings) + "\n")
        self._process = None

    @property
    def url(self):
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self):
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, "-c", self._folder / "mosquitto.conf"], stdout=log, stderr=log
            )
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    pytest.fail(f"no Mosquitto: {(self._folder / 'log').read_text()}")
                time.sleep(0.01)
            else:
                return self

    def save(self):
        """Let it write what it has to its disk."""
        file = self._folder / "mosquitto.db"
        before = file.stat().st_mtime_ns if file.exists() else 0
        self._process.send_signal(signal.SIGUSR1)
        deadline = time.monotonic() + SECONDS
        while not file.exists() or file.stat().st_mtime_ns == before:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def kill(self):
        """End it as a power cut does."""
        self._process.kill()
        self._process.wait(SECONDS)

    def stop(self):
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(SECONDS)


class Publisher:
    """Publishes, and knows what the broker has acknowledged."""

    def __init__(self, port, *, user="", password=""):
        from paho.mqtt import client as paho
        from paho.mqtt.enums import CallbackAPIVersion

        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        if user:
            self._client.username_pw_set(user, password)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def publish(self, topic, payloads, qos=1, *, retain=False):
        """Publish messages, and wait until the broker has them."""
        sent = [self._client.publish(topic, each, qos, retain) for each in payloads]
        for each in sent:
            each.wait_for_publish(SECONDS)
            assert each.is_published()

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


class Listener:
    """Keeps what arrives below a topic."""

    def __init__(self, port, topic="#"):
        from paho.mqtt import client as paho
        from paho.mqtt.enums import CallbackAPIVersion

        self.messages = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_message = lambda *words: self.messages.append(words[2])
        ready = threading.Event()
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._client.subscribe(topic, 1)
        assert ready.wait(SECONDS), "no answer of the broker"

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()
