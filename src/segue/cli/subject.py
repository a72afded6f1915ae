"""All that is known of a table: gathered as a document, and told to people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from segue.cli.documents import Document, describe_table, describe_version
from segue.cli.look import QUIET, cell, facts, line, make_table
from segue.cli.wording import age, count, listing, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from segue.project import Project, TableInfo
    from segue.spec.contract import Check, Contract

MOST_VERSIONS = 5


def describe_subject(project: Project, info: TableInfo) -> Document:
    """Return all that is known of a table."""
    spec = project.spec
    step = spec.steps.get(info.name)
    source = project.workspace.project.sources.get(info.name)
    contract = spec.contracts.get(info.name)
    declared = step or source or spec.sources.get(info.name)
    return {
        **describe_table(info),
        "declared": str(declared.location) if declared else None,
        "mode": str(step.mode) if step else None,
        "place": step.on if step else None,
        "path": source.options.get("path") if source else None,
        "reads": list(step.reads) if step else [],
        "read_by": [each.name for each in spec.steps.values() if info.name in each.reads],
        "contract": _describe_contract(contract) if contract else None,
        "sensitive": _describe_sensitive(project, info),
        "versions": [describe_version(version) for version in project.history(info.name)],
    }


def _describe_sensitive(project: Project, info: TableInfo) -> Document:
    """Return the sensitive columns, each with the marked ones that it is made from."""
    hidden = project.spec.hidden(info.name)
    names = hidden.names if info.columns is None else hidden.among(info.columns.names)
    return {name: list(hidden.why(name)) for name in names}


def _describe_contract(contract: Contract) -> Document:
    return {
        "location": str(contract.location),
        "rejects": contract.rejects,
        "columns": dict(contract.columns),
        "checks": [_describe_check(check) for check in contract.checks],
    }


def _describe_check(check: Check) -> Document:
    return {
        "name": check.name,
        "kind": check.kind,
        "columns": list(check.columns),
        "arguments": {name: _plain(value) for name, value in check.arguments.items()},
        "warn": None if check.warn is None else str(check.warn),
        "fail": None if check.fail is None else str(check.fail),
        "location": str(check.location),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def render_subject(subject: Document) -> Iterator[RenderableType]:
    """Go through the parts of what is known of a table."""
    yield line((subject["name"], "bold"), (f"  {subject['kind']}", QUIET))
    yield facts(_facts(subject))
    if subject["columns"] is not None:
        yield Text("")
        yield _render_columns(subject)
    if subject["contract"] and subject["contract"]["checks"]:
        yield Text("")
        yield _render_contract(subject["contract"])
    if subject["versions"]:
        yield Text("")
        yield _render_versions(subject["versions"])


def _facts(subject: Document) -> Iterator[tuple[str, str]]:
    yield "about", subject["about"]
    yield "owner", subject["owner"]
    yield "declared", subject["declared"] or ""
    yield "path", str(subject["path"] or "")
    yield "mode", subject["mode"] or ""
    yield "made from", listing(subject["reads"], most=20)
    yield "read by", listing(subject["read_by"], most=20)
    if subject["version"] is not None:
        published = f"version {subject['version']}, {age(subject['published_at'])}"
        volume = f"{count(subject['rows'], 'row')}, {size(subject['bytes'])}"
        yield "published", f"{published} by run {subject['run_id']}: {volume}"
    elif subject["rows"] is not None:
        yield "arrived", f"{count(subject['rows'], 'row')}, {size(subject['bytes'])}"
    elif subject["kind"] == "table":
        yield "published", "never"
    if subject["columns"] is None:
        told = (f"{name} ({_tell_marks(subject, name)})" for name in subject["sensitive"])
        yield "sensitive", ", ".join(told)


def _render_columns(subject: Document) -> RenderableType:
    abouts = subject["contract"]["columns"] if subject["contract"] else {}
    names, hidden = ["column", "type", "about"], bool(subject["sensitive"])
    rows = []
    for column in subject["columns"]:
        name = column["name"]
        row = [cell(name), cell(column["type"], QUIET), cell(abouts.get(name))]
        rows.append([*row, cell(_tell_marks(subject, name))] if hidden else row)
    return make_table([*names, *["sensitive"] * hidden], rows, wrap=["type", "about", "sensitive"])


def _tell_marks(subject: Document, column: str) -> str:
    """Return in words why a column is sensitive; nothing if it is not."""
    marks = list(subject["sensitive"].get(column, ()))
    own = f"{subject['name']}.{column}".lower()
    if [each.lower() for each in marks] == [own]:
        return "marked"
    return f"from {listing(marks, most=3)}" if marks else ""


def _render_contract(contract: Document) -> RenderableType:
    rows = [
        [cell(check["name"]), cell(_asked(check)), cell(_tolerance(check), QUIET)]
        for check in contract["checks"]
    ]
    return make_table(["check", "asks", "tolerance"], rows, wrap=["check", "tolerance", "asks"])


def _asked(check: Document) -> str:
    """Return a check's arguments in words, as a contract's reader would say them."""
    # 1 equals True, so that only identity tells them apart
    left = {
        name: value
        for name, value in check["arguments"].items()
        if value is not None and value is not True
    }
    parts = []
    if left.keys() & {"min", "max"}:
        parts.append(_between(left.pop("min", None), left.pop("max", None)))
    if left.keys() >= {"table", "column"}:
        parts.append(f"{left.pop('table')}.{left.pop('column')}")
    if left.get("nulls") == "ignored":
        del left["nulls"]
    if ", ".join(left.get("columns", ())) in check["name"]:
        left.pop("columns", None)
    for name, value in left.items():
        told = ", ".join(map(_show, value)) if isinstance(value, list) else _show(value)
        plain = name in (check["kind"], "values", "columns", "pattern")
        parts.append(told if plain else f"{name} {told}")
    return " ".join(parts)


def _between(low: Any, high: Any) -> str:
    if low == high:
        return f"exactly {_show(low)}"
    if low is None or high is None:
        return f"at most {_show(high)}" if low is None else f"at least {_show(low)}"
    return f"between {_show(low)} and {_show(high)}"


def _show(value: Any) -> str:
    return " ".join(str(value).split())


def _tolerance(check: Document) -> str:
    warns = "" if check["warn"] is None else f"warns above {check['warn']}"
    fails = "" if check["fail"] in (None, "0") else f"fails above {check['fail']}"
    return ", ".join(filter(None, (warns, fails)))


def _render_versions(versions: list[Document]) -> RenderableType:
    rows = [
        [
            cell(version["number"]),
            cell(age(version["published_at"])),
            cell(f"{version['rows']:,}"),
            cell(size(version["bytes"])),
            cell(version["run_id"]),
        ]
        for version in versions[: -MOST_VERSIONS - 1 : -1]
    ]
    if len(versions) > MOST_VERSIONS:
        rows.append([cell(f"+ {len(versions) - MOST_VERSIONS} older", QUIET)])
    columns = ["version", "published", "rows", "size", "run"]
    return make_table(columns, rows, numbers=["rows", "size"])
