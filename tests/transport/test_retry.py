from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintomodel.errors import ConnectionFailed, Timeout
from kintomodel.protocol import batch, operations
from kintomodel.protocol.objects import Response
from kintomodel.protocol.operations import Operation
from kintomodel.protocol.responses import json_object
from kintomodel.transport.retry import Patience, RetryTransport, seconds

GET = operations.read("/buckets/b")
PUT = operations.create("/buckets/b", {})
PATCH = operations.update("/buckets/b", {})
DELETE = operations.delete("/buckets/b")
POST = Operation("POST", "/buckets", json_object, body={})
BATCH = batch.batch([PUT, PUT])

OK = Response(200)
LOST = ConnectionFailed("GET /buckets/b: broken")


def busy(status=503, **headers):
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()})


class Script:
    """A transport that answers from a list, and a clock that its sleep moves on."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.sent = []
        self.waits = []
        self.now = 1000.0
        self.closed = False

    def __repr__(self):
        return "<Script>"

    def send(self, operation):
        self.sent.append(operation)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self):
        self.closed = True

    def clock(self):
        return self.now

    def sleep(self, wait):
        self.waits.append(wait)
        self.now += wait

    def retrying(self, chance=1.0, **patience):
        return RetryTransport(
            self,
            Patience(**patience) if patience else None,
            clock=self.clock,
            sleep=self.sleep,
            chance=lambda: chance,
        )


def attempts(response, attempts):
    return attrs.evolve(response, attempts=attempts)


@pytest.mark.parametrize("status", [200, 201, 304, 400, 401, 403, 404, 412, 507])
def test_an_answer_that_stands_is_given_at_once(status):
    script = Script(busy(status))
    assert script.retrying().send(GET) == busy(status)
    assert script.waits == []


@pytest.mark.parametrize("status", [409, 429, 502, 503, 504])
@pytest.mark.parametrize("operation", [GET, PUT, PATCH, DELETE, BATCH], ids=lambda it: it.method)
def test_a_refusal_for_now_is_asked_again(status, operation):
    script = Script(busy(status), busy(status), OK)
    # What was surely not carried out does not count.
    assert script.retrying().send(operation) == attempts(OK, 1 if status in (409, 429) else 3)
    assert script.sent == [operation] * 3
    assert script.waits == [0.1, 0.2]


@pytest.mark.parametrize("status", [409, 429, 502, 503, 504])
def test_a_post_is_not_repeated(status):
    script = Script(busy(status, retry_after="1"))
    assert script.retrying().send(POST).status == status
    assert script.waits == []


def test_the_last_refusal_is_given_when_the_retries_are_used_up():
    script = Script(*[busy()] * 4)
    assert script.retrying().send(GET) == attempts(busy(), 4)
    assert len(script.waits) == 3


@pytest.mark.parametrize("read", [GET, operations.count("/buckets")], ids=lambda it: it.method)
def test_a_read_that_the_server_failed_at_is_sent_again(read):
    script = Script(busy(500), OK)
    assert script.retrying().send(read) == attempts(OK, 2)


@pytest.mark.parametrize("write", [PUT, PATCH, DELETE, POST, BATCH], ids=lambda it: it.method)
def test_a_write_that_the_server_failed_at_is_not_sent_again(write):
    script = Script(busy(500))
    assert script.retrying().send(write) == busy(500)
    assert script.sent == [write]


@pytest.mark.parametrize("answer", [busy(), LOST])
def test_without_retries_nothing_is_repeated(answer):
    script = Script(answer)
    retrying = script.retrying(retries=0)
    if answer is LOST:
        with pytest.raises(ConnectionFailed):
            retrying.send(GET)
    else:
        assert retrying.send(GET) == answer
    assert len(script.sent) == 1


def test_fewer_than_no_retries_are_refused():
    with pytest.raises(ValueError, match="retries"):
        Patience(retries=-1)


@pytest.mark.parametrize("lost", [LOST, Timeout("no answer in time")])
@pytest.mark.parametrize("operation", [GET, PUT, PATCH, DELETE, BATCH], ids=lambda it: it.method)
def test_what_got_no_answer_is_sent_again(lost, operation):
    script = Script(lost, lost, OK)
    assert script.retrying().send(operation) == attempts(OK, 3)
    assert script.waits == [0.1, 0.2]


def test_a_post_that_got_no_answer_is_not_sent_again():
    script = Script(LOST)
    with pytest.raises(ConnectionFailed):
        script.retrying().send(POST)
    assert script.sent == [POST]


def test_a_batch_that_holds_a_post_is_not_sent_again():
    script = Script(LOST)
    with pytest.raises(ConnectionFailed):
        script.retrying().send(batch.batch([PUT, POST]))


def test_the_last_loss_is_raised_when_the_retries_are_used_up():
    last = Timeout("the last")
    script = Script(LOST, LOST, LOST, last)
    with pytest.raises(Timeout) as caught:
        script.retrying().send(GET)
    assert caught.value is last


def test_the_answer_counts_losses_and_refusals_that_leave_it_open():
    script = Script(LOST, busy(), Response(412))
    assert script.retrying().send(PUT) == Response(412, attempts=3)


def test_what_kinto_says_of_its_own_back_end_is_no_loss():
    """On PostgreSQL with a stricter isolation level, the loser of two writes gets this."""
    script = Script(Response(503, body={"errno": 201}), Response(412))
    assert script.retrying().send(PUT) == Response(412, attempts=1)


def test_what_is_in_a_batch_is_for_others_to_read():
    with_409 = Response(200, body={"responses": [{"status": 201}, {"status": 409}]})
    for answer in (with_409, Response(400, body={"message": "too many"})):
        script = Script(answer)
        assert script.retrying().send(BATCH) == answer
        assert script.waits == []


@pytest.mark.parametrize("status", [409, 429, 503])
def test_the_server_says_how_long_to_wait(status):
    script = Script(busy(status, retry_after="7"), OK)
    assert script.retrying().send(GET).status == 200
    assert script.waits == [7.0]


def test_we_wait_longer_than_the_server_says_if_that_is_our_turn():
    script = Script(busy(retry_after="1"), OK)
    script.retrying(first_wait=5.0).send(GET)
    assert script.waits == [5.0]


def test_the_server_may_name_a_date():
    later = datetime.now(timezone.utc) + timedelta(seconds=20)
    script = Script(busy(retry_after=format_datetime(later, usegmt=True)), OK)
    script.retrying().send(GET)
    assert script.waits == [pytest.approx(20, abs=5)]


def test_a_server_that_wants_too_long_a_wait_is_not_asked_again():
    script = Script(busy(retry_after="31"))
    assert script.retrying().send(GET) == busy(retry_after="31")
    assert script.waits == []


def test_the_longest_wait_itself_is_not_too_long():
    script = Script(busy(retry_after="30"), OK)
    script.retrying().send(GET)
    assert script.waits == [30.0]


def test_after_a_backoff_the_next_request_waits():
    script = Script(busy(200, backoff="10"), OK, OK)
    retrying = script.retrying()
    retrying.send(GET)
    assert script.waits == []
    script.now += 4
    retrying.send(GET)
    assert script.waits == [6.0]
    retrying.send(GET)
    assert script.waits == [6.0]


def test_a_backoff_and_a_wait_are_not_added_up():
    script = Script(busy(503, retry_after="3", backoff="10"), OK)
    script.retrying().send(GET)
    assert script.waits == [3.0, 7.0]


def test_a_backoff_is_obeyed_up_to_the_longest_wait():
    script = Script(busy(200, backoff="3600"), OK)
    retrying = script.retrying(longest_wait=2.0)
    retrying.send(GET)
    retrying.send(GET)
    assert script.waits == [2.0]


def test_a_shorter_backoff_does_not_end_a_longer_one():
    script = Script(busy(200, backoff="10"), busy(503, backoff="1"), OK)
    retrying = script.retrying()
    retrying.send(GET)
    script.now += 8
    retrying.send(GET)
    assert script.waits == [2.0, 0.1, pytest.approx(0.9)]


def test_clients_that_failed_together_come_back_one_by_one():
    waits = []
    for chance in (0.0, 0.5, 1.0):
        script = Script(busy(), OK)
        script.retrying(chance).send(GET)
        waits += script.waits
    assert waits == [0.05, pytest.approx(0.075), 0.1]


@given(
    st.integers(1, 10_000),
    st.floats(0, 1),
    st.floats(0.001, 10),
    st.floats(10, 1000),
)
def test_a_wait_grows_up_to_the_longest(attempt, chance, first, longest):
    patience = Patience(first_wait=first, longest_wait=longest)
    wait = patience.wait(attempt, chance)
    assert first / 2 <= wait <= longest
    assert wait <= patience.wait(attempt + 1, chance)


@given(st.integers(0, 10**9))
def test_a_header_may_be_a_number_of_seconds(number):
    assert seconds(f" {number} ") == number


@given(
    st.text()
    | st.from_regex(r"(Mon, )?[0-9]{1,6} Jan [0-9]{1,12} [0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4,20}")
)
def test_any_header_is_a_wait_or_none(header):
    assert seconds(header) >= 0


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "soon",
        "-5",
        "1.5",
        "²",
        "Wed, 21 Oct 2015 07:28:00 GMT",
        "Wed, 21 Oct 2015 07:28:00 -0000",
        "Wed, 21 Oct 99999999999999999999 07:28:00 GMT",
        "Wed, 21 Oct 2099 07:28:00 +99999999999999",
    ],
)
def test_a_header_that_is_neither_or_is_past_means_no_wait(header):
    assert seconds(header) == 0.0


def test_a_date_without_a_zone_is_utc():
    later = datetime.now(timezone.utc) + timedelta(hours=1)
    assert seconds(later.strftime("%a, %d %b %Y %H:%M:%S -0000")) == pytest.approx(3600, abs=5)


def test_an_operation_that_failed_before_waits_for_its_turn():
    script = Script(OK)
    script.retrying().send(attrs.evolve(GET, after_failures=2))
    assert script.waits == [0.2]


def test_each_wait_is_logged(caplog):
    script = Script(busy(), LOST, OK)
    with caplog.at_level("INFO", "kintomodel"):
        script.retrying().send(GET)
    assert caplog.messages == [
        "GET /buckets/b: attempt 1 failed (503), next in 0.10 s",
        "GET /buckets/b: attempt 2 failed (GET /buckets/b: broken), next in 0.20 s",
    ]


def test_it_shows_and_closes_what_it_stands_in_front_of():
    script = Script()
    retrying = script.retrying()
    assert repr(retrying) == "<RetryTransport <Script>>"
    retrying.close()
    assert script.closed
