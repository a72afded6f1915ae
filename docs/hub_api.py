"""The page of the hub's API, from what the hub itself tells at ``/openapi.json``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue import registry
from segue.hub.app import make_app
from segue.hub.hub import Hub
from segue.hub.rollout_routes import HubRollouts

if TYPE_CHECKING:
    from collections.abc import Iterator

WHO = {
    "agents": "Nodes ask these. All but `ca`, `enrol` and `challenge` are signed with"
    " the node's key (RFC 9421, Ed25519) over method, authority, path, query, the body's digest,"
    " session and counter; `session` over a challenge in place of a session.",
    "operators": "People ask these, with `Authorization: Bearer` and the token that"
    " `segue hub operator NAME` printed.",
    "deployments": "Metadata and bundles are for nodes and operators, the rest for operators.",
    "watch": "Anybody may ask for `healthz`; figures over TLS are for operators.",
}


def read_api() -> dict[str, Any]:
    """Return what a hub tells of its routes."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        store = registry.load(registry.HUB_STORES, "sql")(f"sqlite:///{home / 'hub.db'}")
        nothing: Any = None
        hub = Hub("project", home, store, nothing, lambda _: False)
        hub.rollouts = HubRollouts(hub)
        try:
            return make_app(hub).openapi()
        finally:
            store.close()


def write_hub_api() -> Iterator[str]:
    """Write the page."""
    yield "# The hub's API"
    yield ""
    yield "What a [hub](../howto/hub.md) answers over HTTP; `GET /openapi.json` tells programs."
    yield "An error is `{code, message, hint}`, with a code of [these](errors.md). A hub that is"
    yield "busy, or whose disk fails, answers 503 with `Retry-After`; 401 with the code `session`"
    yield "asks for a new session."
    yield ""
    api = read_api()
    for tag, told in WHO.items():
        yield f"## {tag.capitalize()}"
        yield ""
        yield told
        yield ""
        yield "| route | what it does | takes | answers |"
        yield "| --- | --- | --- | --- |"
        for path, methods in api["paths"].items():
            for method, route in methods.items():
                if tag in route.get("tags", ()):
                    yield _write_route(path, method, route)
        yield ""
    yield from _write_messages(api)


def _write_route(path: str, method: str, route: dict[str, Any]) -> str:
    content = route.get("requestBody", {}).get("content", {})
    takes = [each["schema"].get("title") or kind for kind, each in content.items()]
    takes += [f"`{each['name']}`" for each in route.get("parameters", ()) if each["in"] == "query"]
    answers = [
        each["schema"]["$ref"].rpartition("/")[2]
        for status, told in route["responses"].items()
        if status.startswith("2")
        for each in told.get("content", {}).values()
        if "$ref" in each["schema"]
    ]
    summary = route.get("summary", "")
    return f"| `{method.upper()} {path}` | {summary} | {', '.join(takes)} | {', '.join(answers)} |"


def _write_messages(api: dict[str, Any]) -> Iterator[str]:
    yield "## Messages"
    yield ""
    yield "Who reads one ignores what it does not know, and takes the default for what is missing."
    yield ""
    for name, schema in sorted(api.get("components", {}).get("schemas", {}).items()):
        if "Error" in name:
            continue
        required = set(schema.get("required", ()))
        parts = [
            f"`{each}`" if each in required else f"`{each}` (optional)"
            for each in schema.get("properties", {})
        ]
        yield f"- **{name}**: {', '.join(parts)}"
