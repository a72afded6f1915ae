"""What the tests of importers share: a draft judged as contracts would be."""

import segue
from segue.declare.exchange.prove import prove_contracts
from segue.declare.exchange.write import write_yaml


def judge(draft, data, table="orders", **others):
    """Return the verdict of each check of an imported contract on data."""
    text = write_yaml(draft.plain())
    prove_contracts(text, "imported", draft)
    report = segue.check(data, {table: draft.tables[table].plain()}, **others)
    return {found.check: str(found.verdict) for found in report.measurements}
