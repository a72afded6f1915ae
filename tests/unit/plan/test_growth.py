"""What is new to an append step in a table whose rows tell which version brought them."""

import pytest

from segue.plan.growth import Growth, compare_versions
from segue.spec.scan import SourceFile, SourceState


def table(*files, incarnation="one", version=9):
    made = tuple(SourceFile(f"/lake/t/{name}", 1, stamp, name) for name, stamp in files)
    return SourceState("t", "", made, grows=True, version=version, incarnation=incarnation)


THREE = (("a", "0-3"), ("b", "4-6"), ("c", "7-7"))


@pytest.mark.parametrize(
    ("seen", "new"),
    [
        ("one\t-1", ("/lake/t/a", "/lake/t/b", "/lake/t/c")),
        ("\t-1", ("/lake/t/a", "/lake/t/b", "/lake/t/c")),
        ("one\t3", ("/lake/t/b", "/lake/t/c")),
        ("one\t5", ("/lake/t/b\t5", "/lake/t/c")),
        ("one\t7", ()),
    ],
)
def test_versions_above_the_seen_one_are_new(seen, new):
    assert compare_versions(table(*THREE), [seen]) == Growth(new)


@pytest.mark.parametrize(
    "state",
    [
        table(*THREE, incarnation="two"),
        table(*THREE, ("foreign", "")),
        table(*THREE[:1], version=3),
    ],
)
def test_another_table_is_not_followed(state):
    growth = compare_versions(state, ["one\t5"])
    assert (growth.new, growth.rewritten) == ((), ("t",))


def test_a_foreign_file_that_was_seen_and_is_gone_is_told():
    assert compare_versions(table(*THREE), ["one\t5", "other"]).rewritten == ("other",)


def test_who_read_a_table_that_a_step_here_made_takes_all_of_the_nodes():
    growth = compare_versions(table(*THREE), ["20260101-000000-aaaa-t-1-0.parquet"])
    assert growth == Growth(("/lake/t/a", "/lake/t/b", "/lake/t/c"))
