import os
from contextlib import suppress

from kintomodel.transport.sessions import Sessions

URL = "http://127.0.0.1:8888/v1"


def test_one_session_serves_who_comes_one_after_the_other():
    sessions = Sessions(URL, {"X-Name": "a"})
    with sessions.one() as first:
        pass
    with suppress(ValueError), sessions.one() as second:
        raise ValueError
    with sessions.one() as third:
        pass
    assert first is second is third
    assert first.request.headers["X-Name"] == "a"


def test_nobody_gets_a_session_that_another_has():
    sessions = Sessions(URL, {})
    with sessions.one() as first, sessions.one() as second:
        assert first.session is not second.session


def test_the_one_last_used_comes_first():
    sessions = Sessions(URL, {})
    with sessions.one() as first, sessions.one():
        pass
    for _ in range(2):
        with sessions.one() as again:
            assert again is first


def test_a_forked_process_has_sessions_of_its_own():
    sessions = Sessions(URL, {})
    with sessions.one() as ours:
        pass
    child = os.fork()
    if not child:
        with sessions.one() as theirs:
            os._exit(theirs is ours)
    assert os.waitpid(child, 0)[1] == 0
    with sessions.one() as again:
        assert again is ours


def test_closed_sessions_are_not_used_again():
    sessions = Sessions(URL, {})
    with sessions.one() as first, sessions.one() as second:
        pass
    with sessions.one():  # the first
        sessions.close()
    with sessions.one() as third, sessions.one() as fourth:
        assert {first, second}.isdisjoint({third, fourth})


def test_what_was_given_back_while_they_were_closed_is_not_used_again():
    sessions = Sessions(URL, {})
    with sessions.one() as first:
        pass
    sessions._opening += 1  # as close() does first
    with sessions.one() as second:
        assert second is not first


def test_one_that_was_idle_for_a_minute_is_closed():
    sessions = Sessions(URL, {})
    with sessions.one() as first, sessions.one() as second:
        pass
    assert sessions._idle == [second, first]
    second.idle_since -= 61
    with sessions.one():
        pass
    assert sessions._idle == [first]
