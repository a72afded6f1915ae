"""Messages that a broker sends again are told from new ones."""

from segue.agent.sources.redelivery import Redeliveries, digest_message

A, B = digest_message("t", b"a"), digest_message("t", b"b")


def begin(*, same_session=True, most=100, text=""):
    known = Redeliveries(most)
    known.read(text)
    known.begin(same_session=same_session)
    return known


def test_what_is_in_our_hands_is_not_taken_again():
    known = begin()
    serial = known.hold(1, A, again=False)
    known.begin(same_session=True)
    assert known.hold(1, A, again=True) is None
    assert known.settle(serial) == 1
    assert known.hold(1, A, again=True) == 0


def test_on_an_older_connection_the_acknowledgement_waits_for_the_message():
    known = begin()
    serial = known.hold(1, A, again=False)
    known.begin(same_session=True)
    assert known.settle(serial) is None
    assert known.hold(1, A, again=True) == 0


def test_the_cursor_knows_what_was_given_to_the_spool():
    known = begin()
    first, second = known.hold(1, A, again=False), known.hold(2, B, again=False)
    text = known.write([first])
    later = begin(text=text)
    assert later.hold(1, A, again=True) == 0
    assert later.hold(2, B, again=True) == 1
    known.settle(first)
    assert begin(text=known.write([second])).hold(1, A, again=True) == 0


def test_a_number_that_is_used_again_is_a_new_message():
    known = begin()
    known.settle(known.hold(1, A, again=False))
    assert known.hold(1, A, again=False) == 2  # the same content, and not marked
    known = begin()
    known.settle(known.hold(1, A, again=False))
    assert known.hold(1, B, again=True) == 2  # marked, and another content


def test_another_session_knows_nothing():
    known = begin()
    serial = known.hold(1, A, again=False)
    text = known.write([serial])
    assert begin(same_session=False, text=text).hold(1, A, again=True) == 1
    known.begin(same_session=False)
    other = known.hold(1, B, again=False)
    assert known.settle(serial) is None  # the number is another message's now
    assert known.settle(other) == 1


def test_only_so_many_are_remembered():
    known = begin(most=3)
    for number in range(1, 6):
        known.settle(known.hold(number, A, again=False))
    again = begin(text=known.write([]))
    assert [again.hold(number, A, again=True) for number in range(1, 6)] == [1, 2, 0, 0, 0]
