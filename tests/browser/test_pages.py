"""Pages that segue writes, clicked in a real browser."""

import pytest

from segue.cli.main import run_command

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(120)]

ORDERS = """id,store,amount,at
1,a,10.5,2026-11-20 10:00:00
2,b,,2026-11-20 11:00:00
2,<b>zz</b>,-5,2026-11-21 11:00:00
"""
CONTRACT = """orders:
  columns:
    id: {unique: true, required: true}
    store: {in: [a, b]}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "orders.csv").write_text(ORDERS)
    (tmp_path / "contracts.yml").write_text(CONTRACT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(page):
    visible = page.locator(".column:visible").all()
    return [column.get_attribute("data-name") for column in visible]


@pytest.fixture
def profile(folder, show):
    assert run_command(["profile", "orders.csv", "--html", "profile.html"]) == 0
    return show(folder / "profile.html")


def test_columns_are_filtered_as_one_types(profile):
    assert names(profile) == ["id", "store", "amount", "at"]
    profile.keyboard.press("/")
    profile.keyboard.type("amo")
    assert names(profile) == ["amount"]
    assert profile.locator("#shown").inner_text() == "1 of 4 columns"
    profile.keyboard.press("Escape")
    assert len(names(profile)) == 4


def test_columns_are_filtered_by_kind_and_nulls(profile):
    profile.get_by_role("button", name="texts").click()
    assert names(profile) == ["store"]
    profile.get_by_role("button", name="texts").click()
    profile.get_by_role("button", name="with nulls").click()
    assert names(profile) == ["amount"]


def test_columns_are_sorted_and_opened_by_keyboard(profile):
    profile.locator("#sort").select_option("name")
    assert names(profile) == ["amount", "at", "id", "store"]
    profile.locator("#filter").focus()
    profile.keyboard.press("ArrowDown")
    profile.keyboard.press("Enter")
    assert profile.locator(".column[open]").get_attribute("data-name") == "amount"
    assert profile.locator(".column[open] .inside").is_visible()


def test_values_of_data_are_shown_and_never_run(profile):
    profile.get_by_role("button", name="open all").click()
    assert profile.get_by_text("<a>aa</a>").first.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_of_checks_opens_what_it_folds(folder, show, scheme):
    assert run_command(["check", "orders.csv", "--report", "html=report.html"]) == 1
    page = show(folder / "report.html", color_scheme=scheme)
    assert page.title() == "orders: checks"
    assert page.get_by_text("id unique").first.is_visible()
    assert page.get_by_text("<b>zz</b>").first.is_visible()
    query = page.locator("details", has_text="SQL").first
    query.locator("summary").click()
    assert "group by" in query.inner_text()
    passing = page.get_by_text("1 check passes")
    passing.click()
    assert page.get_by_text("id required").first.is_visible()
    shades = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g)")
    assert (int(shades[0]) < 128) == (scheme == "dark")
