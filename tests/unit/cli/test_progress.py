"""What is shown while a run goes on."""

import io

import pytest
from rich.console import Console

from segue.cli.call import make_console
from segue.cli.progress import LiveReporter, Reporter, make_reporter
from segue.spec.run import Progress, StepFailure
from tests.unit.cli.outcomes import GOOD, outcome


def settle(made):
    return Progress(made.step, "settled", details={"outcome": made})


def hear_run(reporter):
    with reporter:
        reporter(Progress("raw_orders", "started"))
        reporter(settle(GOOD["raw_orders"]))
        reporter(Progress("orders", "started"))
        reporter(Progress("orders", "rows", 100, 200))
        reporter(settle(GOOD["orders"]))
        reporter(Progress("daily", "started"))
        failure = StepFailure("step-failed", "KeyError: 'x'\nmore")
        reporter(settle(outcome("daily", status="failed", failure=failure, seconds=2)))
        reporter(Progress("", "publishing", 2))


def test_one_plain_line_per_step_into_a_pipe():
    stream = io.StringIO()
    reporter = make_reporter(make_console(stream), {"orders", "daily"})
    hear_run(reporter)
    assert stream.getvalue().splitlines() == [
        "✓ orders 197 rows  3 set aside  1 of 3 checks did not pass  123 ms",
        "✗ daily failed KeyError: 'x'  2.0 s",
        "publishing 2 tables",
    ]


@pytest.fixture
def terminal():
    return Console(file=io.StringIO(), force_terminal=True, width=80, color_system=None)


def test_terminal_gets_live_lines(terminal):
    reporter = make_reporter(terminal, {"orders", "daily"})
    assert isinstance(reporter, LiveReporter)
    hear_run(reporter)
    text = terminal.file.getvalue()
    assert "✓ orders 197 rows" in text
    assert "raw_orders" not in text.replace("\x1b", "").split("✓")[1]


def test_failed_source_is_told():
    stream = io.StringIO()
    reporter = Reporter(make_console(stream), {"orders"})
    reporter(settle(outcome("raw_orders", status="contract failed")))
    assert stream.getvalue().startswith("✗ raw_orders contract failed")


def test_lines_of_running_steps(terminal):
    reporter = LiveReporter(terminal, {"orders"})
    reporter(Progress("orders", "started"))
    reporter(Progress("orders", "rows", 50_000, 200_000))
    now = [0.0]
    reporter.live.get_time = lambda: now[0]
    task = reporter.live.tasks[0]
    task.start_time, task._get_time = 0.0, lambda: 10.0
    terminal.print(reporter.live.get_renderable())
    text = terminal.file.getvalue()
    assert "orders 50,000 rows" in text
    assert "5,000 rows/s, about 30 s left" in text
