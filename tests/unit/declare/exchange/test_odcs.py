"""Data contracts of the Open Data Contract Standard, in and out."""

import pyarrow as pa
import pytest
import yaml

from segue.declare.contracts import parse_contracts
from segue.declare.exchange.odcs_read import read_contract
from segue.declare.exchange.odcs_write import write_contract
from segue.declare.exchange.write import write_yaml
from segue.declare.problems import Problems
from tests.unit.declare.exchange.importing import judge

DATA = pa.table(
    {"id": pa.array([1, 2, 2], pa.int64()), "status": ["new", "odd", None], "n": [1.0, 5.0, 10.0]}
)
STORES = pa.table({"id": [1, 2]})


def read(properties, quality=(), **more):
    schema = [{"name": "orders", "properties": properties, "quality": list(quality)}]
    document = {"apiVersion": "v3.1.0", "kind": "DataContract", "schema": schema, **more}
    return read_contract(document)


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ({"pass"}, {"name": "id", "logicalType": "integer", "required": True}),
        ({"fail"}, {"name": "id", "unique": True}),
        ({"pass", "fail"}, {"name": "id", "primaryKey": True}),
        ({"fail"}, {"name": "status", "physicalType": "int64"}),
        ({"fail"}, {"name": "n", "logicalTypeOptions": {"minimum": 2, "maximum": 10}}),
        ({"pass"}, {"name": "status", "logicalTypeOptions": {"minLength": 3, "maxLength": 3}}),
        ({"fail"}, {"name": "status", "logicalTypeOptions": {"pattern": "[a-m]+"}}),
        ({"fail"}, {"name": "id", "relationships": [{"to": "stores.store"}]}),
        ({"fail"}, {"name": "status", "quality": [{"metric": "nullValues", "mustBe": 0}]}),
        (
            {"pass"},
            {
                "name": "status",
                "quality": [{"metric": "nullValues", "mustBeLessThan": 34, "unit": "percent"}],
            },
        ),
        (
            {"fail"},
            {
                "name": "status",
                "quality": [
                    {
                        "metric": "invalidValues",
                        "arguments": {"validValues": ["new"]},
                        "mustBe": 0,
                    }
                ],
            },
        ),
        (
            {"warn"},
            {
                "name": "id",
                "quality": [{"metric": "duplicateValues", "mustBe": 0, "severity": "warning"}],
            },
        ),
        (
            {"pass"},
            {
                "name": "n",
                "quality": [
                    {
                        "type": "sql",
                        "query": "SELECT max(${property}) FROM ${object}",
                        "mustBeBetween": [5, 10],
                    }
                ],
            },
        ),
    ],
)
def test_a_property_has_its_verdict(verdicts, said):
    draft = read([said])
    assert not draft.unsaid
    stores = pa.table({"store": [1]})
    assert set(judge(draft, DATA, stores=stores).values()) == verdicts


def test_rules_of_the_whole_table():
    quality = [
        {"metric": "rowCount", "mustBeGreaterThan": 2},
        {"metric": "duplicateValues", "arguments": {"properties": ["id", "n"]}, "mustBe": 0},
    ]
    assert set(judge(read([], quality), DATA).values()) == {"pass"}


def test_what_contracts_can_not_say_is_told():
    quality = [{"type": "text", "description": "It is right."}, {"type": "custom", "engine": "x"}]
    draft = read([{"name": "id", "logicalType": "object"}], quality)
    assert [each.where for each in draft.unsaid] == [
        "id: object",
        "orders: It is right.",
        "orders: None",
    ]


def test_another_version_is_refused():
    with pytest.raises(ValueError, match=r"v3\.x"):
        read_contract({"apiVersion": "v2.2.2"})


CONTRACTS = """
orders:
  owner: sales@example.com
  about: One row per order.
  columns:
    id: {about: Number of the order., type: int64, required: true, unique: true}
    status: {in: [new, odd], required: {fail: 50%}, sensitive: true}
    n: {between: [0, 10], references: stores.id}
  unique: [[id, n]]
  rows: {min: 1}
  checks:
    - {name: positive, rule: n > 0}
"""


def parse(text):
    problems = Problems()
    found = parse_contracts(text, "contracts.yml", ["orders", "stores"], (), problems)
    problems.check()
    return found


def test_what_is_written_reads_the_same():
    (first,) = parse(CONTRACTS).values()
    document, unsaid = write_contract([first], "shop")
    assert not unsaid
    again = read_contract(yaml.safe_load(write_yaml(document)))
    assert not again.unsaid
    (second,) = parse(write_yaml(again.plain())).values()
    assert (second.owner, second.about, second.sensitive) == (
        first.owner,
        first.about,
        first.sensitive,
    )
    data = {"orders": DATA, "stores": pa.table({"id": [1.0, 5.0, 10.0]})}
    import segue

    verdicts = []
    for text in (CONTRACTS, write_yaml(again.plain())):
        report = segue.check(data["orders"], text, stores=data["stores"])
        # a column that the standard lists is there, whether or not it says more of it
        found = [each for each in report.measurements if each.kind != "present"]
        verdicts.append(sorted(str(each.verdict) for each in found))
    assert verdicts[0] == verdicts[1]
    assert set(verdicts[0]) == {"pass", "fail"}


def test_what_the_standard_can_not_say_is_told():
    (contract,) = parse(
        "orders: {columns: {n: {mean: [0, 1], between: {min: 0, where: id > 1}}}, rejects: true}"
    ).values()
    _, unsaid = write_contract([contract], "shop")
    assert [each.what for each in unsaid] == [
        "the standard has no word for `mean`",
        "the standard has no word for `where id > 1`",
        "the standard sets no rows aside",
    ]
