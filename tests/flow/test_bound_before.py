"""A plan that has bound is not bound again, and one that differs is, whatever is remembered."""

import json

import pytest

from segue.conductor.bound_cache import MOST, BoundCache
from segue.errors import ProjectError
from tests.flow.building import TOML, lines, source


@pytest.fixture
def shop(make_project, tmp_path, monkeypatch):
    monkeypatch.setenv("SEGUE_CACHE", str(tmp_path / "cache"))
    return make_project(
        {
            "segue.toml": TOML + source("raw", "raw.csv"),
            "raw.csv": lines("id,v", "1,10", "2,20"),
            "steps/big.sql": "select id, v from raw where v > 10",
            "steps/few.sql": "select id from big",
        }
    )


def remembered(folder):
    return [json.loads(path.read_text())[1] for path in folder.glob("cache/bound/*.json")]


def test_a_plan_is_remembered_once_it_has_bound(shop, tmp_path):
    shop.edit("steps/few.sql", "select id", "select ident")
    with pytest.raises(ProjectError, match="ident"):
        shop.run()
    assert remembered(tmp_path) == []
    shop.edit("steps/few.sql", "select ident", "select id")
    shop.run()
    (plans,) = remembered(tmp_path)
    assert len(plans) == 1
    shop.run(force=True)
    assert len(remembered(tmp_path)[0]) in (1, 2)  # columns of tables are known by now


@pytest.mark.parametrize(
    "change",
    [
        ("raw.csv", "id,v", "id,w"),
        ("steps/big.sql", "select id, v", "select id as n, v"),
        ("steps/few.sql", "select id", "select ident"),
    ],
)
def test_what_fits_no_more_is_told_before_anything_runs(shop, change):
    shop.run()
    shop.edit(*change)
    with pytest.raises(ProjectError):
        shop.run()
    shop.edit(change[0], change[2], change[1])
    shop.run()


def test_a_lost_or_foreign_cache_costs_time_only(shop, tmp_path):
    shop.run()
    for text in ("", "[]", '[[], ["x"]]', '{"plans": 3}'):
        for path in tmp_path.glob("cache/bound/*.json"):
            path.write_text(text)
        assert shop.run(force=True)["few"] == "done"
    assert BoundCache(tmp_path, None).keep("x") is None


def test_few_plans_are_remembered(tmp_path):
    for number in range(MOST + 3):
        BoundCache(tmp_path, tmp_path / "cache").keep(str(number))
    (plans,) = remembered(tmp_path)
    assert plans == [str(number) for number in range(3, MOST + 3)]
    assert "3" in BoundCache(tmp_path, tmp_path / "cache")
    assert "2" not in BoundCache(tmp_path, tmp_path / "cache")
