"""What segue asks of an engine, a source kind, a lake, a ledger, a check kind and a clock.

Engines, stores and check kinds are found by entry point (`segue.registry`), so that one
more is a package of its own. Implementations know nothing of each other.
"""

from segue.protocols.check import CheckKind, Context, Scene
from segue.protocols.clock import Clock
from segue.protocols.engine import (
    Capabilities,
    Engine,
    LocalEngine,
    LocalSession,
    Session,
    Tell,
)
from segue.protocols.lake import Lake
from segue.protocols.ledger import Ledger
from segue.protocols.source import SourceKind
from segue.protocols.work import Work

__all__ = [
    "Capabilities",
    "CheckKind",
    "Clock",
    "Context",
    "Engine",
    "Lake",
    "Ledger",
    "LocalEngine",
    "LocalSession",
    "Scene",
    "Session",
    "SourceKind",
    "Tell",
    "Work",
]
