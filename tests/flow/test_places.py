"""Steps that run in places with limits of their own."""

TOML = """
[project]
name = "p"

[places.local]
threads = 2

[places.tiny]
memory = "300MB"
threads = 1

[steps.there]
on = "tiny"
"""

SETTINGS = "select current_setting('threads')::int as threads"


def test_a_step_runs_with_the_limits_of_its_place(make_project):
    project = make_project(
        {
            "segue.toml": TOML,
            "steps/here.sql": SETTINGS,
            "steps/there.sql": SETTINGS,
            "steps/both.sql": "select here.threads as h, there.threads as t from here, there",
        }
    )
    assert project.run() == {"here": "done", "there": "done", "both": "done"}
    assert project.rows("both") == [(2, 1)]
    assert project.recorded("there")["place"] == "tiny"
