"""Which checks somebody was told of, as a ledger remembers it."""

from dataclasses import replace

from segue.spec.alerts import Episode
from segue.spec.contract import Verdict

FIRST = Episode("a", "x between", "mail", "2026-01-01T00:00:00+00:00", Verdict.FAIL)
SECOND = replace(FIRST, check="y" * 2000, since="2026-01-02T00:00:00+00:00", verdict=Verdict.WARN)


def test_episodes_are_kept_oldest_first(site):
    site.ledger.keep_episodes([SECOND, FIRST])

    assert site.ledger.episodes() == (FIRST, SECOND)


def test_an_episode_is_replaced_and_forgotten(site):
    site.ledger.keep_episodes([FIRST, SECOND])
    told = replace(FIRST, told_at="2026-01-01T00:01:00+00:00", well_at="2026-01-03T00:00:00+00:00")
    site.ledger.keep_episodes([told], ended=[SECOND])

    assert site.ledger.episodes() == (told,)


def test_channels_and_environments_are_apart(site):
    chat = replace(FIRST, channel="chat")
    site.ledger.keep_episodes([FIRST, chat])
    site.ledger.keep_episodes([FIRST], environment="staging")
    site.ledger.keep_episodes([], ended=[FIRST])

    assert site.ledger.episodes() == (chat,)
    assert site.ledger.episodes("staging") == (FIRST,)
