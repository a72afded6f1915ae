"""Figures of a hub, for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from segue.spec.arriving import Commits

MOST_NODES = 500
"""Nodes that are told one by one: those that lag most. Others count in the sums only."""
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

NodeFigures = tuple[str, float, float, float]
"""Name, lag, seconds since it was heard of, bytes in its spool."""


class Metrics:
    """What a hub counts."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self.registry = CollectorRegistry()
        into = self.registry
        self.rows = Counter("segue_hub_rows", "Rows committed.", ["table"], registry=into)
        self.batches = Counter("segue_hub_batches", "Batches committed.", ["table"], registry=into)
        self.repeats = Counter(
            "segue_hub_repeats", "Batches that were there.", ["table"], registry=into
        )
        self.bytes = Counter(
            "segue_hub_bytes", "Bytes of payloads committed.", ["table"], registry=into
        )
        self.refusals = Counter(
            "segue_hub_refusals",
            "Batches that were not taken.",
            ["table", "verdict"],
            registry=into,
        )
        self.gaps = Counter(
            "segue_hub_gaps", "Losses that nodes declared.", ["table"], registry=into
        )
        self.lost = Counter(
            "segue_hub_lost_rows", "Rows in these losses, where counted.", ["table"], registry=into
        )
        self.seconds = Histogram(
            "segue_hub_commit_seconds", "How long commits took.", buckets=_SECONDS, registry=into
        )
        self.requests = Counter(
            "segue_hub_requests", "Answers.", ["route", "status"], registry=into
        )
        self.held = Gauge("segue_hub_held_bytes", "Bytes of requests at work.", registry=into)

    def note_commit(self, commits: Commits) -> None:
        """Count what a commit did."""
        self.seconds.observe(commits.seconds)
        for batch, place in zip(commits.batches, commits.places, strict=True):
            table = batch.table
            if place.verdict != "ok":
                self.refusals.labels(table, str(place.verdict)).inc()
            elif not place.fresh:
                self.repeats.labels(table).inc()
            elif batch.gap:
                self.gaps.labels(table).inc()
                self.lost.labels(table).inc(batch.rows or 0)
            else:
                self.batches.labels(table).inc()
                self.rows.labels(table).inc(batch.rows or 0)
                self.bytes.labels(table).inc(len(batch.payload))

    def watch_nodes(self, read: Callable[[], Iterable[NodeFigures]]) -> None:
        """Tell figures of nodes, read when they are asked for."""
        self.registry.register(_Nodes(read))

    def write(self) -> bytes:
        """Return all figures as Prometheus reads them."""
        return generate_latest(self.registry)


class _Nodes(Collector):
    def __init__(self, read: Callable[[], Iterable[NodeFigures]]) -> None:
        self._read = read

    def collect(self) -> Iterator[GaugeMetricFamily]:
        figures = sorted(self._read(), key=lambda each: (-each[1], -each[2], each[0]))
        count = GaugeMetricFamily("segue_hub_nodes", "Nodes that are enrolled.")
        count.add_metric([], len(figures))
        yield count
        told = (
            ("segue_node_lag_seconds", "Age of the oldest batch that was not sent."),
            ("segue_node_silent_seconds", "Seconds since the node was heard of."),
            ("segue_node_spool_bytes", "Bytes in the node's spool."),
        )
        for place, (name, help_) in enumerate(told, 1):
            family = GaugeMetricFamily(name, help_, labels=["node"])
            for each in figures[:MOST_NODES]:
                family.add_metric([each[0]], float(each[place]))
            yield family
