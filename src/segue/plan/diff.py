"""What differs between two plans, as values and in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segue.spec.plan import Plan, PlannedStep


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two plans.

    Attributes:
        step: Name of the step.
        what: What differs: ``step``, or the name of a `PlannedStep`'s or `StepSpec`'s part.
        old: What it was; empty if the step is new.
        new: What it is; empty if the step is gone.
    """

    step: str
    what: str
    old: str
    new: str

    def __str__(self) -> str:
        """Return the change in one line."""
        if self.what == "step":
            return f"{self.step} is {'gone' if self.old else 'new'}"
        return f"{self.step}: {self.what} {self.old or 'none'} -> {self.new or 'none'}"


def diff_plans(old: Plan, new: Plan) -> tuple[Change, ...]:
    """Return what differs between two plans: steps of the new one first, in its order."""
    before = {planned.name: planned for planned in old.steps}
    after = {planned.name: planned for planned in new.steps}
    changes: list[Change] = []
    for name, planned in after.items():
        if name in before:
            changes += _compare(before[name], planned)
        else:
            changes.append(Change(name, "step", "", str(planned.action)))
    changes += (Change(n, "step", str(p.action), "") for n, p in before.items() if n not in after)
    return tuple(changes)


def _compare(old: PlannedStep, new: PlannedStep) -> list[Change]:
    then, now = _describe(old), _describe(new)
    return [
        Change(new.name, what, then[what], now[what]) for what in now if then[what] != now[what]
    ]


def _describe(planned: PlannedStep) -> dict[str, str]:
    """Return the parts of a planned step that a person would compare, as texts."""
    new_files = sorted(path for files in planned.new_files.values() for path in files)
    return {
        "action": str(planned.action),
        "reasons": "; ".join(map(str, planned.reasons)),
        "code": planned.step.fingerprint.digest[:12],
        "reads": ", ".join(planned.step.reads),
        "mode": str(planned.step.mode),
        "new files": ", ".join(new_files),
        "rebuild": "yes" if planned.rebuild else "no",
        "place": planned.place,
    }


def diff_text(changes: tuple[Change, ...]) -> str:
    """Return changes one to a line.

    Example:
        >>> print(diff_text((Change("daily", "action", "up to date", "run"),)))
        daily: action up to date -> run
        >>> diff_text(())
        'The plans are the same.'
    """
    return "\n".join(map(str, changes)) or "The plans are the same."
