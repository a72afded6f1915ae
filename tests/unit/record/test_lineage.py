"""Where tables and columns come from, and how that is drawn."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from segue.errors import UnknownNameError
from segue.record.draw import draw_mermaid, draw_tree, lineage_to_json
from segue.record.lineage import Edge, Lineage, Node, column_lineage, table_lineage
from segue.record.svg import draw_svg
from segue.spec.step import Mode
from segue.spec.types import parse_schema
from tests.unit.plan.samples import make_contract, make_function, make_project, make_step

SVG = "{http://www.w3.org/2000/svg}"

SHOP = make_project(
    make_step(
        "stg", "raw", mode=Mode.VIEW, sql="select *, price * pieces as Amount from raw where pieces"
    ),
    make_step(
        "daily",
        "stg",
        "stores",
        sql=(
            "-- segue: {tags: [web]}\n"
            "with paid as (select store, Amount as a from stg)\n"
            'select s."City Name" as town, sum(p.a) as total, count(*) as n\n'
            "from paid p join stores s on p.store = s.id group by all"
        ),
    ),
    make_function("forecast", "daily"),
    make_step(
        "report", "forecast", "daily", sql="select f.guess, d.total from forecast f, daily d"
    ),
    make_step("bad", "daily__rejects", sql="select 1 as x from daily__rejects"),
    make_function("mail", "report", mode=Mode.EFFECT),
    sources=("raw", "stores", "days"),
    contracts=[make_contract("daily", "days")],
)
SCHEMAS = {
    "raw": parse_schema("store: string, price: decimal(9,2), pieces: int64"),
    "stores": parse_schema('id: string, "City Name": string'),
    "daily": parse_schema("town: string, total: decimal(38,2), n: int64"),
    "forecast": parse_schema("guess: float64"),
    "report": parse_schema("guess: float64, total: decimal(38,2)"),
}


def edges(lineage):
    return {(edge.start, edge.end) for edge in lineage.edges}


def test_tables_know_what_they_are_made_from():
    lineage = table_lineage(SHOP)
    kinds = {node.name: node.kind for node in lineage.nodes}
    assert kinds["raw"] == "source"
    assert kinds["stg"] == "view"
    assert kinds["mail"] == "effect"
    assert kinds["daily__rejects"] == "rejects"
    assert Edge("days", "daily", "checks") in lineage.edges
    assert Edge("daily", "daily__rejects", "rejects") in lineage.edges
    assert {node.name for node in lineage.upstream("daily").nodes} == {
        "raw", "stg", "stores", "days", "daily",
    }  # fmt: skip
    assert {node.name for node in lineage.downstream("daily").nodes} == {
        "daily", "daily__rejects", "bad", "forecast", "report", "mail",
    }  # fmt: skip
    with pytest.raises(UnknownNameError, match="did you mean 'daily'"):
        lineage.around("dayly")


def test_a_column_is_followed_through_views_stars_and_ctes():
    lineage = column_lineage(SHOP, SCHEMAS, "daily.total")
    assert edges(lineage.upstream) == {
        ("raw.price", "stg.Amount"),
        ("raw.pieces", "stg.Amount"),
        ("stg.Amount", "daily.total"),
    }
    assert edges(lineage.downstream) == {
        ("daily.total", "forecast.guess"),
        ("forecast.guess", "report.guess"),
        ("daily.total", "report.total"),
    }


def test_names_keep_their_case_and_spaces():
    lineage = column_lineage(SHOP, SCHEMAS, "daily.town")
    assert edges(lineage.upstream) == {("stores.City Name", "daily.town")}
    assert column_lineage(SHOP, SCHEMAS, "daily.n").upstream.edges == ()


def test_python_ends_the_way_honestly():
    lineage = column_lineage(SHOP, SCHEMAS, "report.guess").upstream
    assert set(lineage.edges) == {
        Edge("forecast.guess", "report.guess"),
        Edge("daily.*", "forecast.guess", "all columns (Python)"),
    }


def test_a_source_column_is_followed_on():
    lineage = column_lineage(SHOP, SCHEMAS, "raw.price")
    assert ("raw.price", "stg.Amount") in edges(lineage.downstream)
    assert ("daily.total", "report.total") in edges(lineage.downstream)
    assert lineage.graph.nodes[0] == Node("raw.price", "source")


def test_unknown_tables_and_columns_are_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'total'"):
        column_lineage(SHOP, SCHEMAS, "daily.totl")
    with pytest.raises(UnknownNameError, match="no table called 'dayly'"):
        column_lineage(SHOP, SCHEMAS, "dayly.total")


def test_sql_that_cannot_be_traced_says_so():
    odd = replace(SHOP.steps["stg"], sql="from raw select columns(*)")
    project = replace(SHOP, steps={**SHOP.steps, "stg": odd})
    schemas = {**SCHEMAS, "stg": parse_schema("Amount: int64")}
    found = column_lineage(project, schemas, "stg.Amount").upstream.edges
    assert found == (Edge("raw.*", "stg.Amount", "all columns (not traceable)"),)


ODD = Lineage(
    (Node('a "b" <c>', "source"), Node("x]|--> y\x1b", "table"), Node("z", "rejects")),
    (Edge('a "b" <c>', "x]|--> y\x1b"), Edge("x]|--> y\x1b", "z", "rejects")),
)


def test_a_tree_shows_each_branch_once():
    text = draw_tree(table_lineage(SHOP), "report")
    assert text.splitlines() == [
        "report",
        "├─ forecast",
        "│  └─ daily",
        "│     ├─ stg (view)",
        "│     │  └─ raw (source)",
        "│     ├─ stores (source)",
        "│     └─ days (source) — checks",
        "└─ daily …",
    ]
    assert draw_tree(table_lineage(SHOP), "report", onward=True) == "report\n└─ mail (effect)"


def test_mermaid_names_are_escaped():
    lines = draw_mermaid(ODD).splitlines()
    assert lines[1] == '    n0[("a #34;b#34; #60;c#62;")]'
    assert lines[-1] == '    n1 -. "rejects" .-> n2'
    assert "\x1b" not in draw_mermaid(ODD)


@pytest.mark.parametrize("lineage", [ODD, table_lineage(SHOP), Lineage((), ())])
def test_an_svg_is_well_formed_and_shows_every_node_and_edge(lineage):
    tree = ET.fromstring(draw_svg(lineage))  # our own text
    assert len(tree.findall(f"{SVG}g")) == len(lineage.nodes)
    assert len(tree.findall(f"{SVG}path")) == len(lineage.edges)
    assert "http" not in draw_svg(lineage).replace("http://www.w3.org/2000/svg", "")


def test_boxes_of_an_svg_do_not_overlap_and_arrows_point_right():
    tree = ET.fromstring(draw_svg(table_lineage(SHOP)))
    boxes = [
        tuple(float(box.get(name)) for name in ("x", "y", "width", "height"))
        for box in tree.iter(f"{SVG}rect")
        if box.get("class") == "box"
    ]
    for place, (x, y, width, height) in enumerate(boxes):
        for other_x, other_y, *_ in boxes[place + 1 :]:
            assert abs(x - other_x) >= width or abs(y - other_y) >= height
    for path in tree.findall(f"{SVG}path"):
        numbers = path.get("d").lstrip("M").replace("C", " ").replace("H", " ").split()
        assert float(numbers[0]) < float(numbers[-2])


def test_json_is_plain():
    document = lineage_to_json(table_lineage(SHOP))
    assert {"name": "raw", "kind": "source"} in document["nodes"]
    assert {"start": "raw", "end": "stg", "how": "reads"} in document["edges"]
