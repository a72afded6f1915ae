"""Whatever data holds can be described, and passes the contract that is suggested for it."""

import pyarrow as pa
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import segue
from segue.spec.contract import Verdict
from tests.properties.drawing import NAMES, columns, tables

MANY = 40


@given(tables(), st.sampled_from([1, 2, 120]))
@settings(deadline=None, max_examples=60)  # each starts an engine's session
def test_data_passes_the_contract_suggested_for_it(table, times):
    # repeated, so that what is asked only of many rows is asked as well
    table = pa.concat_tables([table] * times)

    suggested = segue.suggest(table, "any table")

    assert list(yaml.safe_load(suggested)) == ["any table"]
    assert segue.check(table, suggested).verdict is Verdict.PASS, suggested


@given(tables())
@settings(deadline=None, max_examples=60)  # each starts an engine's session
def test_every_value_is_accounted_for(table):
    found = segue.profile(table)

    assert found.rows == table.num_rows
    for column, values in zip(found.columns, table.columns, strict=True):
        assert column.name in table.column_names
        assert column.nulls == values.null_count
        assert column.exact
        assert column.distinct <= column.values
        if column.histogram:
            outside = column.nans + column.infinite
            assert sum(each.rows for each in column.histogram) == column.values - outside
        if column.unique:
            assert column.distinct == column.values


@given(st.data(), st.lists(NAMES, min_size=1, max_size=4, unique_by=str.casefold))
@settings(deadline=None, max_examples=30)
def test_texts_of_any_kind_pass(data, names):
    names = list({name.lower(): name for name in names}.values())
    table = pa.table({name: data.draw(columns(pa.string(), MANY)) for name in names})
    table = pa.concat_tables([table] * 5)

    suggested = segue.suggest(table, data.draw(st.text(min_size=1, max_size=9)))

    assert segue.check(table, suggested).verdict is Verdict.PASS, suggested
