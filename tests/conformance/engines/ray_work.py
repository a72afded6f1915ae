"""Users' functions as work, for tests of sessions: what `segue.transform` makes of them."""

from pathlib import Path

from segue.execute.blame import Blame
from segue.execute.work import FunctionWork, WorkInput
from segue.spec.layout import Layout
from segue.spec.step import FrameKind, FrameSpec
from segue.spec.types import parse_schema

PANDAS = FrameSpec(FrameKind.PANDAS)
ARROW = FrameSpec(FrameKind.ARROW)
BATCHES = FrameSpec(FrameKind.ARROW_BATCH, iterator=True)


def lay_out(by="", **parts):
    return Layout(by=parse_schema(by).columns, **parts)


def make_work(session, names, function, result, layout, frame=ARROW, **parts):
    inputs = tuple(
        WorkInput(name, "", frame, session.describe(f'select * from "{name}"')) for name in names
    )
    return FunctionWork(
        function,
        inputs,
        layout,
        Blame("the function", str(Path(__file__).parent)),
        returns=parts.pop("returns", frame),
        result=parse_schema(result),
        **parts,
    )


def apply(session, names, function, result, layout, frame=ARROW, **parts):
    """Have work done, and return its result."""
    work = make_work(session, names, function, result, layout, frame, **parts)
    session.apply("result", names, work, layout)
    return session.fetch('select * from "result"')
