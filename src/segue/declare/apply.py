"""What ``segue.toml`` and the command line say about steps: settings, places, parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from segue.declare.annotations import fits
from segue.errors import Location
from segue.registry import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from segue.declare.problems import Problems
    from segue.declare.toml import Config
    from segue.spec.step import Scalar, StepSpec

Types = tuple[type, ...]
_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
_TRUTHS = {"true": True, "false": False}


def apply_settings(
    steps: Mapping[str, StepSpec], broken: Collection[str], config: Config, problems: Problems
) -> dict[str, StepSpec]:
    """Return the steps with what ``[steps.<name>]`` says; each at a place that there is.

    Args:
        steps: Steps by name.
        broken: Names that are declared and could not be read.
        config: What ``segue.toml`` says.
        problems: Takes what is wrong.
    """
    for name in sorted(config.settings.steps.keys() - steps.keys() - set(broken)):
        where = config.locate("steps", name)
        hint = nearest(name, list(steps), noun="step")
        problems.add("unknown-step", f"there is no step {name!r}", where, hint)
    placed = {}
    for name, step in steps.items():
        stated = config.settings.steps.get(name)
        where = step.location
        if stated is not None:
            values = stated.model_dump(exclude_none=True)
            limits = {key: values.pop(key) for key in list(values) if key not in ("on", "tags")}
            step = replace(step, **values, limits=replace(step.limits, **limits))  # noqa: PLW2901 - the same step, with more said
            if stated.on is not None:
                where = config.locate("steps", name, "on")
        if config.places and step.on not in config.places:
            hint = f"{nearest(step.on, list(config.places))}; or declare [places.{step.on}]"
            problems.add("unknown-place", f"there is no place {step.on!r}", where, hint)
        placed[name] = step
    return placed


def apply_parameters(
    given: Mapping[str, Scalar],
    types: Mapping[str, Types],
    steps: Collection[str],
    broken: Collection[str],
    config: Config,
    problems: Problems,
) -> dict[str, Scalar]:
    """Return the values of settings that the project sets, and the caller after it.

    Args:
        given: The caller's values by ``step.name``; texts are read as the setting's type.
        types: Types of all settings, by ``step.name``.
        steps: Names of all steps.
        broken: Names that are declared and could not be read.
        config: What ``segue.toml`` says.
        problems: Takes what is wrong.
    """
    found: dict[str, Scalar] = {}
    for step, values in config.settings.params.items():
        for name, value in values.items():
            key, where = f"{step}.{name}", config.locate("params", step, name)
            if step not in broken and _check(key, value, types, steps, where, problems):
                found[key] = value
    for key, text in given.items():
        read = _read_text(text, types[key]) if key in types else text
        if key.partition(".")[0] not in broken and _check(key, read, types, steps, None, problems):
            found[key] = read
    return found


def _check(
    key: str,
    value: Scalar,
    types: Mapping[str, Types],
    steps: Collection[str],
    where: Location | None,
    problems: Problems,
) -> bool:
    step, _, name = key.partition(".")
    if step not in steps:
        hint = nearest(step, list(steps), noun="step")
        problems.add("unknown-step", f"parameter {key!r}: there is no step {step!r}", where, hint)
        return False
    if key not in types:
        known = [other.partition(".")[2] for other in types if other.startswith(f"{step}.")]
        hint = nearest(name, known, noun="setting") if known else f"{step!r} has no settings"
        message = f"step {step!r} has no setting {name!r}"
        problems.add("unknown-parameter", message, where, hint)
        return False
    if not fits(value, types[key]):
        words = " or ".join(_WORDS[kind] for kind in types[key] if kind in _WORDS)
        message = f"setting {key!r} is {words}, not {value!r}"
        problems.add("bad-parameter", message, where)
        return False
    return True


def _read_text(value: Scalar, types: Types) -> Scalar:
    """Return a command line's text as the setting's type, or as it is if it can't be read."""
    if not isinstance(value, str) or str in types:
        return value
    if bool in types and value.lower() in _TRUTHS:
        return _TRUTHS[value.lower()]
    for kind in (int, float):
        if kind in types:
            try:
                return kind(value)
            except ValueError:
                continue
    return value
