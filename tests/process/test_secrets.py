"""Values of secrets, which may stand nowhere but in the environment."""

import segue
from tests.process.generations import Site

CANARY = "canary-5f1d0c"
SETTINGS = """
[project]
name = "secrets"

[tables.raw]
path = "data/${TOKEN}/*.csv"

[tables.single]
path = "data/${TOKEN}/one.csv"
"""
LEAKY = """
import os

from segue import step


@step{options}
def leaky(raw: list[dict], word: str = "-") -> list[dict]:
    {body}
"""

MISTAKES = {
    "raises": ("", "raise ValueError(f'can not reach {os.environ[\"TOKEN\"]}')", "step-failed"),
    "raises with it among its rows": (
        "",
        "raw.append({'x': 0}); raw[0]['x'] = os.environ['TOKEN']; raise KeyError(raw[0]['x'])",
        "step-failed",
    ),
    "dies with it on its lips": (
        "(timeout=60)",
        "print(os.environ['TOKEN'], flush=True); os._exit(3)",
        "step-crashed",
    ),
    "returns it as a column's name": (
        "",
        "return [{os.environ['TOKEN']: [1, 'x']}]",
        "output-invalid",
    ),
}


def write_secret_project(folder):
    site = Site(folder)
    site.edit("segue.toml", SETTINGS)
    for name in ("one", "two"):
        site.edit(f"data/{CANARY}/{name}.csv", "x,y\n1,a\n2,b\n3,c\n")
    site.edit("steps/fine.sql", "select x from raw")
    site.edit("steps/once.sql", "-- segue: {mode: append}\nselect * from raw")
    site.edit("steps/narrow.sql", "select count(*) as n from single")
    return site


def test_no_secret_is_kept_or_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN", CANARY)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    site = write_secret_project(tmp_path / "project")
    said = []

    def ask(code, *arguments):
        for more in ((), ("--json",)):
            ended = site.ask(*arguments, *more)
            # What a step prints by itself goes to the terminal and nowhere else.
            said.append((arguments, f"{ended.out}{ended.err}".replace(f"\n{CANARY}\n", "\n")))
            assert ended.code == code, ended
        return ended

    ask(0, "plan")
    ask(0, "run")
    ask(0, "run", "--force")
    site.edit(f"data/{CANARY}/three.csv", "x,y\n4,d\n")
    ask(0, "plan")
    ask(0, "run")
    for command in ("runs", "tables", "lineage", "doctor", "vacuum"):
        ask(0, command)
    ask(0, "show", "last")
    ask(0, "show", "raw")
    ask(0, "read", "fine")
    for options, body, code in MISTAKES.values():
        site.edit("steps/leaky.py", LEAKY.format(options=options, body=body))
        ended = ask(1, "run", "-p", f"leaky.word={CANARY}")
        assert ended.error == code
        ask(0, "show", "last")
    site.edit("steps/leaky.py", LEAKY.format(options="", body="return [{'n': len(word)}]"))
    ask(0, "run", "-p", f"leaky.word={CANARY}")
    ask(0, "plan", "-p", f"leaky.word={CANARY}")
    ask(0, "plan")
    ask(0, "show", "last")
    site.edit(f"data/{CANARY}/four.csv", "x,y\n5,e,f,g\n")
    ask(1, "run")
    (site.folder / f"data/{CANARY}/one.csv").unlink()
    ask(1, "run", "+narrow")

    leaks = [
        (*arguments, text[max(0, at - 100) : at + 40])
        for arguments, text in said
        if (at := text.find(CANARY)) >= 0
    ]
    assert leaks == [], "\n".join(map(str, leaks))
    assert find_canary(site.lake) == []
    assert find_canary(tmp_path / "scratch") == []
    with segue.load(site.folder) as project:
        assert CANARY not in repr(project.runs())
        assert CANARY not in str(project.record())


def find_canary(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path.relative_to(folder)) for path in files if CANARY.encode() in path.read_bytes()]
