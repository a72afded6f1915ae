"""``model`` of a step: an ONNX file that nodes infer with."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from segue.declare.digest import digest_parts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from segue.declare.problems import Problems
    from segue.spec.step import StepSpec


def add_models(
    steps: Mapping[str, StepSpec], tables: Mapping[str, str], root: Path, problems: Problems
) -> dict[str, StepSpec]:
    """Return the steps with their models in their fingerprints.

    Args:
        steps: Steps by name.
        tables: The fleet of each table that nodes make.
        root: The project's folder.
        problems: Takes what is wrong.
    """
    return {
        name: step if step.model is None else _add_model(step, step.model, tables, root, problems)
        for name, step in steps.items()
    }


def _add_model(
    step: StepSpec, model: str, tables: Mapping[str, str], root: Path, problems: Problems
) -> StepSpec:
    parts = model.split("/")
    inside = not any(part in ("", ".", "..") for part in parts)
    if step.name not in tables:
        message = f"{step.name!r} infers with a model, which only nodes of a fleet do"
        hint = "place it on a fleet, or load the model in a Python step"
        problems.add("bad-option", message, step.location, hint)
    if step.schema is None:
        message = f"{step.name!r} infers with a model, and nobody knows its columns"
        hint = 'declare them: schema: "*, +score: float32"'
        problems.add("bad-option", message, step.location, hint)
    if not inside or not (root / model).is_file():
        message = f"there is no model {model!r} in the project"
        hint = "name a file relative to the project's folder, such as models/fault.onnx"
        problems.add("bad-option", message, step.location, hint)
        return step
    with (root / model).open("rb") as file:
        digest = sha256()
        while block := file.read(2**20):
            digest.update(block)
    code = step.fingerprint
    told = digest_parts([*code.parts, (f"model {model}", digest.hexdigest()[:32])], code.opaque)
    return replace(step, fingerprint=told)
