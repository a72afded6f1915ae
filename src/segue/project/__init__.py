"""A project as users of the Python API see it."""

from segue.project.facade import Project, load
from segue.project.views import PlannedRun, TableInfo

__all__ = ["PlannedRun", "Project", "TableInfo", "load"]
