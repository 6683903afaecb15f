import os
import subprocess
import sys
import threading
from contextvars import ContextVar
from pathlib import Path

import pytest

from kintomodel.transport.background import MOST_THREADS, Threads, first_of

HERE = threading.get_ident


@pytest.fixture
def threads():
    several = Threads()
    yield several
    several.close()


def test_work_is_done_by_another_thread(threads):
    begun = threads.begin(HERE)
    while not begun.future.done():
        pass
    assert begun.result() != HERE()


def test_context_variables_are_as_they_are_for_who_asks(threads):
    tenant = ContextVar("tenant")
    tenant.set("seven")
    begun = threads.begin(lambda: (HERE(), tenant.get()))
    while not begun.future.done():
        pass
    assert begun.result()[0] != HERE()
    assert begun.result()[1] == "seven"


def test_what_it_raises_is_raised_where_the_result_is_wanted(threads):
    begun = threads.begin(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        begun.result()


def test_where_all_threads_are_busy_it_is_done_here(threads):
    go_on = threading.Event()
    busy = [threads.begin(go_on.wait) for _ in range(MOST_THREADS)]
    assert threads.begin(HERE).result() == HERE()
    dropped = threads.begin(lambda: 1 // 0)
    dropped.abandon()
    assert dropped.future.cancelled()
    go_on.set()
    assert all(one.result() for one in busy)


def test_the_first_that_is_done_is_given(threads):
    never = threading.Event()
    slow, fast = threads.begin(never.wait), threads.begin(HERE)
    assert first_of([slow, fast]) is fast
    never.set()


def test_close_waits_and_using_it_again_makes_new_threads(threads):
    before = set(threading.enumerate())
    go_on, done = threading.Event(), []
    threads.begin(lambda: done.append(go_on.wait()))
    closing = threading.Thread(target=threads.close)
    closing.start()
    assert done == []
    go_on.set()
    closing.join()
    assert done == [True]
    assert set(threading.enumerate()) <= before
    assert threads.begin(lambda: 5).result() == 5


def test_nothing_is_closed_that_was_not_used():
    Threads().close()


AT_THE_END = """
import atexit, threading
from kintomodel.transport.background import Threads, first_of

def at_the_end():
    begun = Threads().begin(threading.get_ident)
    begun.abandon()
    assert first_of([begun]) is begun
    assert begun.result() == threading.get_ident()
    print("done here")

atexit.register(at_the_end)
"""

FORKING = """
import os, sys, threading
from kintomodel.transport.background import Threads, first_of

threads, never = Threads(), threading.Event()
begun, other = threads.begin(os.getpid), threads.begin(lambda: never.wait() and os.getpid())
while not begun.future.done():
    pass
child = os.fork()
if child:
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert begun.result() == os.getpid()
    never.set()
    assert other.result() == os.getpid()
    threads.close()
else:
    never.set()
    assert first_of([other]) is other
    assert begun.result() == other.result() == os.getpid()
    other.abandon()
    assert threads.begin(os.getpid).result() == os.getpid()
    threads.close()
    threads.begin(os.getpid)
"""


def run(program: str) -> str:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, timeout=30, cwd=root, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def test_when_python_ends_it_is_done_here():
    assert run(AT_THE_END) == "done here\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_waits_for_no_thread_of_its_parent():
    run(FORKING)
