"""What is shown while a run goes on."""

import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from rich.console import Console

from segue.cli.call import make_console
from segue.cli.progress import LiveReporter, Reporter, make_reporter
from segue.spec.contract import Report
from segue.spec.run import Progress, StepFailure
from tests.unit.cli.outcomes import GOOD, measured, outcome


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


def test_nothing_to_do_shows_nothing(terminal):
    with make_reporter(terminal, {"orders"}):
        pass
    assert terminal.file.getvalue() == ""


def test_failed_source_is_told():
    stream = io.StringIO()
    with Reporter(make_console(stream), {"orders"}) as reporter:
        reporter(settle(outcome("raw_orders", status="contract failed")))
    assert stream.getvalue().startswith("✗ raw_orders contract failed")


def test_judged_source_is_told():
    stream = io.StringIO()
    report = Report("raw_orders", 200, (measured("amount between", "pass"),))
    with Reporter(make_console(stream), {"orders"}) as reporter:
        reporter(settle(outcome("raw_orders", report=report, seconds=0.02)))
    assert stream.getvalue() == "✓ raw_orders 200 rows  1 check passed  20 ms\n"


def live_text(terminal, reporter, seconds=10.0):
    """Return the live lines as they are so many seconds after the beginning."""
    for task in reporter.live.tasks:
        task.start_time, task._get_time = 0.0, lambda: seconds
    terminal.print(reporter.live.get_renderable())
    return terminal.file.getvalue()


def test_lines_of_running_steps(terminal):
    reporter = LiveReporter(terminal, {"orders"})
    reporter(Progress("orders", "started"))
    reporter(Progress("orders", "rows", 50_000, 200_000))
    text = live_text(terminal, reporter)
    assert "orders 50,000 rows" in text
    assert "25%, 5,000 rows/s, about 30 s left" in text


def test_share_that_the_engine_tells(terminal):
    reporter = LiveReporter(terminal, {"orders"})
    reporter(Progress("orders", "started"))
    reporter(Progress("orders", "rows", 0, 200_000, {"share": 0.4}))
    assert "40%, about 15 s left" in live_text(terminal, reporter)


def test_more_rows_than_expected_have_no_share(terminal):
    reporter = LiveReporter(terminal, {"orders"})
    reporter(Progress("orders", "started"))
    reporter(Progress("orders", "rows", 300_000, 200_000))
    text = live_text(terminal, reporter)
    assert "300,000 rows" in text
    assert "%" not in text


def test_checks_and_how_many_steps_are_done(terminal):
    reporter = LiveReporter(terminal, {"orders", "daily"})
    reporter(Progress("", "planned", details={"steps": ("orders", "daily")}))
    reporter(Progress("orders", "started"))
    reporter(Progress("orders", "judging", 197))
    reporter(Progress("daily", "started"))
    reporter(settle(outcome("daily", 30)))
    text = live_text(terminal, reporter)
    assert "1 of 2 steps done" in text
    assert "orders: checking 197 rows" in text


def test_threads_do_not_tear_lines(terminal):
    names = [f"step_{number}" for number in range(40)]
    reporter = LiveReporter(terminal, names)

    def work(name):
        reporter(Progress(name, "started"))
        reporter(Progress(name, "rows", 1, 2))
        reporter(settle(outcome(name, 2)))

    with reporter, ThreadPoolExecutor(8) as threads:
        list(threads.map(work, names))
    text = terminal.file.getvalue()
    assert all(f"✓ {name} 2 rows" in text for name in names)
