"""Runs as they come out of the conductor: good, bad and idle ones."""

from pathlib import Path

from segue.errors import ContractError, Location
from segue.spec.contract import Measurement, Report, Verdict
from segue.spec.output import DataFile, StagedTable
from segue.spec.run import RunResult, RunStatus, StepFailure, StepOutcome, StepStatus
from segue.spec.step import Fingerprint, Mode, ProjectSpec, StepSpec
from segue.spec.types import parse_schema

RUN = "20261120-091500-4f2a"
RECORD = "/shop/lake/_runs/20261120-091500-4f2a.json"


def make_project(*names: str) -> ProjectSpec:
    steps = {
        name: StepSpec(
            name, Location(f"steps/{name}.sql", 1), (), Mode.REPLACE, Fingerprint("0"), sql=""
        )
        for name in names
    }
    return ProjectSpec("shop", Path("/shop"), steps, {}, {}, {}, {}, "/shop/lake")


def staged(table: str, rows: int) -> StagedTable:
    file = DataFile("a.parquet", rows, rows * 10, "0a")
    return StagedTable(table, parse_schema("order_id: int64"), Mode.REPLACE, (file,))


def measured(check: str, verdict: str, failing: int | None = 0, **fields) -> Measurement:
    message = f"{failing} of 200 rows" if failing else "all rows hold"
    fields = {"message": message} | fields
    return Measurement(
        "orders", check, "between", ("amount",), Verdict(verdict), 200, failing, **fields
    )


def outcome(step: str, rows: int | None = None, status: str = "done", **fields) -> StepOutcome:
    made = None if rows is None else staged(step, rows)
    return StepOutcome(step, StepStatus(status), staged=made, **fields)


def skipped(step: str) -> StepOutcome:
    return outcome(step, status="up to date", reasons=("unchanged: since run 20261119",))


CHECKED = Report(
    "orders",
    200,
    (
        measured("order_id unique", "pass"),
        measured(
            "amount between 0 and 1000",
            "fail",
            3,
            rejected=True,
            sample=({"order_id": 1042, "amount": -12.5},),
        ),
        measured("store given", "warn", 1, message="1 of 200 rows (0.5%); warns above 0"),
    ),
)

GOOD = RunResult(
    RUN,
    RunStatus.DONE,
    (
        outcome("raw_orders", input_rows={"raw_orders": 200}),
        outcome(
            "orders",
            197,
            reasons=("code changed: function orders",),
            input_rows={"raw_orders": 200},
            rejects=staged("orders__rejects", 3),
            report=CHECKED,
            seconds=0.1234,
            attempts=1,
        ),
        outcome(
            "daily",
            30,
            reasons=("input runs: orders",),
            input_rows={"orders": 197},
            seconds=0.01,
            attempts=2,
        ),
        skipped("stores"),
    ),
    snapshot=4,
    seconds=0.41,
    record=RECORD,
)

BROKEN = RunResult(
    RUN,
    RunStatus.FAILED,
    (
        outcome("stores", 12, seconds=0.02, attempts=1, reasons=("never ran",)),
        outcome(
            "orders",
            status="failed",
            seconds=0.1,
            attempts=1,
            reasons=("never ran",),
            failure=StepFailure(
                "step-failed",
                "KeyError: 'amuont'",
                hint="the rows have: order_id, amount",
                where="steps/orders.py:12",
                group="store = 'north'",
                trace='  File "steps/orders.py", line 12, in orders\n    row["amuont"]',
                sample="order_id  amount\n    1001  170.77\n    1002   15.82",
            ),
        ),
        outcome(
            "payments",
            200,
            status="contract failed",
            reasons=("never ran",),
            seconds=0.05,
            attempts=1,
            report=Report(
                "payments",
                200,
                (
                    measured("paid_at given", "pass"),
                    measured(
                        "amount between 0 and 1000",
                        "fail",
                        3,
                        sample=(
                            {"order_id": 1042, "amount": -12.5},
                            {"order_id": 7, "amount": 1e9},
                        ),
                    ),
                ),
            ),
        ),
        outcome("daily", status="blocked", reasons=("waits for orders",)),
    ),
    seconds=0.3,
    record=RECORD,
    error=ContractError("a check failed"),
)

IDLE = RunResult("", RunStatus.DONE, (skipped("stores"), skipped("orders"), skipped("daily")))
LONG_IDLE = RunResult("", RunStatus.DONE, tuple(skipped(f"step_{n}") for n in range(1000)))
