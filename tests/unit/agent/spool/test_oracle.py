"""Whatever happens: what was accepted is delivered once, or declared lost, in order."""

import os
import shutil
import tempfile
from collections import defaultdict
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from segue.agent.spool import Entry, Spool
from segue.errors import SpoolFullError
from segue.spec.edge import SpoolSettings, WhenFull

PHASES = [Phase.generate] if os.environ.get("FAST") else list(Phase)
STREAMS = ("readings", "readings__rejects", "alarms")


class Table:
    """What a reader has of each (stream, epoch): sequences without a hole."""

    def __init__(self):
        self.committed = defaultdict(int)
        self.records = defaultdict(list)

    def take(self, record):
        header = record.header
        key = header.stream, header.epoch
        assert header.first == self.committed[key] + 1, "a hole, or something twice"
        self.committed[key] = header.last
        self.records[key].append(record)

    def set_back(self, key, to):
        kept = [each for each in self.records[key] if each.header.last <= to]
        self.records[key] = kept
        self.committed[key] = kept[-1].header.last if kept else 0


class SpoolMachine(RuleBasedStateMachine):
    @initialize(
        when_full=st.sampled_from(list(WhenFull)),
        cap=st.sampled_from([500_000, 800_000, 10_000_000]),
        keep=st.sampled_from([0, 40_000, 10**9]),
        page=st.sampled_from([1024, 8192]),
    )
    def begin(self, when_full, cap, keep, page):
        self.folder = Path(tempfile.mkdtemp())
        self.settings = SpoolSettings(cap=cap, when_full=when_full, keep=keep)
        self.spool = Spool(self.folder / "spool.db", self.settings, page)
        self.spool.assign({"readings": ["lake", "archive"], "alarms": ["archive"]})
        self.made = 0
        self.accepted = {}
        self.renamed = {}
        self.tables = {"lake": Table(), "archive": Table()}

    @rule(
        streams=st.lists(st.sampled_from(STREAMS), min_size=1, max_size=4),
        size=st.sampled_from([10, 900, 9_000, 60_000]),
        rows=st.integers(1, 50),
    )
    def append(self, streams, size, rows):
        entries = []
        for stream in streams:
            self.made += 1
            payload = f"{self.made}:".encode().ljust(size, b".")
            entries.append(Entry(stream, rows, payload))
        try:
            self.spool.commit(entries, {"source": {"at": self.made}}, {"window": payload[:100]})
        except SpoolFullError:
            assert self.settings.when_full is WhenFull.BLOCK
            return
        self.state = {"at": self.made}, payload[:100]
        for number, entry in enumerate(entries, self.made - len(entries) + 1):
            self.accepted[number] = (entry.stream, rows)

    @rule(rows=st.integers(1, 9), reason=st.sampled_from(["too long", "udp"]))
    def lose(self, rows, reason):
        self.made += 1
        self.spool.commit([Entry("readings", rows, kind="gap", reason=reason)], {}, {})
        self.accepted[self.made] = ("readings", rows)

    @rule(
        reader=st.sampled_from(["lake", "archive"]),
        most=st.sampled_from([1, 20_000, 10**7]),
        taken=st.integers(0, 5),
        answered=st.booleans(),
    )
    def send(self, reader, most, taken, answered):
        for each in self.spool.streams(reader):
            self.carry(reader, each, most, taken, answered=answered)

    def carry(self, reader, each, most, taken, *, answered):
        table, key = self.tables[reader], (each.stream, each.epoch)
        after = table.committed[key]
        if after < each.acknowledged:
            self.spool.rewind(reader, *key, after)
        records = self.spool.read(reader, *key, after, most)
        for record in records[:taken]:
            table.take(record)
        if answered and table.committed[key]:
            self.spool.acknowledge(reader, *key, table.committed[key], "first")
        return len(records)

    @precondition(lambda self: self.tables["lake"].records)
    @rule(share=st.floats(0, 1))
    def restore_lake(self, share):
        table = self.tables["lake"]
        for key in sorted(table.committed):
            table.set_back(key, int(table.committed[key] * share))

    @rule()
    def reopen(self):
        self.spool.close()
        self.spool = Spool(self.spool.path, self.settings)
        if hasattr(self, "state"):
            assert (self.spool.cursor("source"), self.spool.state("window")) == self.state

    @precondition(lambda self: len(self.renamed) < 4)
    @rule(pick=st.integers(0, 9))
    def fence(self, pick):
        standings = [each for each in self.spool.streams("lake") if each.last]
        if not standings:
            return
        each = standings[pick % len(standings)]
        committed = self.tables["lake"].committed[each.stream, each.epoch]
        if any(
            self.tables[reader].committed[each.stream, each.epoch] > committed
            for reader in self.tables
        ):
            return  # the archive's records keep their old names: they would be told apart wrongly
        self.renamed[each.stream, each.epoch] = self.spool.refence(
            each.stream, each.epoch, committed
        )

    @rule()
    def begin_epoch(self):
        before = self.spool.epoch
        assert self.spool.begin_epoch() == self.spool.epoch != before

    @invariant()
    def stays_under_its_cap(self):
        if hasattr(self, "spool"):
            assert self.spool.usage().bytes <= self.settings.cap

    def teardown(self):
        if not hasattr(self, "spool"):
            return
        try:
            for reader in self.tables:
                while [
                    each
                    for each in self.spool.streams(reader)
                    if self.carry(reader, each, 10**6, 100, answered=True)
                ]:
                    pass
                self.check(reader)
        finally:
            self.spool.close()
            shutil.rmtree(self.folder)

    def check(self, reader):
        wanted = {"lake": STREAMS[:2], "archive": (STREAMS[0], STREAMS[2])}[reader]
        generated, arrived, lost = defaultdict(int), defaultdict(int), defaultdict(int)
        for stream, rows in self.accepted.values():
            generated[stream] += rows
        for (stream, _), records in self.tables[reader].records.items():
            numbers = []
            for record in records:
                if record.header.kind == "gap":
                    lost[stream] += record.header.rows
                else:
                    arrived[stream] += record.header.rows
                    numbers.append(int(record.payload.partition(b":")[0]))
            assert numbers == sorted(set(numbers)), "order"
        for stream in wanted:
            assert generated[stream] == arrived[stream] + lost[stream]
        for each in self.spool.streams(reader):
            assert (each.rows, each.bytes) == (0, 0)
            assert each.acknowledged == each.last


SpoolMachine.TestCase.settings = settings(
    max_examples=60,
    report_multiple_bugs=False,
    stateful_step_count=40,
    deadline=None,
    phases=PHASES,
    suppress_health_check=list(HealthCheck),
)
test_what_was_accepted_is_delivered_or_declared = SpoolMachine.TestCase
