"""What is told, to whom, and when an episode begins and ends: without servers or ledgers."""

import re
from dataclasses import replace

import pytest

from segue.alerts.episodes import find_since, look_out
from segue.alerts.route import find_channels
from segue.alerts.text import MOST, write_body, write_title
from segue.errors import Location
from segue.spec.alerts import Channel, Episode
from segue.spec.contract import Check, Contract, Measurement, Report, Tolerance, Verdict
from segue.spec.history import Point

HERE = Location("segue.toml", 1)
ALL = Channel("all", HERE, "json://x")
WARNED = replace(ALL, name="warned", verdicts=(Verdict.WARN, Verdict.FAIL))
MAIL = replace(ALL, name="mail", url="mailto://x?to={owner}")
NOW = "2026-01-10T00:00:00+00:00"


def found(check="c", verdict=Verdict.FAIL, table="t", **rest):
    return Measurement(table, check, "between", (), verdict, 10, 1, "1 of 10 rows", **rest)


def report(*measurements, table="t"):
    return Report(table, 10, tuple(measurements))


def contract(table="t", owner="o@x.test", checks=("c",)):
    stated = (Check(n, "between", (), {}, Tolerance(), None, HERE) for n in checks)
    return Contract(table, HERE, tuple(stated), owner=owner)


def look(channels, *reports, known=(), past=(), contracts=None):
    contracts = contracts or {each.table: contract(each.table) for each in reports}
    return look_out(channels, reports, contracts, known, lambda *_: past, NOW)


def told(outlook):
    return [(m.channel.name, m.owner, m.well, len(m.items)) for m in outlook.messages]


def test_nothing_is_told_of_what_is_well():
    outlook = look([ALL], report(found(verdict=Verdict.PASS), found("w", Verdict.WARN)))

    assert outlook.messages == outlook.ended == ()


def test_set_aside_rows_are_a_warning():
    aside = report(found(rejected=True))

    assert look([ALL], aside).messages == ()
    assert told(look([WARNED], aside)) == [("warned", "", False, 1)]


def test_a_warning_that_becomes_a_failure_is_told_again_and_the_other_way_round_is_not():
    warned = Episode("t", "c", "warned", NOW, Verdict.WARN, told_at=NOW)
    failed = replace(warned, verdict=Verdict.FAIL)

    assert told(look([WARNED], report(found()), known=[warned])) == [("warned", "", False, 1)]
    assert look([WARNED], report(found(verdict=Verdict.WARN)), known=[failed]).messages == ()
    assert look([WARNED], report(found()), known=[failed]).messages == ()


def test_what_did_not_arrive_is_told_again_with_its_beginning():
    tried = Episode("t", "c", "all", "2026-01-01T00:00:00", Verdict.FAIL)

    [message] = look([ALL], report(found()), known=[tried]).messages

    assert message.items[0].episode.since == "2026-01-01T00:00:00"


def test_an_end_is_told_only_to_who_heard_of_the_beginning():
    heard = Episode("t", "c", "all", "2026-01-01T00:00:00", Verdict.FAIL, told_at=NOW)
    well = report(found(verdict=Verdict.PASS))

    assert told(look([ALL], well, known=[heard])) == [("all", "", True, 1)]
    unheard = look([ALL], well, known=[replace(heard, told_at="")])
    assert (unheard.messages, len(unheard.ended)) == ((), 1)


def test_a_new_episode_begins_while_the_end_of_the_last_is_still_to_be_told():
    over = Episode("t", "c", "all", "2026-01-01", Verdict.FAIL, told_at=NOW, well_at=NOW)

    [message] = look([ALL], report(found()), known=[over]).messages

    assert (message.well, message.items[0].episode.told_at) == (False, "")
    assert message.items[0].episode.since == NOW


def test_only_what_was_measured_is_touched():
    elsewhere = Episode("u", "c", "all", NOW, Verdict.FAIL, told_at=NOW)
    unasked = replace(elsewhere, table="t", check="d")
    known = {"t": contract(checks=("c", "d"))}

    outlook = look([ALL], report(found()), known=[elsewhere, unasked], contracts=known)

    assert outlook.ended == ()
    gone = look([ALL], report(found()), known=[elsewhere, unasked])
    assert gone.ended == (unasked,)  # the contract states it no more


def test_a_channel_that_is_gone_ends_its_episodes_without_a_word():
    old = Episode("t", "c", "gone", NOW, Verdict.FAIL, told_at=NOW)

    outlook = look([ALL], report(found(verdict=Verdict.PASS)), known=[old])

    assert (outlook.messages, outlook.ended) == ((), (old,))


def test_tables_of_one_owner_share_a_message_and_owners_have_their_own():
    contracts = {
        "t": contract("t", "a@x.test"),
        "u": contract("u", "a@x.test"),
        "v": contract("v", "b@x.test"),
        "w": contract("w", ""),
    }
    reports = [report(found(table=name), table=name) for name in contracts]

    assert told(look([MAIL], *reports, contracts=contracts)) == [
        ("mail", "a@x.test", False, 2),
        ("mail", "b@x.test", False, 1),
    ]
    assert told(look([ALL], *reports, contracts=contracts)) == [("all", "", False, 4)]


@pytest.mark.parametrize(
    ("table", "owner", "expected"),
    [
        ("orders", "me@shop.test", ["all", "shop"]),
        ("payments", "me@shop.test", ["all", "pay", "shop"]),
        ("payments", "", ["all", "pay"]),
        ("orders", "ME@SHOP.TEST", ["all", "shop"]),
    ],
)
def test_patterns_of_tables_and_owners(table, owner, expected):
    channels = [
        ALL,
        replace(ALL, name="pay", tables=("pay*",)),
        replace(ALL, name="shop", owners=("*@shop.test",)),
        replace(ALL, name="rest", fallback=True),
    ]

    assert [each.name for each in find_channels(channels, table, owner)] == expected
    alone = find_channels(channels[1:], "stock", "x@y.test")
    assert [each.name for each in alone] == ["rest"]


@pytest.mark.parametrize(
    ("verdicts", "since"),
    [
        ("", NOW),
        ("pppp", NOW),
        ("ppff", "2026-01-03"),
        ("pwfe", "2026-01-02"),
        ("ffff", "2026-01-01"),
    ],
)
def test_since_when_a_check_is_not_well(verdicts, since):
    words = {"p": Verdict.PASS, "w": Verdict.WARN, "f": Verdict.FAIL, "e": Verdict.ERROR}
    points = [Point(f"2026-01-0{day}", words[v], 10) for day, v in enumerate(verdicts, 1)]

    assert find_since(points, NOW) == since


def test_a_message_is_bounded_and_its_data_steers_nothing():
    calls = "@everyone <!channel> <@U123> @Here"
    hostile = found("x\r\nBcc: all@x.test", sample=({"c": calls, "v": "\x1b[2J" + "y" * 5000},))
    many = [found(f"check {at}") for at in range(100)]

    [message] = look([ALL], report(hostile, *many)).messages
    title = write_title("p\r\nq", message)
    body = write_body(message, {}, "", published=True)

    assert title == "p\\r\\nq: 101 checks of t failed"
    assert "\x1b" not in body
    assert "\r" not in body
    assert not re.search("@(everyone|here)|<[!@]", body, re.IGNORECASE)
    assert "Bcc" not in [line.partition(":")[0] for line in body.splitlines()]
    assert f"and {101 - MOST} more checks" in body
    assert len(body) < 20_000
