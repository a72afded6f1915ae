"""What has changed for a step since its last success, in words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from segue.spec.plan import Cause, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.output import StepMemory
    from segue.spec.step import Fingerprint

LONGEST_VALUE = 40


def compare_code(fingerprint: Fingerprint, memory: StepMemory) -> Reason | None:
    """Return what changed in a step's code since it was remembered, None if nothing did."""
    if fingerprint.digest == memory.fingerprint:
        return None
    now, then = dict(fingerprint.parts), dict(memory.parts)
    changed = [name for name in {**now, **then} if now.get(name) != then.get(name)]
    if changed and all(name.partition(" ")[0] == "contract" for name in changed):
        told = (_tell_contract(name, now.get(name), then.get(name)) for name in changed)
        return Reason(Cause.CONTRACT_CHANGED, ", ".join(filter(None, told)))
    detail = ", ".join(_tell_part(name, now.get(name), then.get(name)) for name in changed)
    if not detail and fingerprint.opaque:
        detail = f"some file of the project, for {fingerprint.opaque}"
    return Reason(Cause.CODE_CHANGED, detail)


def _tell_contract(name: str, now: str | None, then: str | None) -> str:
    word = "added" if then is None else "removed" if now is None else ""
    return f"{name.partition(' of ')[2]} {word}".strip()


def _tell_part(name: str, now: str | None, then: str | None) -> str:
    if then is None:
        return f"{name} is new"
    if now is None:
        return f"{name} is gone"
    # A library's part is its version, which says more than that it changed.
    return f"{name} {then} -> {now}" if name.startswith("library ") else name


def compare_parameters(now: Mapping[str, str], then: Mapping[str, str]) -> Reason | None:
    """Return which settings have other values than remembered, None if none has.

    Args:
        now: JSON texts by name.
        then: The same, as remembered.

    Example:
        >>> str(compare_parameters({"horizon": "7"}, {"horizon": "14"}))
        'parameter changed: horizon 14 -> 7'
    """
    changed = [
        f"{name} {_shorten(then.get(name))} -> {_shorten(now.get(name))}"
        for name in {**now, **then}
        if now.get(name) != then.get(name)
    ]
    return Reason(Cause.PARAMETER_CHANGED, ", ".join(changed)) if changed else None


def _shorten(value: str | None) -> str:
    if value is None:
        return "unset"
    text = str(json.loads(value)) if value.startswith('"') else value
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def compare_inputs(now: Mapping[str, str], then: Mapping[str, str]) -> Reason | None:
    """Return which inputs are others than remembered, None if none is.

    Inputs that the same run makes (the empty identity) are left out: nobody knows yet.
    """
    if now == then:
        return None
    changed = [name for name, identity in now.items() if identity and identity != then.get(name)]
    changed += [f"{name} is not read any more" for name in then if name not in now]
    return Reason(Cause.INPUT_CHANGED, ", ".join(changed)) if changed else None


def find_running(inputs: Mapping[str, str]) -> Reason | None:
    """Return which inputs the same run makes, None if none."""
    running = [name for name, identity in inputs.items() if not identity]
    return Reason(Cause.INPUT_RUNS, ", ".join(running)) if running else None
