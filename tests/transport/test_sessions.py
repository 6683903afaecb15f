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
    with sessions.one() as first:
        sessions.close()
    with sessions.one() as second:
        assert second is first  # it was in use
    sessions.close()
    with sessions.one() as third:
        assert third is not first
