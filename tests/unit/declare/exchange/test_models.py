"""Models of pandera and pydantic, judged by themselves and as contracts, say the same."""

import datetime as dt
import enum
import warnings
from typing import Annotated, Literal

import pandas as pd
import pyarrow as pa
import pydantic
import pytest

with warnings.catch_warnings():
    # pandera looks for PySpark, which warns of pandas 3
    warnings.simplefilter("ignore")
    import pandera.pandas as papd

from segue.declare.exchange.models import read_model
from tests.unit.declare.exchange.importing import judge

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet:FutureWarning")


class Orders(papd.DataFrameModel):
    id: int = papd.Field(ge=1, unique=True)
    store: str = papd.Field(isin=["a", "b"], nullable=True)
    code: str = papd.Field(str_matches="[A-Z]")
    amount: float = papd.Field(gt=0, le=100, nullable=True)
    at: papd.typing.Series[pd.Timestamp]

    class Config:
        strict = True


GOOD = {
    "id": [1, 2],
    "store": ["a", None],
    "code": ["A1", "B"],
    "amount": [0.5, None],
    "at": pd.to_datetime(["2026-01-01", "2026-01-02"]).as_unit("ns"),
}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"id": [1, 1]},
        {"id": [0, 2]},
        {"store": ["a", "z"]},
        {"code": ["a1", "B"]},
        {"code": ["xA", "B"]},
        {"code": [None, "B"]},
        {"amount": [0.0, 1.0]},
        {"amount": [100.0, 1.0]},
        {"amount": [100.5, 1.0]},
        {"more": [1, 2]},
    ],
)
def test_a_model_of_pandera_says_the_same(changes):
    frame = pd.DataFrame({**GOOD, **changes})
    try:
        Orders.validate(frame)
    except (papd.errors.SchemaError, papd.errors.SchemaErrors):
        expected = {"fail"}
    else:
        expected = set()
    draft = read_model(Orders, "orders")
    assert not draft.unsaid
    assert set(judge(draft, frame).values()) - {"pass"} == expected


class Level(enum.Enum):
    LOW = "low"
    HIGH = "high"


class Item(pydantic.BaseModel):
    id: Annotated[int, pydantic.Field(ge=1, lt=100)]
    name: Annotated[str, pydantic.Field(min_length=2, max_length=4)]
    kind: Literal["a", "b"] | None
    level: Level
    code: Annotated[str, pydantic.Field(pattern="[0-9]")]
    day: dt.date


ROW = {
    "id": 1,
    "name": "ab",
    "kind": None,
    "level": "low",
    "code": "x1",
    "day": dt.date(2026, 1, 1),
}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"id": 0},
        {"id": 100},
        {"id": None},
        {"name": "a"},
        {"name": "abcde"},
        {"kind": "c"},
        {"level": "mid"},
        {"code": "x"},
        {"day": None},
    ],
)
def test_a_model_of_pydantic_says_the_same(changes):
    row = {**ROW, **changes}
    try:
        Item.model_validate(row)
    except pydantic.ValidationError:
        expected = {"fail"}
    else:
        expected = set()
    draft = read_model(Item, "items")
    types = {"id": pa.int64(), "day": pa.date32()}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in row])
    data = pa.Table.from_pylist([row], schema=schema)
    assert set(judge(draft, data, table="items").values()) - {"pass"} == expected


def test_functions_are_told():
    schema = papd.DataFrameSchema({"x": papd.Column(int, papd.Check(lambda x: x > 0, name="mine"))})
    (told,) = read_model(schema, "t").unsaid
    assert told.where == "x: check mine"

    class Checked(pydantic.BaseModel):
        x: int

        @pydantic.field_validator("x")
        @classmethod
        def odd(cls, value):
            return value

    assert [each.where for each in read_model(Checked, "t").unsaid] == ["validator odd"]
