"""``contracts.yml``: its checks, and every mistake in it with its line."""

import textwrap

import pytest

from segue.declare.contracts import parse_contracts
from segue.declare.problems import Problems
from segue.errors import Location
from segue.spec.contract import Tolerance
from segue.spec.types import parse_type

ZERO = Tolerance(count=0)
TABLES = ("orders", "Stores", "items")


def parse(text):
    problems = Problems()
    found = parse_contracts(textwrap.dedent(text), "contracts.yml", TABLES, ("lost",), problems)
    problems.check()
    return found


def check(text):
    """Return the one check of a column or table, written as an item below ``orders``."""
    (found,) = parse("orders:\n" + textwrap.indent(textwrap.dedent(text), "  "))["orders"].checks
    return found


def test_the_contract_of_the_design():
    contract = parse(
        """
        orders:
          owner: sales-data@example.com
          about: One row per order.
          columns:
            order_id: {type: int64, required: true, unique: true}
            email:    {type: string, matches: '.+@.+', sensitive: true, about: Address.}
            amount:   {type: "decimal(18,2)", between: [0, 100000]}
            status:   {in: [new, paid, no, on]}
            store:    {references: stores.id}
            phone:    {matches: {pattern: '[0-9]+', warn: 0.1%, fail: 5%}}
          unique: [[store, day]]
          rows: {min: 1}
          checks:
            - {name: paid orders have a date, rule: paid_at is not null, where: "status = 'paid'"}
          rejects: true
        """
    )["orders"]
    assert (contract.owner, contract.about) == ("sales-data@example.com", "One row per order.")
    assert contract.rejects
    assert contract.sensitive.names == ("email",)
    assert contract.columns["email"] == "Address."
    assert contract.types["amount"] == parse_type("decimal(18,2)")
    assert contract.references == ("Stores",)
    assert contract.location == Location("contracts.yml", 2)
    assert [(c.name, c.location.line) for c in contract.checks] == [
        ("order_id type", 6),
        ("order_id required", 6),
        ("order_id unique", 6),
        ("email type", 7),
        ("email matches", 7),
        ("amount type", 8),
        ("amount between", 8),
        ("status in", 9),
        ("store references", 10),
        ("phone matches", 11),
        ("store, day unique", 12),
        ("rows", 13),
        ("paid orders have a date", 15),
    ]
    named = {c.name: c for c in contract.checks}
    # words of YAML 1.1 that mean themselves here
    assert named["status in"].arguments["values"] == ["new", "paid", "no", "on"]
    assert named["email matches"].sensitive
    assert not named["phone matches"].sensitive
    assert named["store, day unique"].columns == ("store", "day")


@pytest.mark.parametrize(
    ("text", "fail", "warn"),
    [
        ("columns: {a: {required: true}}", ZERO, None),
        ("columns: {a: {required: {}}}", ZERO, None),
        ("columns: {a: {required: {warn: 0}}}", None, ZERO),
        ("columns: {a: {required: {warn: 3, fail: 10}}}", Tolerance(10), Tolerance(3)),
        ("columns: {a: {required: {fail: 2.5 %}}}", Tolerance(share=0.025), None),
        ("columns: {a: {required: {fail: none, warn: 1%}}}", None, Tolerance(share=0.01)),
        ("columns: {a: {required: {severity: warn}}}", None, ZERO),
        ("columns: {a: {in: {values: [x], severity: fail}}}", ZERO, None),
        ("columns: {a: {between: {min: 0, warn: 1%}}}", None, Tolerance(share=0.01)),
        ("unique: {columns: [a, b], nulls: equal, fail: 3}", Tolerance(3), None),
        ("unique: [a, b]", ZERO, None),
        ("rows: {min: 1, severity: warn}", None, ZERO),
        ("checks: [{rule: a > 1, warn: 0}]", None, ZERO),
        ("checks: [{rows: {min: 1}, name: x}]", ZERO, None),
    ],
)
def test_tolerances(text, fail, warn):
    found = check(text)
    assert (found.fail, found.warn) == (fail, warn)


def test_names_are_given_or_made():
    assert check("checks: [{rule: 'a >\n  1'}]").name == "a > 1"
    assert check("columns: {a: {required: {name: here}}}").name == "here"
    two = parse("orders: {unique: [[a, b], {columns: [a, b], nulls: equal}]}")["orders"].checks
    assert [c.name for c in two] == ["a, b unique", "a, b unique (2)"]


def test_a_check_that_is_false_is_none():
    assert parse("orders: {columns: {a: {required: false, unique: false}}}")["orders"].checks == ()


def test_the_digest_is_of_what_decides():
    def digest(text):
        return parse(text)["orders"].digest

    base = digest("orders: {columns: {a: {required: true}, b: {in: [1, 2]}}}")
    assert base == digest("orders:\n  owner: x\n  columns: {b: {in: [1, 2]}, a: {required: true}}")
    others = {
        digest("orders: {columns: {a: {required: true}, b: {in: [1, 3]}}}"),
        digest("orders: {columns: {a: {required: true}, b: {in: [1, '2']}}}"),
        digest("orders: {columns: {a: {required: {fail: 1}}, b: {in: [1, 2]}}}"),
        digest("orders: {columns: {a: {required: true}, b: {in: [1, 2]}}, rejects: true}"),
        digest("orders: {columns: {c: {required: true}, b: {in: [1, 2]}}}"),
        digest("orders: {columns: {a: {required: {new: true}}, b: {in: [1, 2]}}}"),
    }
    assert len(others | {base}) == 7


WRONG = [
    ("orders:\n  columns: {a: [}", "yaml-syntax", 2, "not valid YAML", ""),
    ("orders: &a [*a]", "yaml-syntax", 1, "too deeply", "aliases"),
    ("[" * 100_000, "yaml-syntax", 1, "too deeply", "aliases"),
    (
        "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        + "\n".join(
            f"{n}: &{n} [{', '.join([f'*{m}'] * 10)}]"
            for m, n in zip("abcdef", "bcdefg", strict=True)
        ),
        "yaml-syntax",
        1,
        "too large",
        "aliases",
    ),
    ("- orders", "bad-contract", 1, "not a mapping of tables", "name of a table"),
    ("ordrs: {}", "unknown-table", 1, "'ordrs'", "did you mean 'orders'?"),
    ("orders: {}\n\norders: {}", "duplicate-key", 3, "line 1", "keep one"),
    ("orders:\n  columns:\n    a: {}\n    a: {}", "duplicate-key", 4, "line 3", "keep one"),
    ("orders:\n  rows:\n    min: 1\n    min: 5", "duplicate-key", 4, "line 3", "keep one"),
    ("orders: x", "bad-contract", 1, "not a mapping", "columns, checks"),
    ("orders:\n  colums: {}", "unknown-key", 2, "'colums'", "'columns'"),
    (
        "orders:\n  columns:\n    a: int64",
        "bad-contract",
        3,
        "'a' is not a mapping",
        "{type: int64}",
    ),
    ("orders:\n  columns:\n    a: {requird: true}", "unknown-key", 3, "'requird'", "'required'"),
    ("orders:\n  columns:\n    a:\n      type: int65", "bad-check", 4, "unknown type 'int65'", ""),
    ("orders:\n  columns:\n    a: {rows: 3}", "bad-contract", 3, "check of a table", "move it"),
    ("orders:\n  between: [0, 1]", "bad-contract", 2, "check below a column", "move it"),
    ("orders:\n  columns:\n    a: {between: [1, 0]}", "bad-check", 3, "smaller bound", ""),
    ("orders:\n  columns:\n    a: {references: shops.id}", "unknown-table", 3, "'shops'", ""),
    ("orders:\n  columns:\n    a: {in: {values: [1], wran: 1}}", "bad-check", 3, "wran", ""),
    ("orders:\n  columns:\n    a: {required: {warn: lots}}", "bad-check", 3, "not 'lots'", ""),
    ("orders:\n  columns:\n    a: {required: {warn: 5, fail: 1}}", "bad-check", 3, "before it", ""),
    ("orders:\n  columns:\n    a: {required: {severity: x}}", "bad-check", 3, "warn or fail", ""),
    (
        "orders:\n  columns:\n    a: {required: {severity: warn, warn: 1}}",
        "bad-check",
        3,
        "all",
        "",
    ),
    ("orders:\n  rows: {min: 1, fail: 5%}", "bad-check", 2, "counts no rows", ""),
    ("orders:\n  fresh: 24h", "bad-check", 2, "or put it below a column", ""),
    ("orders:\n  fresh: {column: a, within: soon}", "bad-check", 2, "is not a duration", ""),
    ("orders:\n  checks:\n    - {metric: sum(a)}", "bad-check", 3, "or anomaly: true", ""),
    ("orders:\n  checks:\n    - {metric: a, max: 5}", "bad-check", 3, "is no aggregate", ""),
    ("orders:\n  columns:\n    a: {sum: {}}", "bad-check", 3, "or anomaly: true", ""),
    ("orders:\n  columns:\n    a: {sum: }", "bad-check", 3, "expected bounds", ""),
    ("orders:\n  added: {min: 1, new: true}", "bad-check", 2, "'new' makes no sense", ""),
    ("orders:\n  checks:\n    - {sql: delete from a}", "bad-check", 3, "is not a SELECT", ""),
    (
        "orders:\n  checks:\n    - {sql: from itmes}",
        "unknown-table",
        3,
        "no table 'itmes'",
        "items",
    ),
    ("orders:\n  checks:\n    - {metirc: sum(a), max: 1}", "bad-check", 3, "one of", "'metric'"),
    ("orders:\n  checks: {rule: a}", "bad-contract", 2, "is a list", "- {name"),
    ("orders:\n  checks: [a > 1]", "bad-contract", 2, "is a mapping", "rule"),
    ("orders:\n  checks:\n    - {name: x}", "bad-check", 3, "says one of", ""),
    ("orders:\n  checks:\n    - {rule: a >}", "bad-check", 3, "can't be read", ""),
    (
        "orders:\n  rejects: true\n  columns:\n    a: {required: {sample: 5%}}",
        "bad-check",
        4,
        "a required looks at a sample",
        "only warn",
    ),
    ("orders:\n  rejects: maybe", "bad-contract", 2, "true or false", ""),
    ("orders:\n  owner: [a]", "bad-contract", 2, "not a text", ""),
]


@pytest.mark.parametrize(("text", "code", "line", "message", "hint"), WRONG)
def test_mistakes(text, code, line, message, hint):
    problems = Problems()
    parse_contracts(text, "contracts.yml", TABLES, (), problems)
    problem = problems.sorted()[0]
    assert (problem.code, problem.location) == (code, Location("contracts.yml", line))
    assert message in problem.message
    assert hint in problem.hint


def test_two_checks_of_one_name():
    problems = Problems()
    text = "orders:\n  checks:\n    - {name: x, rule: a > 1}\n    - {name: x, rule: a > 2}"
    parse_contracts(text, "contracts.yml", TABLES, (), problems)
    (problem,) = problems.sorted()
    assert (problem.code, problem.location.line) == ("duplicate-check", 4)


def test_a_broken_table_is_not_blamed_again():
    assert "lost" in parse("lost: {columns: {a: {references: lost.b}}}")


def test_either_name_of_the_file_and_not_both(project):
    project.write("contracts.yaml", "raw: {rows: {min: 1}}")
    assert "raw" in project.declare().contracts
    project.write("contracts.yml", "raw: {rows: {min: 1}}")
    assert project.problem().code == "duplicate-file"


@pytest.mark.parametrize("mode", ["view", "effect"])
def test_modes_that_keep_no_contract(project, mode):
    if mode == "view":
        project.write("steps/raw.sql", "-- segue: {mode: view}\nselect 1 as id")
        project.write("contracts.yml", "raw: {rejects: true}")
    else:
        project.write(
            "steps/send.py",
            "import pyarrow as pa\nfrom segue import step\n"
            "@step\ndef send(raw: pa.Table) -> None: ...",
        )
        project.write("contracts.yml", "\nsend: {rows: {min: 1}}")
    problem = project.problem()
    assert problem.code == "bad-contract"
    assert problem.location == Location("contracts.yml", 1 if mode == "view" else 2)
    assert problem.hint
