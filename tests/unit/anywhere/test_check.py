import pandas as pd
import pyarrow as pa
import pytest

import segue
from segue.errors import UsageError
from segue.spec.contract import Verdict

DATA = pa.table({"id": [1, 2, 2], "mail": ["a@b", None, "c"]})
CONTRACT = """
columns:
  id: {unique: true, type: int64}
  mail:
    required: true
    matches: .+@.+
rows: {min: 1}
"""


def verdicts(report):
    return {found.check: found.verdict for found in report.measurements}


EXPECTED = {
    "id unique": Verdict.FAIL,
    "id type": Verdict.PASS,
    "mail required": Verdict.FAIL,
    "mail matches": Verdict.FAIL,
    "rows": Verdict.PASS,
}


def test_contract_as_text_dict_and_file(tmp_path, parquet):
    path = tmp_path / "contract.yml"
    path.write_text("people:" + CONTRACT.replace("\n", "\n  "))
    spelled = {
        "columns": {
            "id": {"unique": True, "type": "int64"},
            "mail": {"required": True, "matches": ".+@.+"},
        },
        "rows": {"min": 1},
    }
    for contract in (CONTRACT, spelled, path, str(path)):
        for data in (DATA, DATA.to_pandas(), parquet(DATA), iter([DATA])):
            report = segue.check(data, contract)
            assert verdicts(report) == EXPECTED
            assert report.stops
            assert report.rows == 3
    assert segue.check(DATA, path).table == "people"


def test_other_tables_can_be_referred_to():
    contract = {"columns": {"id": {"references": "people.id"}}}
    report = segue.check(DATA, contract, people=pd.DataFrame({"id": [1]}))
    assert report.measurements[0].failing == 2
    with pytest.raises(UsageError, match="there is no table 'people'"):
        segue.check(DATA, contract)


@pytest.mark.parametrize(
    ("contract", "message", "hint"),
    [
        ({"colums": {"id": {"unique": True}}}, "there is no key 'colums'", "columns"),
        ({"columns": {"id": {"uniqe": True}}}, "there is no key 'uniqe'", "unique"),
        ("columns: [", "not valid YAML", ""),
        ("- a", "not a mapping of checks", "columns:"),
        (3, "the contract is of type int", "a dict, a YAML text"),
        ("nowhere.yml", "can't be read", ""),
        ({"a": {"rows": {"min": 1}}, "b": {"rows": {"min": 1}}}, "several tables", "one of them"),
    ],
)
def test_mistakes_are_told(contract, message, hint):
    with pytest.raises(UsageError) as raised:
        segue.check(DATA, contract)
    assert message in str(raised.value)
    assert hint in raised.value.hint
