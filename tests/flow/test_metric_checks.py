"""The checks of the design's example in a project: metrics, freshness, queries, functions."""

from datetime import UTC, datetime, timedelta

import pytest

from segue.errors import ProjectError
from tests.flow.building import TOML, lines, source

CONTRACT = """\
orders:
  owner: sales-data@example.com
  about: One row per order.
  columns:
    order_id: {type: int64, required: true, unique: true}
    email:    {type: string, matches: '.+@.+', sensitive: true}
    amount:   {type: "decimal(18,2)", between: [0, 100000]}
    status:   {in: [new, paid, sent]}
    store:    {references: stores.id}
    phone:    {matches: {pattern: '\\+[0-9]+', warn: 0.1%, fail: 5%}}
  unique: [[store, day]]
  rows: {min: 1}
  fresh: {column: updated_at, within: 24h}
  checks:
    - {name: paid orders have a date, rule: paid_at is not null, where: "status = 'paid'"}
    - {name: revenue per store, metric: sum(amount), by: store, between: [0, 1000000000]}
    - name: totals agree
      sql: "select count(*) from orders o anti join ledger l using (order_id)"
      equals: 0
"""
STEP = """\
select order_id, email, amount::decimal(18,2) as amount, status, store, phone, day::date as day,
    paid_at::date as paid_at, updated_at::timestamp as updated_at
from raw
"""
HEAD = "order_id,email,amount,status,store,phone,day,paid_at,updated_at"


def row(number, *, hours=1, amount="9.90", store=1):
    moment = datetime.now(UTC) - timedelta(hours=hours)
    return (
        f"{number},c@example.com,{amount},paid,{store},+4412{number},2026-01-{number:02},"
        f"2026-01-31,{moment:%Y-%m-%d %H:%M:%S}"
    )


@pytest.fixture
def shop(make_project):
    def make(*rows, ledger=("1", "2"), contract=CONTRACT, **files):
        sources = (("raw", "raw*.csv"), ("stores", "stores.csv"), ("ledger", "ledger.csv"))
        return make_project(
            {
                "segue.toml": TOML + "".join(source(*each) for each in sources),
                "raw.csv": lines(HEAD, *rows),
                "stores.csv": lines("id", "1", "2"),
                "ledger.csv": lines("order_id", *ledger),
                "steps/orders.sql": STEP,
                "contracts.yml": contract,
                **files,
            }
        )

    return make


def verdicts(project):
    found = project.recorded("orders")["measurements"]
    return {each["check"]: each["verdict"] for each in found}


def test_the_design_s_contract_passes(shop):
    project = shop(row(1), row(2, store=2))

    assert project.run()["orders"] == "done"
    assert set(verdicts(project).values()) == {"pass"}
    assert len(verdicts(project)) == 16


def test_the_design_s_contract_fails(shop):
    project = shop(row(1, hours=25, amount="-5"), row(3, hours=26))

    assert project.run()["orders"] == "contract failed"
    bad = {name for name, verdict in verdicts(project).items() if verdict != "pass"}
    assert bad == {"amount between", "updated_at fresh", "totals agree"}
    messages = {
        each["check"]: each["message"] for each in project.recorded("orders")["measurements"]
    }
    assert messages["totals agree"] == "the query gives 1, expected exactly 0"
    assert "is 1d 1h ago, expected no more than 24h ago" in messages["updated_at fresh"]


def test_segments_fail_by_themselves(shop):
    project = shop(
        row(1, amount="5"), row(2, store=2, amount="0"), row(3, store=2, amount="0"), ledger="123"
    )
    project.edit("contracts.yml", "between: [0, 1000000000]", "min: 1").run()

    (found,) = (
        m for m in project.recorded("orders")["measurements"] if m["check"] == "revenue per store"
    )
    assert found["verdict"] == "fail"
    assert found["message"] == (
        "1 of 2 segments by store: store = 2: sum(amount) is 0.00, expected at least 1"
    )


def test_a_table_that_a_query_reads_is_looked_at_again(shop):
    project = shop(row(1), row(2, store=2))
    project.run()
    assert project.to_do() == set()

    project.write({"ledger.csv": lines("order_id", "1")})

    assert project.plan()["orders"] == "judge: referenced table changed: ledger"
    assert project.run()["orders"] == "contract failed"


def test_reconciliation_and_functions_of_the_project(shop):
    contract = """\
orders:
  same_as: {table: ledger, key: order_id, columns: [order_id]}
  checks:
    - python: rules.py:amounts
    - {python: "steps.totals:total", max: "20.00"}
"""
    project = shop(
        row(1),
        row(2),
        contract=contract,
        **{
            "rules.py": "import polars as pl\n\ndef amounts(rows: pl.DataFrame):\n"
            "    return rows['amount'] <= 0\n",
            "steps/totals.py": "def total(rows: list[dict]):\n"
            "    return sum(row['amount'] for row in rows)\n",
        },
    )

    assert project.run()["orders"] == "done"
    assert verdicts(project) == {
        "same_as": "pass",
        "rules.py:amounts": "pass",
        "steps.totals:total": "pass",
    }
    project.edit("raw.csv", "9.90", "99.90").write({"ledger.csv": lines("order_id", "1")})
    assert project.run()["orders"] == "contract failed"
    assert verdicts(project) == {
        "same_as": "fail",
        "rules.py:amounts": "pass",
        "steps.totals:total": "fail",
    }


def test_sensitive_values_of_other_tables_are_not_shown(shop):
    contract = """\
orders:
  checks:
    - {sql: "select order_id, card from ledger"}
    - {sql: "select count(*) from ledger where card::int > 0", equals: 5}
    - {sql: "select max(card) from ledger", max: "0"}
    - {same_as: {sql: "select * from ledger", key: order_id}, where: order_id < 0}
ledger:
  columns: {card: {sensitive: true, required: true}}
"""
    project = shop(row(1), contract=contract, **{"ledger.csv": lines("order_id,card", "1,K-4711")})
    project.edit("steps/orders.sql", "from raw", "from raw, (select '' as card)")
    project.edit("steps/orders.sql", STEP.partition("from")[0], "select order_id, card\n")

    project.run()

    found = project.recorded("orders")["measurements"]
    assert [each["verdict"] for each in found] == ["fail", "error", "fail", "fail"]
    assert found[3]["sample"][0]["order_id"] == 1
    assert "4711" not in str(found)


def test_a_changed_function_judges_again(shop):
    code = "from limits import MOST\n\ndef few(rows: list[dict]):\n    return len(rows) <= MOST\n"
    contract = "orders:\n  checks: [{python: rules.py:few}]\n"
    files = {"rules.py": code, "limits.py": "MOST = 2\n"}
    project = shop(row(1), row(2), contract=contract, **files)
    assert project.run()["orders"] == "done"
    assert project.to_do() == set()

    project.edit("rules.py", "\n\ndef", "  # of one day\n\ndef")
    assert project.to_do() == set()

    project.edit("limits.py", "2", "1")
    assert project.run()["orders"] == "contract failed"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("rules.py:fwe", "rules.py:fwe is not there: rules.py has no 'fwe': did you mean 'few'?"),
        ("rulse.py:few", "rulse.py:few is not there: "),
        ("rulse:few", "rulse:few can't be loaded: ModuleNotFoundError: No module named 'rulse'"),
    ],
)
def test_a_function_that_is_not_there_is_refused(shop, reference, message):
    code = "def few(rows: list[dict]):\n    return len(rows) < 3\n"
    contract = f"orders:\n  checks:\n    - python: {reference}\n"
    project = shop(row(1), contract=contract, **{"rules.py": code})

    with pytest.raises(ProjectError) as raised:
        project.run()

    (problem,) = raised.value.problems
    assert message in problem.message
    assert str(problem.location) == "contracts.yml:3"


def test_added_counts_what_came_since_the_last_run(shop):
    contract = "orders:\n  added: {min: 2}\n"
    project = shop(row(1), row(2), contract=contract)
    project.edit("steps/orders.sql", "select order_id", "-- segue: {mode: append}\nselect order_id")
    assert project.run()["orders"] == "done"

    project.write({"raw-3.csv": lines(HEAD, row(3))})

    assert project.run()["orders"] == "contract failed"
    (found,) = project.recorded("orders")["measurements"]
    assert found["message"] == "1 new row, expected at least 2"
