"""Frames that a function is given as they are look like those that went through Arrow."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

import segue
from segue.anywhere.data import read_data
from segue.errors import OutputError, StepError
from segue.frames.pandas_ import PANDAS, describe_plain

BIG = 2**53 + 1


def make_plain(rows=60):
    """Return a frame with a column of every plain type, and gaps where a type has them."""
    numbers = np.arange(rows)
    frame = pd.DataFrame(
        {
            "key": numbers[::-1] % 7,
            "big": numbers + BIG,
            "small": numbers.astype("int8"),
            "unsigned": numbers.astype("uint64") + 2**63,
            "flag": numbers % 3 == 0,
            "half": np.where(numbers % 5, numbers / 2, np.nan),
            "single": numbers.astype("float32"),
            "when": np.array(numbers, "M8[s]"),
            "nanos": np.where(numbers % 4, np.array(numbers, "M8[ns]"), np.datetime64("NaT")),
        }
    )
    if pd.__version__ >= "3":
        texts = [None if n % 6 == 0 else f"text {n % 11}" for n in range(rows)]
        frame["text"] = pd.Series(texts, dtype="str")
    return frame


def transform_both(frame, function, **options):
    """Return what comes directly, and what comes through Arrow, where groups may be skipped."""
    assert read_data(frame, "data", live=False, plain=True).plain is not None
    given = frame.copy()
    direct = segue.transform(frame, function, **options)
    pd.testing.assert_frame_equal(frame, given)
    return direct, segue.transform(frame, function, **options, skip=KeyboardInterrupt)


def keep(frame: pd.DataFrame) -> pd.DataFrame:
    return frame


def describe_parts(frame: pd.DataFrame) -> pd.DataFrame:
    """Tell all that a function can see of a frame."""
    told = [
        repr(frame.dtypes.to_dict()),
        repr(frame.index),
        repr(frame.columns),
        repr(type(frame)),
        repr(frame.attrs),
        frame.to_csv(),
    ]
    return pd.DataFrame({"told": told})


BY = [None, "key", "half", "flag", "nanos", "single", ["key", "flag"], ["half", "nanos"]]
SORTS = [None, "-big", ["-half", "small"], "nanos"]


@pytest.mark.parametrize("by", BY, ids=str)
@pytest.mark.parametrize("sort", SORTS, ids=str)
@pytest.mark.parametrize("function", [keep, describe_parts])
def test_what_is_given_and_comes_back_is_the_same(by, sort, function):
    direct, through = transform_both(make_plain(), function, by=by, sort=sort)
    pd.testing.assert_frame_equal(direct, through, check_exact=True, check_freq=True)
    assert type(direct.index) is type(through.index)
    assert [str(d) for d in direct.dtypes] == [str(d) for d in through.dtypes]


@pytest.mark.skipif(pd.__version__ < "3", reason="texts are objects there")
@pytest.mark.parametrize("by", ["text", ["key", "text"]], ids=str)
def test_texts_are_keys(by):
    direct, through = transform_both(make_plain(), keep, by=by, sort="-text")
    pd.testing.assert_frame_equal(direct, through)


@pytest.mark.parametrize("by", [None, "key"])
def test_frames_without_rows(by):
    frame = make_plain(0)
    if by is None:
        direct, through = transform_both(frame, keep)
        pd.testing.assert_frame_equal(direct, through)
    with pytest.raises(OutputError, match="returned nothing to tell columns by"):
        segue.transform(frame, keep, by="key")
    direct, through = transform_both(frame, keep, by=by, schema="*, n: int64")
    pd.testing.assert_frame_equal(direct, through)
    assert list(direct.columns)[-1] == "n"


@pytest.mark.parametrize("by", [None, "key"])
def test_a_result_without_rows_keeps_its_types(by):
    direct, through = transform_both(make_plain(), lambda frame: frame[:0], by=by)
    pd.testing.assert_frame_equal(direct, through)


def test_more_groups_than_are_joined_at_once():
    frame = pd.DataFrame({"key": np.arange(1_500), "n": np.arange(1_500.0)})
    direct, through = transform_both(frame[::-1].reset_index(drop=True), keep, by="key")
    pd.testing.assert_frame_equal(direct, through)
    assert direct["n"].tolist() == frame["n"].tolist()


def change(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[0, "big"] = -1
    frame["half"] = 0.0
    frame.columns.name = "renamed"
    frame.index.name = "row"
    frame.attrs["changed"] = True
    return frame[["key", "big"]]


@pytest.mark.parametrize("by", [None, "key"])
def test_what_a_function_changes_stays_its_own(by):
    frame = make_plain()
    direct, through = transform_both(frame, change, by=by)
    pd.testing.assert_frame_equal(direct, through)
    assert (frame.columns.name, frame.index.name, frame.attrs) == (None, None, {})
    direct.loc[0, "big"] = -2
    assert (frame["big"] >= BIG).all()


def test_a_result_is_no_window_into_the_callers_frame():
    frame = make_plain()
    same = segue.transform(frame, keep)
    frame.loc[:, "big"] = 0
    assert (same["big"] >= BIG).all()
    numbers = np.arange(5)
    lent = pd.DataFrame({"n": numbers}, copy=False)
    same = segue.transform(lent, keep)
    numbers[:] = 0
    assert same["n"].tolist() == [0, 1, 2, 3, 4]


RESULTS = {
    "gaps beside integers": lambda f: pd.DataFrame(
        {"n": pd.array([BIG, None if f["key"][0] else 1], dtype="Int64")}
    ),
    "objects": lambda f: pd.DataFrame({"day": [dt.date(2020, 1, 1)], "key": [f["key"][0]]}),
    "named index": lambda f: f.groupby("flag")[["half"]].sum(),
    "other types": lambda f: pd.DataFrame({"n": [1 if f["key"][0] else 1.5]}),
    "a zone": lambda f: f[["when"]].apply(lambda c: c.dt.tz_localize("Europe/Rome")),
    "categories": lambda f: pd.DataFrame({"c": pd.Categorical(["a", "b"])}),
    "nothing for some": lambda f: pd.DataFrame() if f["key"][0] else f[["key"]],
    "no rows for some": lambda f: f[["key", "big"]][: 0 if f["key"][0] else 3],
    "marked": lambda f: _mark(f[["key"]]),
    "subclass": lambda f: _Frame(f[["key"]]),
    "odd index": lambda f: f[["key"]].set_index(pd.Index(list("x" * len(f)))),
    "yielded": lambda f: iter([f[["key"]], f[["key"]][:1]]),
    "rows": lambda f: [{"key": int(f["key"][0])}],
    "columns with a name": lambda f: f[["key"]].rename_axis(columns="what"),
}


class _Frame(pd.DataFrame):
    @property
    def _constructor(self):
        return _Frame


def _mark(frame):
    frame.attrs["unit"] = "m"
    return frame


@pytest.mark.parametrize("result", RESULTS)
@pytest.mark.parametrize("by", [None, "key"])
def test_results_of_any_kind(result, by):
    direct, through = transform_both(make_plain(), RESULTS[result], by=by)
    pd.testing.assert_frame_equal(direct, through)
    assert type(direct) is type(through) is pd.DataFrame
    assert direct.attrs == through.attrs
    assert direct.columns.name is None


SCHEMAS = {
    "as it is": "key: int64, half: float64",
    "another order": "half: float64, key: int64",
    "narrower": "key: int8, half: float64",
    "wider": "key: float64, half: float64",
    "text": "key: string, half: float64",
}


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("by", [None, "key"])
def test_results_are_cast_to_a_schema(schema, by):
    def pick(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[["key", "half"]]

    direct, through = transform_both(make_plain(), pick, by=by, schema=SCHEMAS[schema])
    pd.testing.assert_frame_equal(direct, through)
    assert ", ".join(direct.columns) == ", ".join(
        part.partition(":")[0] for part in SCHEMAS[schema].split(", ")
    )


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("key: int64", "with 'half' that the schema does not have"),
        ("key: int64, half: float64, more: int64", "without 'more'"),
        ("key: int64, half: int64", "column 'half' is float64 and can't be int64: row"),
        ("key: int64, half: timestamp", "column 'half' is float64 and can't be timestamp"),
    ],
)
def test_results_that_do_not_fit(schema, message):
    def pick(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[["key", "half"]]

    told = []
    for skip in ((), KeyboardInterrupt):
        with pytest.raises(OutputError, match=message) as raised:
            segue.transform(make_plain(), pick, by="key", schema=schema, skip=skip)
        told.append((str(raised.value), raised.value.group, raised.value.sample))
    assert told[0] == told[1]


@pytest.mark.parametrize("by", [None, "half", ["key", "flag"]], ids=str)
def test_errors_tell_the_same(by):
    def fail(frame: pd.DataFrame) -> pd.DataFrame:
        frame["big"] = 0
        raise ValueError("no")

    told = []
    for skip in ((), KeyboardInterrupt):
        with pytest.raises(StepError, match="raised ValueError: no") as raised:
            segue.transform(make_plain(), fail, by=by, sort="-big", skip=skip)
        error = raised.value
        told.append((str(error), error.group, error.sample, error.trace, error.location))
    assert told[0] == told[1]
    assert by is not None or str(BIG + 59) in told[0][2]  # as it was, in the order asked for


@pytest.mark.parametrize("returns", ["arrow", "polars", "rows", "pandas"])
def test_another_kind_of_frame_can_be_asked_for(returns):
    direct = segue.transform(make_plain(), keep, by="key", returns=returns)
    through = segue.transform(make_plain(), keep, by="key", returns=returns, skip=KeyError)
    assert type(direct) is type(through)
    assert str(direct) == str(through)


@pytest.mark.parametrize("annotation", ["pyarrow.Table", "polars.DataFrame", "list[dict]"])
def test_functions_of_other_frames(annotation):
    def show(frame):
        return [{"type": type(frame).__name__}]

    show.__annotations__["frame"] = annotation
    (name,) = set(segue.transform(make_plain(), show, by="key")["type"])
    assert name in {"pyarrow.Table": "Table", "polars.DataFrame": "DataFrame"}.get(
        annotation, "list"
    )


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}),
        pd.DataFrame({"a": pd.array([1.5, float("nan")], dtype="Float64")}),
        pd.DataFrame({"a": np.array([1, 2], ">i8")}),
        pd.DataFrame({"a": np.array([1, 2], "f2")}),
        pd.DataFrame({"a": [dt.date(2020, 1, 1)]}),
        pd.DataFrame({"a": pd.Categorical(["x"])}),
        pd.DataFrame({"a": pd.to_datetime(["2020-01-01"]).tz_localize("UTC")}),
        pd.DataFrame({"a": [1]}, index=pd.Index([5], name="id")),
        pd.DataFrame({1: [1]}),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame({"a": [1]}).rename_axis(columns="what"),
        pd.DataFrame({("a", "b"): [1]}),
        pd.DataFrame(),
        pd.DataFrame(index=range(3)),
        _mark(pd.DataFrame({"a": [1]})),
        pd.DataFrame({"a": [1]}).set_flags(allows_duplicate_labels=False),
        _Frame({"a": [1]}),
    ],
    ids=lambda frame: " ".join(map(str, frame.dtypes)),
)
def test_all_other_frames_go_through_arrow(frame):
    assert describe_plain(frame) is None


def test_long_texts_weigh():
    numbers = make_plain().drop(columns="text", errors="ignore")
    assert PANDAS.plain.weigh(numbers) == 8 * numbers.size
    if pd.__version__ >= "3":
        assert PANDAS.plain.weigh(pd.DataFrame({"text": ["x" * 10**6]})) > 10**6
