"""A model is part of a step: declared in its header, carried along, and inferred with."""

import json

import pytest

from segue.agent.work.once import run_once
from segue.errors import ProjectError
from segue.project import load
from segue.project.edge import cut
from segue.spec.edge_codec import write_edge

STEP = """\
-- segue: {on: shops, model: models/double.onnx, schema: "*, +score: float32"}
select sensor, value::float as value from readings
"""


def write_model():
    """Return a model that doubles its input."""
    from onnx import TensorProto, helper

    value = helper.make_tensor_value_info("value", TensorProto.FLOAT, [None])
    score = helper.make_tensor_value_info("score", TensorProto.FLOAT, [None])
    node = helper.make_node("Add", ["value", "value"], ["score"])
    graph = helper.make_graph([node], "double", [value], [score])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return made.SerializeToString()


def test_a_model_goes_along(make_fleet, tmp_path):
    built = make_fleet({"steps/scored.sql": STEP, "models/double.onnx": write_model()})
    log = tmp_path / "logs" / "a.jsonl"
    log.parent.mkdir()
    log.write_text(json.dumps({"time": "2026-01-01 00:00", "sensor": "a", "value": 2}) + "\n")
    built.edit("segue.toml", "/var/log/sensor/*.jsonl", str(log))
    made = cut(built.root, "shops")
    assert made.files == ("models/double.onnx",)
    assert str(made.part.steps[0].schema) == "sensor: string, value: float32, score: float32"
    slot, home = tmp_path / "1", tmp_path / "home"
    (slot / "project/models").mkdir(parents=True)
    (slot / "project/models/double.onnx").write_bytes(write_model())
    (slot / "edge.json").write_bytes(write_edge(made.part))
    home.mkdir()
    summary = run_once(slot, home)
    assert summary.rows["scored"] == 1


def test_another_model_is_another_step(make_fleet):
    built = make_fleet({"steps/scored.sql": STEP, "models/double.onnx": b"one"})
    before = built.project.spec.steps["scored"].fingerprint.digest
    built.write({"models/double.onnx": b"two"})
    assert built.project.spec.steps["scored"].fingerprint.digest != before


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("model: models/none.onnx, on: shops, schema: '*, +score: float32'", "there is no model"),
        ("model: ../double.onnx, on: shops, schema: '*, +score: float32'", "there is no model"),
        ("model: models/double.onnx, on: shops", "nobody knows its columns"),
        ("model: models/double.onnx, schema: '*'", "only nodes of a fleet"),
    ],
)
def test_a_model_that_can_not_be_is_refused(make_fleet, header, told):
    step = f"-- segue: {{{header}}}\nselect * from readings"
    built = make_fleet({"steps/scored.sql": step, "models/double.onnx": b""})
    with pytest.raises(ProjectError, match=told):
        load(built.root)
