"""A connection for those who bring none."""

from kintomodel.resources.connecting import over_http
from kintomodel.testing import KintoServer


def test_it_carries_what_it_is_given(server: KintoServer):
    connection = over_http(server.url, server.auth, timeout=5, retries=0, headers={"X-Name": "me"})
    assert connection.batch_size() == 25
    connection.transport.close()
