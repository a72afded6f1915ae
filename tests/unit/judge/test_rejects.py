"""Rows that break checks leave the table, with their reasons, and nothing else changes."""

import pyarrow as pa
import pytest

from segue.errors import OutputError
from segue.judge.before import Before
from segue.judge.rejects import set_aside
from segue.spec.contract import Tolerance, Verdict
from segue.spec.output import StagedTable, TableVersion
from segue.spec.step import Mode
from segue.spec.types import parse_schema
from tests.unit.judge.judging import fetch_rows, make_check, make_contract

SCHEMA = parse_schema("id: int64, store: string")
POSITIVE = make_check("between", [1, None], ["id"], name="positive")
KNOWN = make_check("in", ["a", "b"], ["store"], name="known")


def stage(session, lake, rows, mode=Mode.REPLACE, kept=None):
    def write(rows, stem):
        given = pa.table(dict(zip(SCHEMA.names, zip(*rows, strict=True), strict=True)))
        session.bind("given", given)
        folder = lake.folder("orders")
        return session.write("from given", folder, stem, SCHEMA, lake.storage_type)

    keeps = write(kept, "base") if kept else ()
    return StagedTable("orders", SCHEMA, mode, write(rows, "new"), keeps)


def divide(session, lake, staged, *checks, stem="run", base_rejects=None):
    contract = make_contract(*checks, rejects=True)
    return set_aside(session, staged, contract, lake, lake, stem, Before(base_rejects))


def read(session, lake, staged):
    """Return a staged table's rows, sorted."""
    session.bind("read", lake.scan(staged.schema, staged.table, staged.files))
    return fetch_rows(session, "from read order by all")


def publish(staged):
    return TableVersion(staged.table, 1, 1, staged.schema, staged.files, "hash", "run", "", "")


def test_failing_rows_leave_with_every_reason(session, lake):
    staged = stage(session, lake, [(1, "a"), (0, "a"), (2, "z"), (-1, "z")])
    before = staged.adds

    kept, rejects, report = divide(session, lake, staged, POSITIVE, KNOWN)

    assert read(session, lake, kept) == [(1, "a")]
    assert read(session, lake, rejects) == [
        (-1, "z", ["positive", "known"]),
        (0, "a", ["positive"]),
        (2, "z", ["known"]),
    ]
    assert rejects.table == "orders__rejects"
    assert [found.verdict for found in report.measurements] == [Verdict.FAIL, Verdict.FAIL]
    assert all(found.rejected and found.failing == 2 for found in report.measurements)
    assert not report.stops
    assert not any((lake.folder("orders") / file.path).exists() for file in before)


def test_nothing_fails_and_nothing_changes(session, lake):
    staged = stage(session, lake, [(1, "a")])

    kept, rejects, report = divide(session, lake, staged, POSITIVE)

    assert kept is staged
    assert (lake.folder("orders") / staged.adds[0].path).exists()
    assert read(session, lake, rejects) == []
    assert str(rejects.schema) == "id: int64, store: string, reject_reasons: list<string>"
    assert report.verdict is Verdict.PASS


def test_all_rows_of_a_group_of_duplicates_leave(session, lake):
    staged = stage(session, lake, [(1, "a"), (1, "b"), (2, "a"), (None, "c"), (None, "d")])

    kept, rejects, _ = divide(session, lake, staged, make_check("unique", True, ["id"]))

    assert read(session, lake, kept) == [(2, "a"), (None, "c"), (None, "d")]
    assert [row[:2] for row in read(session, lake, rejects)] == [(1, "a"), (1, "b")]


def test_rows_that_refer_to_nothing_leave(session, lake):
    session.bind("stores", "from (values ('a'), ('a'), (null)) t(store)")
    staged = stage(session, lake, [(1, "a"), (2, "z"), (3, "b")])

    kept, _, _ = divide(session, lake, staged, make_check("references", "stores.store", ["store"]))

    assert read(session, lake, kept) == [(1, "a")]


def test_kept_files_without_a_failing_row_stay(session, lake):
    staged = stage(session, lake, [(0, "a"), (3, "a")], Mode.APPEND, kept=[(1, "a")])

    kept, rejects, _ = divide(session, lake, staged, POSITIVE)

    assert kept.keeps == staged.keeps
    assert read(session, lake, kept) == [(1, "a"), (3, "a")]
    assert [row[0] for row in read(session, lake, rejects)] == [0]


def test_kept_row_that_a_new_one_doubles_leaves_too(session, lake):
    staged = stage(session, lake, [(1, "b"), (3, "a")], Mode.APPEND, kept=[(1, "a"), (2, "a")])

    kept, rejects, _ = divide(session, lake, staged, make_check("unique", True, ["id"]))

    assert kept.keeps == ()
    assert read(session, lake, kept) == [(2, "a"), (3, "a")]
    assert [row[:2] for row in read(session, lake, rejects)] == [(1, "a"), (1, "b")]
    assert (lake.folder("orders") / staged.keeps[0].path).exists()  # a published file


@pytest.mark.parametrize(("mode", "found"), [(Mode.APPEND, [-1, 0]), (Mode.REPLACE, [-1])])
def test_rejects_grow_as_their_table_does(session, lake, mode, found):
    _, first, _ = divide(session, lake, stage(session, lake, [(0, "a")], mode), POSITIVE)

    staged = stage(session, lake, [(-1, "a")], mode)
    base = publish(first)
    _, rejects, _ = divide(session, lake, staged, POSITIVE, stem="again", base_rejects=base)

    assert [row[0] for row in read(session, lake, rejects)] == found
    assert rejects.base == 1


def test_no_new_rejects_keep_what_was_there(session, lake):
    staged = stage(session, lake, [(0, "a")], Mode.APPEND)
    _, first, _ = divide(session, lake, staged, POSITIVE)
    staged = stage(session, lake, [(1, "a")], Mode.APPEND)

    _, rejects, _ = divide(session, lake, staged, POSITIVE, base_rejects=publish(first))

    assert rejects.adds == ()
    assert rejects.keeps == first.files


def test_exceeded_tolerance_stops_and_takes_nothing_out(session, lake):
    staged = stage(session, lake, [(1, "a"), (0, "a"), (0, "z")])
    bounded = make_check("between", [1, None], ["id"], fail=Tolerance(share=0.05))

    kept, rejects, report = divide(session, lake, staged, bounded, KNOWN)

    assert report.stops
    assert not any(found.rejected for found in report.measurements)
    assert kept is staged
    assert read(session, lake, rejects) == []


def test_tolerance_that_holds_still_sets_aside(session, lake):
    staged = stage(session, lake, [(1, "a"), (2, "a"), (0, "a")])
    bounded = make_check("between", [1, None], ["id"], fail=Tolerance(share=0.5))

    kept, _, report = divide(session, lake, staged, bounded)

    assert read(session, lake, kept) == [(1, "a"), (2, "a")]
    assert report.verdict is Verdict.PASS
    assert report.measurements[0].rejected


def test_check_that_only_warns_leaves_rows_in(session, lake):
    staged = stage(session, lake, [(1, "a"), (0, "a")])
    warning = make_check("between", [1, None], ["id"], fail=None, warn=Tolerance())

    kept, _, report = divide(session, lake, staged, warning)

    assert kept is staged
    assert report.verdict is Verdict.WARN


def test_whole_table_is_judged_on_what_is_left(session, lake):
    staged = stage(session, lake, [(1, "a"), (0, "a")])

    _, _, report = divide(session, lake, staged, make_check("rows", {"min": 2}), POSITIVE)

    rows, positive = report.measurements
    assert (rows.verdict, rows.value) == (Verdict.FAIL, 1)
    assert positive.rejected
    assert report.stops


def test_reference_to_a_row_set_aside_stops(session, lake):
    inward = make_check("references", "orders.id", ["id_before"])
    schema = parse_schema("id: int64, id_before: int64")
    session.bind("given", pa.table({"id": [0, 1], "id_before": pa.array([None, 0], pa.int64())}))
    files = session.write("from given", lake.folder("orders"), "new", schema, lake.storage_type)
    staged = StagedTable("orders", schema, Mode.REPLACE, files)

    _, _, report = divide(session, lake, staged, POSITIVE, inward)

    assert report.stops
    assert report.measurements[1].verdict is Verdict.FAIL


def test_check_that_can_not_be_measured_stops(session, lake):
    staged = stage(session, lake, [(0, "a")])

    kept, _, report = divide(session, lake, staged, POSITIVE, make_check("required", True, ["ix"]))

    assert report.stops
    assert kept is staged


def test_table_with_a_column_of_reasons_is_refused(session, lake):
    session.bind("given", pa.table({"reject_reasons": [1]}))
    schema = parse_schema("reject_reasons: int64")
    files = session.write("from given", lake.folder("orders"), "x", schema, lake.storage_type)

    with pytest.raises(OutputError, match="reject_reasons"):
        divide(session, lake, StagedTable("orders", schema, Mode.REPLACE, files))


def test_a_check_of_any_name_is_the_reason(session, lake):
    required = make_check("required", True, ["store"], name="it's there")

    kept, rejects, _ = divide(session, lake, stage(session, lake, [(1, "a"), (0, None)]), required)

    assert read(session, lake, kept) == [(1, "a")]
    assert read(session, lake, rejects) == [(0, None, ["it's there"])]
