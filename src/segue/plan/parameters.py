"""The values that a run sets for steps' settings, checked against their defaults."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from segue.errors import UnknownNameError, UsageError
from segue.registry import nearest
from segue.settings import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.step import ProjectSpec, Scalar, StepSpec


def write_parameters(project: ProjectSpec, step: StepSpec) -> dict[str, str]:
    """Return the values of a step's settings as JSON texts, as memories and records keep them.

    The value of a secret is kept by its name: another value of it is no change.
    """
    texts = {name: json.dumps(value) for name, value in project.parameters_of(step).items()}
    return {name: redact(text, project.secrets, os.environ) for name, text in texts.items()}


def check_parameters(project: ProjectSpec, given: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Return the values that a run sets, each fit for its setting.

    Args:
        project: The project.
        given: ``step.name`` to value.

    Raises:
        UnknownNameError: No step has such a setting.
        UsageError: The value has another type than the setting's default.
    """
    return {name: _check(project, name, value) for name, value in given.items()}


def _check(project: ProjectSpec, name: str, value: Scalar) -> Scalar:
    step_name, dot, setting = name.rpartition(".")
    step = project.steps.get(step_name)
    defaults = dict(step.function.parameters) if step is not None and step.function else {}
    if not dot or setting not in defaults:
        known = tuple(
            f"{other.name}.{parameter}"
            for other in project.steps.values()
            if other.function is not None
            for parameter, _ in other.function.parameters
        )
        raise UnknownNameError(
            f"there is no setting called {name!r}", hint=nearest(name, known, noun="setting")
        )
    default = defaults[setting]
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if default is not None and value is not None and type(value) is not type(default):
        raise UsageError(
            f"{name} is {value!r}, and its default {default!r} is of another type",
            hint=f"give {_describe_type(default)}",
        )
    return value


def _describe_type(default: Scalar) -> str:
    words: dict[type, str] = {bool: "true or false", int: "a whole number", float: "a number"}
    return words.get(type(default), "a text")
