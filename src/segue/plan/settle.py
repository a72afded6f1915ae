"""The last word on a step, once what it reads is there: at plan time or during the run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from segue.plan.compare import compare_inputs
from segue.plan.growth import Growth, compare_files, tell_growth, tell_rewritten
from segue.plan.references import compare_references
from segue.spec.plan import Action, Cause, Reason
from segue.spec.step import Mode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segue.spec.output import StepMemory
    from segue.spec.plan import PlannedStep

LATER = (Cause.CODE_CHANGED, Cause.CONTRACT_CHANGED, Cause.PARAMETER_CHANGED)
"""Causes that change an append step's next rows, and leave those that it has made."""

_OPEN = (
    Cause.INPUT_RUNS,
    Cause.INPUT_CHANGED,
    Cause.REFERENCE_RUNS,
    Cause.REFERENCE_CHANGED,
)
"""Causes that are looked at again when what a step rests on is there."""

SAME = Reason(Cause.UNCHANGED, "inputs came out the same")


def settle(
    planned: PlannedStep,
    memory: StepMemory | None,
    inputs: Mapping[str, str],
    made: Mapping[str, Sequence[str]] | None = None,
    references: Mapping[str, str] | None = None,
) -> PlannedStep:
    """Decide on a planned step again, now that the steps before it are done.

    A step that was to run only because others ran is up to date if they made what they
    had made before.

    Args:
        planned: The step; anything but one that is to run comes back with its inputs.
        memory: What is remembered of it.
        inputs: Identity of each table that it reads, none of them empty.
        made: Paths of all files of each table that this run has made, for append steps.
        references: Identity of each table that contracts look into; as planned if not given.

    Returns:
        The step to run, to judge, up to date, or blocked where an append step's input was
        rewritten.
    """
    known = planned.references if references is None else references
    final = planned
    if inputs != planned.inputs or known != planned.references:
        final = replace(planned, inputs=dict(inputs), references=dict(known))
    if planned.action not in (Action.RUN, Action.JUDGE) or memory is None or planned.rebuild:
        return final
    reasons = _replace_running(planned.reasons, inputs, memory)
    final = replace(final, reasons=reasons)
    if planned.action is Action.RUN and planned.step.mode is Mode.APPEND:
        final = _settle_made(final, memory, made or {})
    elif not reasons:
        final = replace(final, action=Action.SKIP, reasons=(SAME,))
    return add_references(final, compare_references(known, memory.references))


def add_references(planned: PlannedStep, references: tuple[Reason, ...]) -> PlannedStep:
    """Let changed references count: who would be up to date is judged again, or has to run.

    Args:
        planned: What is decided by all else.
        references: What changed among the tables that contracts look into.
    """
    if not references:
        return planned
    if planned.action is Action.RUN:
        return replace(planned, reasons=(*planned.reasons, *references))
    if planned.action is not Action.SKIP:
        return planned
    action = Action.JUDGE if planned.rejudge else Action.RUN
    return replace(planned, action=action, reasons=references)


def _replace_running(
    reasons: tuple[Reason, ...], inputs: Mapping[str, str], memory: StepMemory
) -> tuple[Reason, ...]:
    """Put what has become of the inputs in the place of "input runs"; leave references out."""
    sure = [r for r in reasons if r.cause not in _OPEN]
    changed = compare_inputs(inputs, memory.inputs)
    return tuple(sure) if changed is None else (*sure, changed)


def _settle_made(
    final: PlannedStep, memory: StepMemory, made: Mapping[str, Sequence[str]]
) -> PlannedStep:
    growths = {}
    for name, new in final.new_files.items():
        files = made.get(name)
        seen = memory.seen_files.get(name, ())
        growths[name] = (
            Growth(new) if files is None else compare_files({path: path for path in files}, seen)
        )
    return settle_append(final, growths, SAME, waits=False)


def settle_append(
    planned: PlannedStep, growths: Mapping[str, Growth], unchanged: Reason, *, waits: bool
) -> PlannedStep:
    """Decide on an append step from what is new in its growing inputs.

    Changed code alone reads nothing again, for that would double rows: it takes effect on
    the rows that come next, and `--force` makes the table anew.

    Args:
        planned: The step, with all reasons that a step of another mode would run for.
        growths: Files of each growing input; none if all inputs are read whole.
        unchanged: The reason if nothing is new.
        waits: Whether a growing input is made by this run, so that nobody knows yet.
    """
    if rewritten := tell_rewritten(growths):
        return replace(planned, action=Action.BLOCKED, reasons=(rewritten,))
    later = tuple(reason for reason in planned.reasons if reason.cause in LATER)
    if growths:
        grown = tell_growth(growths)
        running = (r for r in planned.reasons if waits and r.cause is Cause.INPUT_RUNS)
        triggers = (*((grown,) if grown else ()), *running)
    else:
        triggers = tuple(reason for reason in planned.reasons if reason.cause not in LATER)
    new_files = {name: growth.new for name, growth in growths.items()}
    if triggers:
        return replace(planned, reasons=(*triggers, *later), new_files=new_files)
    notes = tuple(
        Reason(reason.cause, f"{reason.detail}; takes effect on new rows, --force rebuilds")
        for reason in later
    )
    return replace(planned, action=Action.SKIP, reasons=(unchanged, *notes), new_files=new_files)
