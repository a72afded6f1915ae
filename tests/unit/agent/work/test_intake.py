import os

import pytest

from segue.agent.work import intake as module
from segue.agent.work.intake import Intake
from segue.errors import SourceError
from segue.protocols.edge import Chunk
from segue.spec.edge import SpoolSettings, WhenFull
from tests.edge_slots import source


class Reader:
    """Gives one chunk, fails once, then has nothing."""

    def __init__(self):
        self.answers = [Chunk({"at": 1}, b"{}\n"), SourceError("the line is cut")]

    def read(self, most, wait):
        if not self.answers:
            return None
        answer = self.answers.pop(0)
        if isinstance(answer, SourceError):
            raise answer
        return answer

    def close(self):
        pass


class Kind:
    replayable, typed = True, False

    def open(self, source, cursor, scratch):
        return Reader()


def test_an_error_behind_rows_is_told_after_them(tmp_path, monkeypatch):
    monkeypatch.setattr(module.registry, "load", lambda group, name: Kind)
    monkeypatch.setattr(module, "open_format", lambda source: None)
    settings = SpoolSettings(cap=10**6, when_full=WhenFull.BLOCK, linger=60.0)
    intake = Intake(source(tmp_path / "a.jsonl"), settings, tmp_path, os.environ)
    intake.open(None)
    batch = intake.gather(0.0, lambda: False)
    assert [chunk.cursor for chunk in batch.chunks] == [{"at": 1}]
    with pytest.raises(SourceError, match="the line is cut"):
        intake.gather(0.0, lambda: False)
    assert intake.gather(0.0, lambda: False) is None
