"""What DuckDB answers, and whether Spark answers the same."""

from segue.errors import SegueError


def expect_same(session, local, query):
    """Expect rows and types of DuckDB, or an error where DuckDB has one."""
    error = find_error(local, query)
    if error is not None:
        assert type(find_error(session, query)) is type(error)
        return
    expected = local.fetch(query)
    found = session.fetch(query)
    assert session.describe(query) == local.describe(query)
    assert found.schema == expected.schema
    ordered = "order by" in query.rpartition(")")[2]
    assert _rows(found, ordered=ordered) == _rows(expected, ordered=ordered)


def find_error(session, query):
    try:
        session.fetch(query)
    except SegueError as error:
        return error
    return None


def _rows(table, *, ordered):
    # NaN equals itself as text, and zero has no sign that groups would keep
    rows = [str(list(row.values())).replace("-0.0", "0.0") for row in table.to_pylist()]
    return rows if ordered else sorted(rows)
