import pytest

from segue.agent.work.once import run_once
from segue.errors import StepError
from tests.edge_slots import read_spool, source, sql_step, write_lines, write_slot

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

SCHEMA = "n: int64, sensor: string, value: float64, score: float32"


def write_model(path, *, matrix=False, columns=""):
    """Write a model: score = 2 * value + n, of two columns or of one matrix."""
    from onnx import TensorProto, helper

    score = helper.make_tensor_value_info("score", TensorProto.FLOAT, [None, 1])
    weights = helper.make_tensor("w", TensorProto.FLOAT, [2, 1], [1.0, 2.0])
    if matrix:
        given = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])]
        nodes = [helper.make_node("MatMul", ["x", "w"], ["score"])]
    else:
        given = [
            helper.make_tensor_value_info("n", TensorProto.INT64, [None, 1]),
            helper.make_tensor_value_info("value", TensorProto.FLOAT, [None, 1]),
        ]
        nodes = [
            helper.make_node("Cast", ["n"], ["f"], to=TensorProto.FLOAT),
            helper.make_node("Concat", ["f", "value"], ["x"], axis=1),
            helper.make_node("MatMul", ["x", "w"], ["score"]),
        ]
    graph = helper.make_graph(nodes, "score", given, [score], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    if columns:
        helper.set_model_props(model, {"columns": columns})
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))


def rows(count):
    return [{"n": n, "sensor": "s", "value": n / 2} for n in range(count)]


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.mark.parametrize(("matrix", "columns"), [(False, ""), (True, ""), (True, "n, value")])
def test_columns_go_in_and_come_out(tmp_path, home, matrix, columns):
    write_lines(tmp_path / "a.jsonl", rows(5))
    step = sql_step("scored", None, SCHEMA, model="project/models/score.onnx")
    slot = write_slot(tmp_path / "1", [source(tmp_path / "a.jsonl")], [step])
    write_model(slot / "project" / "models" / "score.onnx", matrix=matrix, columns=columns)
    done = run_once(slot, home)
    assert done.error == ""
    assert read_spool(home) == {"scored": [{**row, "score": 2.0 * row["n"]} for row in rows(5)]}


def test_a_model_infers_on_what_a_query_gives(tmp_path, home):
    write_lines(tmp_path / "a.jsonl", rows(5))
    sql = "select n, sensor, value * 10 as value from readings where n > 2"
    step = sql_step("scored", sql, SCHEMA, model="score.onnx")
    slot = write_slot(tmp_path / "1", [source(tmp_path / "a.jsonl")], [step])
    write_model(slot / "score.onnx")
    run_once(slot, home)
    assert [row["score"] for row in read_spool(home)["scored"]] == [33.0, 44.0]


def test_a_row_that_the_model_cannot_take_is_a_reject(tmp_path, home):
    write_lines(tmp_path / "a.jsonl", [*rows(3), {"n": None, "sensor": "s", "value": 1.0}])
    step = sql_step("scored", None, SCHEMA, model="score.onnx")
    slot = write_slot(tmp_path / "1", [source(tmp_path / "a.jsonl")], [step])
    write_model(slot / "score.onnx")
    run_once(slot, home)
    found = read_spool(home)
    assert len(found["scored"]) == 3
    assert found["scored__rejects"][0]["reasons"] == [
        "step 'scored': column 'n' has nulls, and the model takes none"
    ]


def test_what_is_no_model_is_told(tmp_path, home):
    write_lines(tmp_path / "a.jsonl", rows(1))
    step = sql_step("scored", None, SCHEMA, model="score.onnx")
    slot = write_slot(tmp_path / "1", [source(tmp_path / "a.jsonl")], [step])
    (slot / "score.onnx").write_bytes(b"nothing of the kind")
    with pytest.raises(StepError, match="no model"):
        run_once(slot, home)
