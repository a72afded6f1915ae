"""``[destinations]`` and ``[stream_alerts]``: what becomes of a fleet's tables at its nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue import registry
from segue.declare.problems import check_name
from segue.declare.window import MICROSECONDS
from segue.errors import MissingExtraError
from segue.registry import nearest
from segue.spec.edge import DestinationSpec, StreamAlert
from segue.spec.fleet import FleetAlert, FleetDestination, Fleets
from segue.spec.row_expression import check_expression

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.declare.problems import Problems
    from segue.declare.toml import Config
    from segue.settings import StreamAlertSettings

_OWN = ("kind", "tables")


def read_fleet_tables(config: Config, tables: Mapping[str, str], problems: Problems) -> Fleets:
    """Return what the project declares of fleets, beside their sources and steps.

    Args:
        config: What ``segue.toml`` says.
        tables: The fleet of each table that nodes make.
        problems: Takes what is wrong.
    """
    reader = _Reader(config, tables, problems)
    stated = config.settings
    destinations = [reader.read_destination(*each) for each in stated.destinations.items()]
    alerts = [reader.read_alert(*each) for each in stated.stream_alerts.items()]
    return Fleets(
        config.fleets,
        tuple(each for each in destinations if each is not None),
        tuple(each for each in alerts if each is not None),
    )


class _Reader:
    def __init__(self, config: Config, tables: Mapping[str, str], problems: Problems) -> None:
        self.config = config
        self.tables = tables
        self.problems = problems

    def report(self, code: str, message: str, *path: str, hint: str = "") -> None:
        """Report what is wrong with a key."""
        self.problems.add(code, message, self.config.locate(*path), hint)

    def read_destination(self, name: str, stated: Mapping[str, Any]) -> FleetDestination | None:
        """Read one destination; None if it is wrong."""
        path, before = ("destinations", name), len(self.problems)
        check_name(name, "destination", self.config.locate(*path), self.problems)
        options = {key: value for key, value in stated.items() if key not in _OWN}
        kind = self.check_kind(name, stated, options)
        tables = stated.get("tables")
        if not isinstance(tables, list) or not tables:
            hint = 'write tables = ["readings"]'
            self.report("missing-key", f"destination {name!r} needs 'tables'", *path, hint=hint)
            tables = []
        for table in tables:
            self.check_table(str(table), *path, "tables")
        if len(self.problems) > before:
            return None
        spec = DestinationSpec(name, kind, options)
        return FleetDestination(spec, tuple(map(str, tables)), self.config.locate(*path))

    def check_kind(self, name: str, stated: Mapping[str, Any], options: Mapping[str, Any]) -> str:
        """Return the kind of a destination, its options held against what it understands."""
        path, kind = ("destinations", name), str(stated.get("kind", ""))
        known = registry.names(registry.DESTINATIONS)
        if kind not in known:
            message = f"there is no kind of destination called {kind!r}"
            code = "unknown-kind"
            if not kind:
                code, message = "missing-key", f"destination {name!r} needs the key 'kind'"
            self.report(code, message, *path, "kind", hint=nearest(kind, known))
            return kind
        try:
            loaded = registry.load(registry.DESTINATIONS, kind)
        except MissingExtraError as error:
            self.report(error.code, error.message, *path, "kind", hint=error.hint)
            return kind
        keys = (*loaded.required, *loaded.optional)
        for key in loaded.required:
            if key not in options:
                message = f"destination {name!r} needs the key {key!r}"
                self.report("missing-key", message, *path)
        for key in options:
            if key not in keys:
                message = f"{kind} destinations have no key {key!r}"
                hint = nearest(key, (*keys, *_OWN))
                self.report("unknown-key", message, *path, key, hint=hint)
        for problem in loaded().check(options) if hasattr(loaded, "check") else ():
            self.report("bad-value", f"destination {name!r}: {problem}", *path)
        return kind

    def check_table(self, table: str, *path: str) -> bool:
        """Report a table that no node has; return whether one does."""
        if table in self.tables:
            return True
        hint = nearest(table, list(self.tables), noun="table of a fleet")
        self.report("unknown-table", f"no fleet has a table {table!r}", *path, hint=hint)
        return False

    def read_alert(self, name: str, stated: StreamAlertSettings) -> FleetAlert | None:
        """Read one alert; None if it is wrong."""
        path, before = ("stream_alerts", name), len(self.problems)
        check_name(name, "alert", self.config.locate(*path), self.problems)
        self.check_table(stated.table, *path, "table")
        try:
            check_expression(stated.condition)
        except ValueError as error:
            self.report("bad-value", f"condition: {error}", *path, "condition")
        for address in stated.send:
            if "://" not in address:
                hint = "write https://…, mqtt://…, sqs://…, pagerduty://…, or as Apprise does"
                self.report("bad-value", f"{address!r} is no address", *path, "send", hint=hint)
        if len(self.problems) > before:
            return None
        alert = StreamAlert(
            name=name,
            table=stated.table,
            condition=stated.condition,
            at_least=stated.at_least,
            distinct=stated.distinct,
            within=round(stated.within * MICROSECONDS),
            column=stated.column,
            send=stated.send,
            message=stated.message or f"{name}: {stated.condition}",
            quiet=round(stated.quiet * MICROSECONDS),
        )
        return FleetAlert(alert, self.config.locate(*path))
