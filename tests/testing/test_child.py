import sys
import time
from collections.abc import Callable

import pytest

from kintomodel.errors import ConnectionFailed
from kintomodel.testing.child import LOG_TAIL, Child

ECHO = """
import sys
for line in iter(sys.stdin.readline, "\\n"):
    if not line:
        break
    print(line.upper(), end="", flush=True)
    print("heard", line, end="", file=sys.stderr, flush=True)
"""


def child(program: str, **options: float) -> Child:
    return Child("The program", [sys.executable, "-c", program], **{"timeout": 10.0, **options})


def test_a_line_is_answered_with_a_line():
    with child(ECHO) as echo:
        assert [echo.ask("one"), echo.ask("grün")] == ["ONE", "GRÜN"]


def test_what_it_wrote_on_stderr_can_be_read_even_after_it_was_stopped():
    with child(ECHO) as echo:
        echo.ask("one")
        echo.ask("two")
        assert echo.log.startswith("heard one")
    assert echo.log == "heard one\nheard two"


def test_only_the_end_of_a_long_log_is_shown():
    with child("import sys; print('a' * 9999 + 'end', file=sys.stderr); print()") as talker:
        talker.hear()
        assert talker.log == "a" * (LOG_TAIL - 4) + "end"


def test_stopping_twice_is_fine():
    echo = child(ECHO)
    echo.stop()
    echo.stop()


def test_a_stopped_program_is_not_asked():
    echo = child(ECHO)
    echo.stop()
    with pytest.raises(ConnectionFailed, match=r"The program has ended; it wrote nothing$"):
        echo.ask("anybody there?")


def test_the_error_shows_the_log_of_a_program_that_ended_early():
    with (
        child("import sys; sys.exit('out of paper')") as broken,
        pytest.raises(ConnectionFailed, match="The program has ended; it wrote:\nout of paper"),
    ):
        broken.hear()


def test_a_program_that_died_is_noticed_at_the_next_question():
    with child("print(flush=True); import os; os.kill(os.getpid(), 9)") as victim:
        victim.hear()
        for _ in range(2):
            with pytest.raises(ConnectionFailed, match="has ended"):
                victim.ask("still there?")


def test_waiting_for_an_answer_is_bounded_and_the_late_answer_is_not_mistaken_for_the_next():
    slow = "import sys, time; sys.stdin.readline(); time.sleep(0.5); print('late', flush=True)"
    with child(slow, timeout=0.1) as late:
        with pytest.raises(ConnectionFailed, match=r"The program said nothing for 0\.1 s"):
            late.ask("first")
        with pytest.raises(ConnectionFailed, match="has ended"):
            late.ask("second")


def test_a_program_that_does_not_end_is_killed():
    stubborn = child("import time; print(flush=True); time.sleep(60)", patience=0.2)
    stubborn.hear()
    begun = time.monotonic()
    stubborn.stop()
    assert time.monotonic() - begun < 10


def test_a_program_that_cannot_be_started_leaves_nothing_open():
    with pytest.raises(FileNotFoundError):
        Child("Nothing", ["/no/such/program"], timeout=1.0)


def test_settings_in_our_environment_do_not_reach_it(monkeypatch: pytest.MonkeyPatch):
    for name in ("READONLY", "KINTO_PAGINATE_BY", "PGHOST", "LC_KINTOMODEL"):
        monkeypatch.setenv(name, "1")
    with child("import os; print(*os.environ, flush=True)") as curious:
        names = curious.hear().split()
    assert {"PATH", "LC_KINTOMODEL"} <= set(names)
    assert not {"READONLY", "KINTO_PAGINATE_BY", "PGHOST"} & set(names)


def test_it_ends_when_we_are_killed(
    killed_after_a_line: Callable[..., str],
    process_runs: Callable[[int], bool],
    eventually: Callable[[Callable[[], bool]], None],
):
    pid = killed_after_a_line(
        "import sys, time\n"
        "from kintomodel.testing.child import Child\n"
        "child = Child('Child', [sys.executable, '-c', sys.argv[1]], timeout=10)\n"
        "print(child.hear(), flush=True)\n"
        "time.sleep(60)\n",
        "import os, sys; print(os.getpid(), flush=True); sys.stdin.readline()",
    )
    eventually(lambda: not process_runs(int(pid)))
