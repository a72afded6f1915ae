"""Findings that are hard to write down: hostile values, long ones, and every verdict."""

from segue.errors import Location
from segue.judge.findings import Findings
from segue.spec.contract import Check, Contract, Measurement, Report, Segment, Tolerance, Verdict
from segue.spec.history import Point

HOSTILE = (
    "<script>alert(1)</script>",
    "\x1b[31mred",
    "\u202egnp.exe",
    "]]>&amp;\x00\ufffe\ud800",
    "a|b\n`c` **d** @team #12 https://x.test ::error::y",
    "x" * 5000,
    "مرحبا",
)
ROW = {"id": 7, "email": "***", **{f"v{at}": value for at, value in enumerate(HOSTILE)}}


def measured(check, verdict, *, table="orders", rows=1000, failing=None, message="", **rest):
    told = {"kind": "between", "columns": ("id",), **rest}
    return Measurement(
        table=table,
        check=check,
        verdict=verdict,
        rows=rows,
        failing=failing,
        message=message or f"{failing} of {rows} rows break `id between 0 and 9`",
        **told,
    )


def make_findings(*extra, subject="shop", owner="owner@example.com"):
    found = (
        measured("good", Verdict.PASS, failing=0),
        measured("odd", Verdict.WARN, failing=3, sample=(ROW,)),
        measured(
            "bad",
            Verdict.FAIL,
            failing=40,
            sample=(ROW,),
            shared=("97% of them have carrier = 'XX' (2% of all rows)",),
            seconds=0.25,
            sql="select count(*) from orders where id < 0",
        ),
        measured("aside", Verdict.FAIL, failing=5, rejected=True),
        measured("broken", Verdict.ERROR, message="can't be measured: no table `</pre>`"),
        measured(
            "parts",
            Verdict.FAIL,
            failing=9,
            segments=(Segment({"store": HOSTILE[0]}, Verdict.FAIL, 10, 9),),
        ),
        *extra,
    )
    others = (measured("rows", Verdict.PASS, table="stores", value=40.0, message="40 rows"),)
    checks = tuple(
        Check(m.check, m.kind, m.columns, {}, Tolerance(), None, Location("contracts.yml", 3 + at))
        for at, m in enumerate(found)
    )
    contract = Contract("orders", Location("contracts.yml", 1), checks, owner=owner)

    def past(table):
        days = range(1, 29)
        return [
            Point(f"2026-01-{d:02d}T04:00:00", Verdict.PASS, 1000, d % 5, check="bad") for d in days
        ]

    reports = (Report("orders", 1000, found), Report("stores", 40, others))
    return Findings(subject, reports, {"orders": contract}, "2026-02-01T04:00:00+00:00", past)
