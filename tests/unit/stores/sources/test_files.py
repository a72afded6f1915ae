import pytest

from segue.errors import SourceError
from tests.unit.stores.sources.conftest import touch


def test_folders_named_by_values_are_columns(world):
    world.put("h/k=1/s=x/a.csv", "a\n5\n")
    world.put("h/k=2/s=y/a.csv", "a\n6\n")
    expected = [{"a": 5, "k": 1, "s": "x"}, {"a": 6, "k": 2, "s": "y"}]
    for path in ("h", "h/**/*.csv", "h/*/*/a.csv"):
        assert world.read("csv", path=path).to_pylist() == expected
    assert world.read("csv", path="h", hive=False).column_names == ["a"]
    assert world.types("csv", path="h", types={"k": "string"}) == "a: int64, k: string, s: string"


def test_a_sign_of_a_pattern_in_a_name_is_a_name(world):
    world.put("a[1].csv", "a\n5\n")
    assert world.read("csv", path="a[1].csv").to_pylist() == [{"a": 5}]


def test_hidden_and_private_files_of_a_folder_do_not_count(world):
    world.put("m/a.csv", "a\n5\n")
    for name in ("m/.b.csv", "m/_c.csv", "m/_tmp/d.csv", "m/readme.txt"):
        world.put(name, "zzz")
    assert len(world.observe("csv", path="m").files) == 1


def test_a_path_may_hold_secrets(world, monkeypatch):
    world.put("deep/a.csv", "a\n5\n")
    monkeypatch.setenv("FOLDER", "deep")
    assert world.read("csv", path="${FOLDER}/a.csv").num_rows == 1
    with pytest.raises(SourceError, match="NOWHERE is not set"):
        world.observe("csv", path="${NOWHERE}/a.csv")


@pytest.mark.parametrize(
    ("path", "hint"),
    [("order.csv", "orders.csv"), ("ordes/*.csv", "orders.csv"), ("s3://x/y.csv", "local folder")],
)
def test_what_is_missing_tells_the_nearest(world, path, hint):
    world.put("orders.csv", "a\n1\n")
    with pytest.raises(SourceError) as caught:
        world.observe("csv", path=path)
    assert hint in caught.value.hint
    assert str(caught.value.location) == "segue.toml:3"


def test_the_state_tells_a_change(world):
    path = world.put("m/a.csv", "a\n1\n")
    touch(path, 1000)
    first = world.observe("csv", path="m")
    assert first == world.observe("csv", path="m")
    assert (first.bytes, first.grows) == (4, True)

    touch(path, 1001)
    touched = world.observe("csv", path="m")
    world.put("m/b.csv", "a\n2\n")
    grown = world.observe("csv", path="m")
    stated = world.observe("csv", path="m", types={"a": "string"})
    single = world.observe("csv", path="m/a.csv")
    identities = {state.identity for state in (first, touched, grown, stated, single)}
    assert len(identities) == 5
    assert not single.grows


def test_the_state_does_not_depend_on_where_the_project_lies(world, tmp_path):
    touch(world.put("a.csv", "a\n1\n"), 1000)
    before = world.observe("csv", path="a.csv")
    world.root = world.root.rename(tmp_path / "moved")
    assert world.observe("csv", path="a.csv").identity == before.identity
