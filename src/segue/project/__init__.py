"""A project as users of the Python API see it."""

from segue.project.facade import Project, load
from segue.project.views import PlannedRun, Reports, Runs, TableInfo, Tables
from segue.spec.run import RunResult
from segue.spec.shown import write_html

__all__ = ["PlannedRun", "Project", "TableInfo", "load"]


def _show(thing: object) -> str | None:
    """Load what writes HTML when the first notebook asks: it takes the place of this."""
    import segue.project.shown  # noqa: F401  # registers what it writes

    return write_html(thing)


for _kind in (PlannedRun, Project, Reports, RunResult, Runs, TableInfo, Tables):
    write_html.register(_kind, _show)
