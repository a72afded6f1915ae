"""Options of sources and destinations: what is wrong is told where a project is declared."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from segue.agent.options import Options, fill_options
from segue.errors import DestinationError, SourceError
from segue.registry import DESTINATIONS, EDGE_SOURCES, load
from segue.spec.edge import DestinationSpec, EdgeSource
from segue.spec.types import parse_schema

OURS = [
    *((DESTINATIONS, kind) for kind in ("http", "kafka", "mqtt", "postgres", "s3")),
    *((EDGE_SOURCES, kind) for kind in ("http", "metrics", "mqtt", "query")),
]


@pytest.mark.parametrize(("group", "kind"), OURS)
def test_defaults_are_right(group, kind):
    loaded = load(group, kind)()
    assert loaded.check(loaded.optional) == []
    assert not set(loaded.required) & set(loaded.optional)
    assert set(loaded.shapes) <= {*loaded.required, *loaded.optional}


@pytest.mark.parametrize(
    ("group", "kind", "stated", "told"),
    [
        (DESTINATIONS, "s3", {"format": "csv"}, "format must be one of parquet, jsonl.gz"),
        (DESTINATIONS, "s3", {"conditional": "no"}, "conditional must be true or false"),
        (DESTINATIONS, "kafka", {"settings": 1}, "settings must be a table of names and values"),
        (DESTINATIONS, "kafka", {"servers": [1]}, "servers must be a text or a list of texts"),
        (DESTINATIONS, "http", {"timeout": "soon"}, "timeout must be a duration, such as 90s, 5m"),
        (DESTINATIONS, "mqtt", {"version": 4}, "version must be one of 5, 3.1.1"),
        (DESTINATIONS, "postgres", {"table": True}, "table must be a text"),
        (EDGE_SOURCES, "http", {"queue": "1XB"}, "queue must be a size, such as 500KB"),
        (EDGE_SOURCES, "http", {"remember": -1}, "remember must be a whole number from 0"),
        (EDGE_SOURCES, "query", {"key": [""], "every": True}, "every must be a duration"),
    ],
)
def test_a_wrong_value_is_told(group, kind, stated, told):
    (problem,) = load(group, kind)().check(stated)
    assert problem.startswith(told)


@pytest.mark.parametrize(
    ("kind", "stated", "told"),
    [
        ("command", {"command": "echo 'a"}, "command must be a command"),
        ("command", {"command": " "}, "command must be a command"),
        ("http", {"listen": "127.0.0.1:99999"}, "listen must be a host and a port"),
        ("tcp", {"listen": "127.0.0.1:99999"}, "listen must be a port, or a host and a port"),
        ("mqtt", {"url": "mqtt://broker:port", "topics": "a"}, "url must be an address"),
        ("mqtt", {"url": "mqtt://broker:99999", "topics": "a"}, "url must be an address"),
    ],
)
def test_what_no_source_can_open_is_told(tmp_path, kind, stated, told):
    source = EdgeSource("a", kind, stated, "text", {}, parse_schema("line: string"))
    with pytest.raises(SourceError, match=f"table 'a': {told}"):
        load(EDGE_SOURCES, kind)().open(source, None, tmp_path)


@pytest.mark.parametrize("url", ["http://example.com:port/", "https://h:99999/", "ftp://h/"])
def test_what_no_destination_can_open_is_told(url):
    with pytest.raises(DestinationError, match="destination 'd': url must be an address"):
        load(DESTINATIONS, "http")().open(DestinationSpec("d", "http", {"url": url}))


def test_secrets_are_known_at_the_node_only():
    assert load(DESTINATIONS, "http")().check({"timeout": "${TIMEOUT}"}) == []


def test_what_is_missing_or_unknown_is_told():
    kind = load(EDGE_SOURCES, "mqtt")()
    with pytest.raises(SourceError, match="table 'a': url must be stated"):
        fill_options("table 'a'", kind, {"topics": "b"}, SourceError)
    with pytest.raises(SourceError, match="no option 'topcs'") as told:
        fill_options("table 'a'", kind, {"topcs": "b"}, SourceError)
    assert "'topics'" in told.value.hint


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("1.5m", 90), (90, 90), ("10ms", 0.01), ("2h", 7200)]
)
def test_durations(text, seconds):
    assert Options("", {"a": text}, SourceError).seconds("a") == seconds


@pytest.mark.parametrize(("text", "size"), [("8MiB", 8 * 2**20), ("500KB", 500_000), ("7", 7)])
def test_sizes(text, size):
    assert Options("", {"a": text}, SourceError).size("a") == size


def test_the_page_about_destinations_names_every_option():
    page = (Path(__file__).parents[3] / "docs" / "howto" / "destinations.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    named = {name for line in rows for name in re.findall(r"`(\w+)`", line.split("|")[1])}
    for kind in ("http", "kafka", "mqtt", "postgres", "s3"):
        loaded = load(DESTINATIONS, kind)
        assert {*loaded.required, *loaded.optional} <= named


def test_kinds_load_nothing_before_they_are_opened():
    modules = ", ".join(load(group, kind).__module__ for group, kind in OURS)
    heavy = ("pyarrow", "pydantic", "sqlalchemy", "paho", "botocore", "confluent_kafka", "psycopg")
    code = f"import sys, {modules}, segue.agent.destinations.deliveries\n"
    code += f"print([name for name in {heavy} if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert ended.stdout.strip() == "[]"
