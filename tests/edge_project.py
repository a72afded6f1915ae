"""A project whose nodes read lines of numbers: what tests of the edge part begin with."""


def write_settings(columns: str, path: str = "${READINGS}/*.jsonl", steps: str = "") -> str:
    """Return a ``segue.toml`` with one table of the fleet ``shops``.

    Args:
        columns: Its columns, as TOML.
        path: Files that nodes read.
        steps: A table of a step, as TOML.
    """
    return f"""
[project]
name = "p"
[places.shops]
engine = "fleet"
address = "https://127.0.0.1:8443"
options = {{spool = "64MB", when_full = "block"}}
[tables.readings]
on = "shops"
kind = "tail"
path = "{path}"
format = "json"
columns = {{{columns}}}
{steps}"""
