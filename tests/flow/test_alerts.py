"""Alerts: who is told what, once per episode, through real servers, and what if none is there."""

import json
import subprocess
import sys
import time

import pytest

from tests.flow.building import TOML, lines, source
from tests.receivers import Webhook, find_port, hanging_server, mail_server, webhook

GOOD = lines("id,v,email", *(f"{i},{i},a{i}@b.test" for i in range(40)))
BAD = lines("id,v,email", *(f"{i},{-i - 1 if i % 4 == 0 else i},a{i}@b.test" for i in range(40)))
CONTRACTS = """
made:
  owner: made@example.com
  columns:
    email: {sensitive: true, type: string}
    v: {between: [0, 1000]}
other:
  owner: made@example.com
  columns: {v: {between: [0, 1000]}}
"""


def channels(**urls):
    return "".join(f'\n[alerts.channels.{name}]\nurl = "{url}"\n' for name, url in urls.items())


@pytest.fixture
def shop(make_project):
    def make(alerts, rows=BAD, contracts=CONTRACTS):
        return make_project(
            {
                "segue.toml": TOML + source("raw", "raw.csv") + alerts,
                "raw.csv": rows,
                "steps/made.sql": "select id, v, email from raw",
                "steps/other.sql": "select v from raw",
                "contracts.yml": contracts,
            }
        )

    return make


@pytest.fixture
def segue():
    def call(*arguments, cwd):
        command = [sys.executable, "-m", "segue", *arguments]
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)

    return call


def run(project):
    return project.project.run(check=False)


@pytest.fixture
def hook():
    with webhook() as server:
        yield server


def test_an_alert_says_what_where_since_when_whose_and_what_next(shop, hook):
    project = shop(channels(hook=hook.url))

    result = run(project)

    [(title, text, kind)] = hook.take()
    assert title == "p: 2 checks of 2 tables failed"
    assert kind == "failure"
    assert "made (owner: made@example.com)" in text
    assert "- v between fails since 20" in text
    assert "10 of 40 rows, 25% break `v between 0 and 1000`" in text
    assert "such as v=-" in text
    assert "email=***" in text
    assert "@b.test" not in text
    assert "declared in contracts.yml:6" in text
    assert f"segue show {result.run_id}" in text
    assert "readers see the tables as they were" in text
    assert "Next: mend the data" in text
    [told] = result.alerts
    assert told.arrived
    assert told.checks == (("made", "v between"), ("other", "v between"))
    assert project.project.record()["alerts"][0]["channel"] == "hook"


def test_an_episode_is_told_once_and_so_is_its_end(shop, hook):
    project = shop(channels(hook=hook.url))
    run(project)
    assert len(hook.take()) == 1
    assert run(project).alerts == ()
    project.write({"raw.csv": BAD + "99,-5,x\n"})
    assert run(project).alerts == ()
    assert hook.take() == []

    project.write({"raw.csv": GOOD})
    run(project)
    [(title, text, kind)] = hook.take()
    assert (title, kind) == ("p: 2 checks of 2 tables are well again", "success")
    assert "- v between is well again; it was not well since 20" in text

    project.write({"raw.csv": GOOD + "98,1,x\n"})
    assert run(project).alerts == ()
    project.write({"raw.csv": BAD})
    run(project)
    assert [title for title, _, _ in hook.take()] == ["p: 2 checks of 2 tables failed"]


def test_check_tells_as_well_and_knows_what_a_run_told(shop, hook, segue):
    warn = CONTRACTS.replace("[0, 1000]}", "{min: 0, severity: warn}}")
    project = shop(channels(hook=hook.url) + 'verdicts = ["warn", "fail"]\n', contracts=warn)
    run(project)
    [(title, _, kind)] = hook.take()
    assert (title, kind) == ("p: 2 checks of 2 tables need a look", "warning")
    project.close()

    found = segue("check", "--json", cwd=project.root)
    assert json.loads(found.stdout)["alerts"] == []

    project.write({"contracts.yml": warn.replace(", severity: warn", "")})
    project.close()
    found = segue("check", cwd=project.root)
    assert found.returncode == 1
    assert "Alert: told hook: p: 2 checks of 2 tables failed" in found.stdout
    [(_, text, kind)] = hook.take()
    assert kind == "failure"
    assert "Run " not in text


def test_a_dead_channel_stops_nothing_and_is_told_later(shop):
    port = find_port()
    project = shop(channels(dead=f"json://127.0.0.1:{port}/x"))

    result = run(project)

    [told] = result.alerts
    assert not told.arrived
    assert project.project.record()["alerts"][0]["problem"] == told.problem
    since = project.project.workspace.ledger.episodes()[0].since

    server = Webhook(port)
    try:
        run(project)
        [(_, text, _)] = server.take()
        assert f"fails since {since[:16].replace('T', ' ')} UTC" in text
        assert run(project).alerts == ()
    finally:
        server.close()


def test_a_channel_that_never_answers_costs_no_more_than_the_timeout(shop, hook, segue):
    with hanging_server() as port:
        patient = f"json://127.0.0.1:{port}/x?cto=90&rto=90"
        alerts = '\n[alerts]\ntimeout = "1s"\n' + channels(hanging=patient, hook=hook.url)
        project = shop(alerts)
        began = time.monotonic()
        found = segue("run", "--json", cwd=project.root)
        seconds = time.monotonic() - began

    assert seconds < 45  # the process does not wait for its threads either
    told = json.loads(found.stdout)["alerts"]
    problems = {each["channel"]: each["problem"] for each in told}
    assert problems == {"hanging": "no answer within 1 s", "hook": ""}


def test_a_run_says_on_the_terminal_whom_it_could_not_reach(shop, segue):
    project = shop(channels(dead=f"json://127.0.0.1:{find_port()}/x"))

    found = segue("run", cwd=project.root)

    assert found.returncode == 1
    assert "Alert not sent by dead: p: 2 checks of 2 tables failed: " in found.stdout
    assert "Traceback" not in found.stdout + found.stderr
    shown = segue("show", "last", cwd=project.root).stdout
    assert "Alert not sent by dead: p: 2 checks of 2 tables failed: " in shown


def test_an_end_that_did_not_arrive_is_told_later(shop, hook):
    project = shop(channels(hook=hook.url))
    run(project)
    hook.take()
    hook.status = 500
    project.write({"raw.csv": GOOD})
    assert not run(project).alerts[0].arrived
    hook.status = 200

    project.write({"raw.csv": GOOD + "98,1,x\n"})
    run(project)

    assert [kind for _, _, kind in hook.take()] == ["success"]
    assert project.project.workspace.ledger.episodes() == ()


def test_values_of_made_columns_are_in_no_message(shop):
    contracts = (
        "raw:\n  columns: {email: {sensitive: true}}\n"
        "made:\n  owner: made@example.com\n  columns: {m: {in: [x]}}\n"
        "  checks: [{name: each, metric: count(*), by: m, between: [9, 9]}]\n"
    )
    with mail_server() as (port, letters):
        url = f"mailto://127.0.0.1:{port}?from=segue@example.com&to={{owner}}"
        project = shop(channels(mail=url), contracts=contracts)
        project.write({"steps/made.sql": "select id, v, upper(email) as m from raw"})
        result = run(project)
    assert [each.problem for each in result.alerts] == [""]
    bodies = "".join(
        p.get_content() for _, each in letters for p in each.walk() if not p.is_multipart()
    )
    assert "each" in bodies
    assert "b.test" not in bodies.lower()


def test_mail_goes_to_each_owner_and_hostile_values_are_text(shop):
    contracts = (
        CONTRACTS.replace("made@example.com", "other@example.com")
        .replace("other@example.com", "made@example.com", 1)
        .replace("[0, 1000]", "{min: 0, severity: fail}")
    )
    rows = lines("id,v,email", '1,-1,"<script>alert(1)</script>"', "2,-2,x")
    with mail_server() as (port, letters):
        url = f"mailto://127.0.0.1:{port}?from=segue@example.com&to={{owner}}"
        project = shop(channels(mail=url), rows, contracts.replace("sensitive: true, ", ""))
        result = run(project)

    assert [each.problem for each in result.alerts] == ["", ""]
    assert sorted(to for recipients, _ in letters for to in recipients) == [
        "made@example.com",
        "other@example.com",
    ]
    for _, letter in letters:
        assert letter["Subject"].startswith("p: 1 check of ")
        for part in letter.walk():
            if part.get_content_type() == "text/html":
                assert "<script>" not in part.get_content()
    bodies = "".join(
        p.get_content() for _, each in letters for p in each.walk() if not p.is_multipart()
    )
    assert "script" in bodies
    assert "between" in bodies


def test_channels_take_what_they_name_and_the_fallback_the_rest(shop):
    with webhook() as of_made, webhook() as rest, webhook() as of_owner:
        alerts = (
            channels(a=of_made.url)
            + 'tables = ["ma*"]\n'
            + channels(b=rest.url)
            + "fallback = true\n"
            + channels(c=of_owner.url)
            + 'owners = ["*@elsewhere.test"]\n'
        )
        run(shop(alerts))
        assert [title for title, _, _ in of_made.take()] == ["p: 1 check of made failed"]
        assert [title for title, _, _ in rest.take()] == ["p: 1 check of other failed"]
        assert of_owner.take() == []


def test_secrets_of_a_channel_are_nowhere(shop, monkeypatch):
    monkeypatch.setenv("HOOK_TOKEN", "canary-31415")
    port = find_port()
    project = shop(channels(dead=f"json://user:${{HOOK_TOKEN}}@127.0.0.1:{port}/x"))

    result = run(project)

    assert "canary" not in str(result)
    assert "canary" not in json.dumps(project.project.record())


def test_what_is_wrong_in_the_settings_is_told_with_its_line(make_project, segue):
    project = make_project(
        {
            "segue.toml": TOML
            + '\n[alerts]\ntimout = 3\n\n[alerts.channels.mail]\nurl = "team@example.com"\n'
            + 'owner = ["x"]\ntables = ["mad"]\nverdicts = ["pass"]\n',
            "steps/made.sql": "select 1 as id",
            "contracts.yml": "made:\n  owner: a@b.test\n  columns: {id: {unique: true}}\n",
        }
    )

    told = segue("plan", cwd=project.root).stderr

    assert "segue.toml:9: there is no key 'alerts.timout'" in told
    assert "did you mean 'timeout'" in told
    assert "segue.toml:12: the url of channel 'mail' is no address" in told
    assert "there is no key 'alerts.channels.mail.owner'" in told
    assert "did you mean 'owners'" in told
    assert "no contract names the table 'mad'" in told
    assert "did you mean 'made'" in told
    assert "alerts.channels.mail.verdicts" in told


def test_a_channel_can_be_tried(shop, hook, segue):
    project = shop(channels(hook=hook.url, dead=f"json://127.0.0.1:{find_port()}/x"), GOOD)

    found = segue("alerts", "test", "hook", cwd=project.root)
    assert (found.returncode, found.stderr) == (0, "")
    assert "told hook: p: a test of channel hook" in found.stdout
    assert [kind for _, _, kind in hook.take()] == ["info"]

    found = segue("alerts", "test", "--json", cwd=project.root)
    assert found.returncode == 1
    assert [bool(each["problem"]) for each in json.loads(found.stdout)] == [False, True]

    found = segue("alerts", "test", "hok", cwd=project.root)
    assert found.returncode == 2
    assert "did you mean 'hook'" in found.stderr


def test_channels_and_what_was_told_are_listed_without_secrets(shop, hook, segue):
    project = shop(channels(hook=hook.url))
    run(project)

    found = segue("alerts", cwd=project.root).stdout

    assert "json://..." in found
    assert "just now" in found
    assert str(hook.port) not in found


def test_an_address_that_apprise_does_not_know_is_told(shop):
    project = shop(channels(odd="nosuchthing://x"))

    assert [each.problem for each in run(project).alerts] == ["Apprise does not understand its url"]
