"""The page that says what was tried names every test that tries something, and no other."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "explain" / "faults.md"
FLEET = HERE.parent / "fleet"
WHOLE = (HERE, FLEET, *(path for path in sorted(FLEET.iterdir()) if path.is_dir()))
"""Folders of whose tests the page names every one."""
ASIDE = ("test_faults_page.py", "test_isolation.py")
"""This file, and the parts that whole runs try again."""


def test_the_page_of_faults_is_whole():
    found = set()
    for path in (path for folder in WHOLE for path in sorted(folder.glob("test_*.py"))):
        if path.name not in ASIDE:
            body = ast.parse(path.read_text()).body
            found |= {part.name for part in body if isinstance(part, ast.FunctionDef)}
    tests = {name for name in found if name.startswith("test_")}
    named = re.findall(r"`(test_\w+)`", PAGE.read_text())
    assert sorted(named) == sorted(tests)
