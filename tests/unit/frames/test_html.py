"""Tables as HTML."""

import decimal

import pyarrow as pa
import pytest

from segue.frames.html import Markup, write_block, write_grid, write_rows, write_text

EVIL = "<script>&\"'"
SAFE = "&lt;script&gt;&amp;&quot;&#x27;"


@pytest.mark.parametrize("write", [write_text, write_block, lambda text: write_grid([text], [])])
def test_text_is_escaped(write):
    assert SAFE in write(EVIL)
    assert "<script" not in write(EVIL)


def test_rows_are_escaped_wherever_they_hold_text():
    table = pa.table(
        {
            EVIL: [EVIL],
            "list": [[EVIL]],
            "struct": [{EVIL: EVIL}],
            "binary": [b"<script>"],
            "category": pa.array([EVIL]).dictionary_encode(),
        }
    )
    assert "<script" not in write_rows(table)
    assert SAFE in write_rows(table)


def test_markup_is_left_as_it_is():
    assert write_text(Markup("<b>a</b>")) == "<b>a</b>"


def test_values_are_shown_with_their_types():
    table = pa.table({"n": [1, None], "m": [decimal.Decimal("1.10"), None]})
    shown = write_rows(table)
    assert "int64" in shown
    assert "decimal(3,2)" in shown or "decimal(3, 2)" in shown
    assert '<td class="segue-number">1.10</td>' in shown
    assert '<span class="segue-soft">null</span>' in shown
    assert "2 rows, 2 columns" in shown


def test_only_the_first_rows_columns_and_characters_are_shown():
    table = pa.table({f"c{at}": ["x" * 500] * 100 for at in range(40)})
    shown = write_rows(table)
    assert "first 20 of 100 rows, 40 columns, of which 30 are shown" in shown
    assert shown.count("<tr>") == 21
    assert len(shown) < 100_000


def test_no_rows_and_no_columns():
    assert "0 rows, 1 column" in write_rows(pa.table({"a": pa.array([], pa.int64())}))
    assert "0 rows, 0 columns" in write_rows(pa.table({}))
