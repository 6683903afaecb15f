import threading
from functools import partial

import pytest

from kintomodel.errors import BadRequest, ConnectionFailed, NotFound, PayloadTooLarge, UsageError
from kintomodel.flows.listing import pages as listing_pages
from kintomodel.protocol import batch, operations
from kintomodel.protocol.objects import Response, StoredObject
from kintomodel.query.scanning import Found
from kintomodel.transport.connection import LARGEST_BATCH, Connection

RECORDS = "/buckets/b/collections/c/records"


def root(**settings):
    return Response(200, body={"project_version": "26.5.0", "settings": settings, "capabilities": {}})


def shown(id):
    return {"data": {"id": id, "last_modified": 1}}


def read(id):
    return operations.read(f"{RECORDS}/{id}")


class Fake:
    """A transport that asks a function."""

    def __init__(self, answer):
        self.answer = answer
        self.sent = []

    def send(self, operation):
        self.sent.append(operation)
        return self.answer(operation)

    def close(self):
        raise AssertionError("nobody closes it here")


def server(limit=25):
    """A server on which every record is, but for those named missing."""

    def one(method, path):
        id = path.rpartition("/")[2]
        return (404, {"errno": 110}) if id == "missing" else (200, shown(id))

    def answer(operation):
        if operation.path == "/":
            return root(batch_max_requests=limit)
        if operation.path == "/batch":
            parts = [one(part["method"], part["path"]) for part in operation.body["requests"]]
            return Response(
                200, body={"responses": [{"status": status, "body": body} for status, body in parts]}
            )
        status, body = one(operation.method, operation.path)
        return Response(status, body=body)

    return Fake(answer)


def test_an_operation_is_performed():
    assert Connection(server()).perform(read("a")) == StoredObject(shown("a")["data"])


def test_a_refusal_is_raised():
    with pytest.raises(NotFound):
        Connection(server()).perform(read("missing"))


def test_a_flow_is_sent_each_result_and_its_value_is_given():
    def flow():
        first = yield from read("a")
        second = yield from read("b")
        return [first.id, second.id]

    transport = server()
    assert Connection(transport).run(flow()) == ["a", "b"]
    assert transport.sent == [read("a"), read("b")]


def test_a_flow_that_asks_nothing_ends_at_once():
    def flow():
        return 5
        yield

    assert Connection(server()).run(flow()) == 5


def test_a_refusal_is_thrown_into_the_flow():
    def flow():
        try:
            yield from read("missing")
        except NotFound as error:
            found = yield from read("a")
            return error.path, found.id

    assert Connection(server()).run(flow()) == (f"{RECORDS}/missing", "a")


def test_what_a_flow_does_not_catch_is_raised():
    def flow():
        yield from read("missing")

    with pytest.raises(NotFound):
        Connection(server()).run(flow())


def test_a_lost_answer_is_thrown_into_the_flow():
    def lose(operation):
        raise ConnectionFailed("lost")

    def flow():
        try:
            yield from read("a")
        except ConnectionFailed:
            return "lost"

    assert Connection(Fake(lose)).run(flow()) == "lost"


def test_what_a_flow_raises_of_itself_is_raised():
    def flow():
        yield from read("a")
        raise UsageError("no")

    with pytest.raises(UsageError):
        Connection(server()).run(flow())


def test_many_operations_go_in_batches_of_the_servers_size():
    transport = server(limit=2)
    results = list(Connection(transport).perform_all(read(id) for id in ["a", "missing", "b", "c", "d"]))
    assert [result.id if isinstance(result, StoredObject) else type(result) for result in results] == [
        "a", NotFound, "b", "c", "d",
    ]  # fmt: skip
    assert [(one.method, one.path) for one in transport.sent] == [
        ("GET", "/"),
        ("POST", "/batch"),
        ("POST", "/batch"),
        ("GET", f"{RECORDS}/d"),
    ]


def test_a_batch_is_sent_when_its_results_are_wanted():
    transport = server(limit=2)
    results = Connection(transport).perform_all(map(read, "abcd"))
    assert transport.sent == []
    next(results)
    assert [one.path for one in transport.sent] == ["/", "/batch"]


@pytest.mark.parametrize(
    ("limit", "size"),
    [(25, 25), (None, LARGEST_BATCH), (0, LARGEST_BATCH), (LARGEST_BATCH + 1, LARGEST_BATCH)],
)
def test_a_batch_is_no_larger_than_is_good(limit, size):
    assert Connection(server(limit)).batch_size() == size


def test_the_server_is_asked_for_its_batch_size_once():
    transport = server()
    connection = Connection(transport)
    assert [connection.batch_size() for _ in range(3)] == [25] * 3
    assert transport.sent == [operations.server_info()]


def test_who_asks_for_the_batch_size_keeps_nobody_waiting():
    """Not in another thread, and not in a process that is forked meanwhile."""
    both = threading.Barrier(2, timeout=10)

    def answer(operation):
        both.wait()
        return root(batch_max_requests=7)

    connection = Connection(Fake(answer))
    sizes = []
    threads = [threading.Thread(target=lambda: sizes.append(connection.batch_size())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sizes == [7, 7]


def test_a_server_that_was_down_is_asked_again():
    answers = [Response(503), root(batch_max_requests=7)]
    connection = Connection(Fake(lambda operation: answers.pop(0)))
    with pytest.raises(Exception, match="503"):
        connection.batch_size()
    assert connection.batch_size() == 7


def test_the_batch_size_is_asked_again_once_a_batch_was_too_long():
    details = [{"name": "requests", "location": None, "description": "Number of requests is limited to 2"}]
    answers = [
        root(batch_max_requests=3),
        Response(400, body={"errno": 107, "message": "Invalid parameters", "details": details}),
        root(batch_max_requests=2),
    ]
    connection = Connection(Fake(lambda operation: answers.pop(0)))
    assert connection.batch_size() == 3
    with pytest.raises(PayloadTooLarge):
        connection.run(batch.run([read("a"), read("b"), read("c")]))
    assert [connection.batch_size(), connection.batch_size()] == [2, 2]


def test_other_refusals_leave_the_batch_size_as_it_is():
    answers = [root(batch_max_requests=3), Response(400)]
    connection = Connection(Fake(lambda operation: answers.pop(0)))
    connection.batch_size()
    with pytest.raises(BadRequest):
        connection.perform(read("a"))
    assert connection.batch_size() == 3


def listing():
    """Three pages of one object each."""
    following = {"": "a=2", "2": "a=3"}

    def answer(operation):
        place = operation.params.get("a", "")
        headers = {"next-page": f"http://x/y?{following[place]}"} if place in following else {}
        return Response(200, headers, {"data": [{"id": place or "1"}]})

    return Fake(answer)


def test_all_pages_of_a_listing_are_read():
    transport = listing()
    pages = Connection(transport).pages(operations.list_page(RECORDS))
    assert [page.objects[0]["id"] for page in pages] == ["1", "2", "3"]
    assert transport.sent == [
        operations.list_page(RECORDS, params) for params in ({}, {"a": "2"}, {"a": "3"})
    ]


def test_a_page_is_asked_for_when_it_is_wanted():
    transport = listing()
    next(Connection(transport).pages(operations.list_page(RECORDS)))
    assert len(transport.sent) == 1


class Paged:
    """A transport of pages of two objects, whose answers after the first wait until they may come."""

    def __init__(self, pages=3):
        self.pages = pages
        self.sent, self.threads = [], []
        self.asked, self.may_answer, self.answered = (threading.Semaphore(0) for _ in range(3))
        self.closed = False

    def send(self, operation):
        at = int(operation.params.get("at", 0))
        self.sent.append(at)
        self.threads.append(threading.get_ident())
        if at:
            self.asked.release()
            assert self.may_answer.acquire(timeout=10)
        following = {"next-page": f"http://x/y?at={at + 1}"} if at + 1 < self.pages else {}
        self.answered.release()
        return Response(200, following, {"data": [{"id": f"{at}a"}, {"id": f"{at}b"}]})

    def close(self):
        self.closed = True


def scan_pages():
    return listing_pages(operations.list_page(RECORDS))


def test_the_next_page_is_under_way_while_one_is_handed_on():
    transport = Paged()
    found = Connection(transport).stream(scan_pages())
    assert next(found)["id"] == "0a"
    assert transport.asked.acquire(timeout=10)
    transport.may_answer.release(2)
    assert [data["id"] for data in found] == ["0b", "1a", "1b", "2a", "2b"]
    assert transport.sent == [0, 1, 2]


def test_there_is_no_more_than_one_page_ahead():
    transport = Paged()
    transport.may_answer.release(2)
    connection = Connection(transport)
    found = connection.stream(scan_pages())
    next(found)
    transport.answered.acquire()
    assert transport.answered.acquire(timeout=10)
    assert transport.sent == [0, 1]
    assert [next(found)["id"], next(found)["id"]] == ["0b", "1a"]
    connection.close()
    assert transport.sent == [0, 1, 2]


def test_the_first_page_is_asked_for_here():
    transport = Paged()
    transport.may_answer.release(2)
    assert len(list(Connection(transport).stream(scan_pages()))) == 6
    assert transport.threads[0] == threading.get_ident()


def test_one_page_needs_no_thread():
    connection, before = Connection(Paged(pages=1)), set(threading.enumerate())
    assert len(list(connection.stream(scan_pages()))) == 2
    assert set(threading.enumerate()) <= before


def test_what_reading_the_last_objects_raises_is_raised_as_it_is():
    def broken():
        yield {"id": "a"}
        raise ValueError("mine")

    found = Connection(Paged()).stream(one for one in [Found(broken())])
    assert next(found) == {"id": "a"}
    with pytest.raises(ValueError, match="mine") as caught:
        next(found)
    assert caught.value.__context__ is None


def test_a_stream_that_is_given_up_leaves_nothing_behind():
    transport = Paged()
    connection, before = Connection(transport), set(threading.enumerate())
    found = connection.stream(scan_pages())
    next(found)
    assert transport.asked.acquire(timeout=10)
    found.close()
    transport.may_answer.release()
    connection.close()
    assert set(threading.enumerate()) <= before
    assert (transport.sent, transport.closed) == ([0, 1], True)


@pytest.mark.parametrize("at_once", [1, 2, 9])
def test_several_flows_give_their_results_in_their_order(at_once):
    def flow(id):
        found = yield from read(id)
        return found.id

    transport = server()
    flows = (partial(flow, id) for id in "abcde")
    assert list(Connection(transport).run_each(flows, at_once)) == list("abcde")
    assert len(transport.sent) == 5


def test_several_flows_are_under_way_at_once_and_those_given_up_are_dropped():
    meeting = threading.Barrier(3)

    def meet(operation):
        meeting.wait(10)
        return Response(200, body=shown("x"))

    connection, before = Connection(Fake(meet)), set(threading.enumerate())
    connection.transport.close = list
    results = connection.run_each((lambda: iter(read("x")) for _ in range(6)), 3)
    assert next(results).id == "x"
    results.close()
    meeting.abort()
    connection.close()
    assert set(threading.enumerate()) <= before


def test_a_stream_hands_on_what_it_finds_on_its_way():
    def stream():
        first = yield from read("a")
        yield Found([first.data])
        yield Found([{"id": "x"}])
        second = yield from read("b")
        yield Found([second.data])

    transport = server()
    assert [data["id"] for data in Connection(transport).stream(stream())] == ["a", "x", "b"]
    assert transport.sent == [read("a"), read("b")]


def test_an_error_comes_after_all_that_was_found_before_it():
    def refused():
        yield from read("a")
        yield Found([{"id": "a"}, {"id": "x"}])
        yield from read("missing")

    def broken():
        yield Found([{"id": "a"}, {"id": "x"}])
        raise UsageError("no")

    for stream, error in ((refused(), NotFound), (broken(), UsageError)):
        found = Connection(server()).stream(stream)
        assert [next(found)["id"], next(found)["id"]] == ["a", "x"]
        with pytest.raises(error):
            next(found)


def several(count, sizes=()):
    """Streams of one object a page, each with its own letters."""

    def one(name, pages):
        for at in range(pages):
            yield from read(f"{name}{at}")
            yield Found([{"id": f"{name}{at}"}])
            yield Found([])

    return [one(chr(ord("a") + at), size) for at, size in enumerate(sizes or [2] * count)]


@pytest.mark.parametrize("at_once", [1, 2, 5, 9])
def test_several_streams_are_read_at_once_and_nothing_is_lost(at_once):
    transport = server()
    found = Connection(transport).streams(several(5, [0, 3, 1, 2, 4]), at_once)
    expected = ["b0", "b1", "b2", "c0", "d0", "d1", "e0", "e1", "e2", "e3"]
    assert sorted(data["id"] for data in found) == expected
    assert len(transport.sent) == len(expected)


def test_so_many_requests_are_under_way_and_no_more():
    meeting = threading.Barrier(3)
    now, most, lock = [], [], threading.Lock()

    def answer(operation):
        with lock:
            now.append(operation.path)
            most.append(len(now))
        meeting.wait(10)
        with lock:
            now.remove(operation.path)
        return Response(200, body=shown("x"))

    found = Connection(Fake(answer)).streams(several(6), 3)
    assert len(list(found)) == 12
    assert max(most) == 3


def test_several_streams_that_are_given_up_leave_nothing_behind():
    transport = Paged()
    connection, before = Connection(transport), set(threading.enumerate())
    found = connection.streams([scan_pages(), scan_pages()], 2)
    next(found)
    found.close()
    transport.may_answer.release(2)
    connection.close()
    assert set(threading.enumerate()) <= before


def test_the_error_of_one_of_several_streams_is_raised():
    def refused():
        yield from read("missing")

    with pytest.raises(NotFound):
        list(Connection(server()).streams([*several(2), refused()], 2))


def test_a_refusal_is_thrown_into_the_stream():
    def stream():
        try:
            yield from read("missing")
        except NotFound:
            yield Found([{"id": "instead"}])
        yield from read("missing")

    found = Connection(server()).stream(stream())
    assert next(found) == {"id": "instead"}
    with pytest.raises(NotFound):
        next(found)


def test_a_connection_does_not_show_what_it_holds():
    assert "lock" not in repr(Connection(server()))
