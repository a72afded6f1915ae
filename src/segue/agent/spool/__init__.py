"""The spool of a node: a SQLite file between the worker that fills it and what drains it."""

from segue.agent.spool.model import LAKE, Entry, Record, Standing, Usage
from segue.agent.spool.spool import Spool

__all__ = ["LAKE", "Entry", "Record", "Spool", "Standing", "Usage"]
