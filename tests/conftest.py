"""What every test gets: the same terminal, clock zone and environment on every machine."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.grouping", "tests.live_engines", "tests.live_postgres"]

# Machines differ in speed: a slow example is no failure, `--timeout` is the guard.
settings.register_profile(
    "segue", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("explore", settings.get_profile("segue"), max_examples=1000)
settings.load_profile("segue")

TERMINAL = ("CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "LINES", "NO_COLOR", "TTY_COMPATIBLE")


@pytest.fixture(scope="session")
def kept_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache folder in place of the user's."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True, scope="module")
def files_are_closed() -> Iterator[None]:
    """Tell whose tests leave many files open: those of all modules add up in one process.

    Libraries that wait by ``select`` wait for ever once there are 1,024.
    """
    yield
    held = Path("/proc/self/fd")
    assert not held.exists() or len(list(held.iterdir())) < 800  # engines take 300


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, kept_folder: Path) -> None:
    """Hide the caller's settings and terminal, for this process and those that tests start."""
    for name in list(os.environ):
        if name.startswith("SEGUE_") or name in TERMINAL:
            monkeypatch.delenv(name)
    monkeypatch.setenv("SEGUE_CACHE", str(kept_folder))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
