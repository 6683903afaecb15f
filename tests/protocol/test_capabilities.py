import pytest

from kintomodel.errors import Forbidden, NotFound, UnsupportedByServer
from kintomodel.protocol import operations
from kintomodel.protocol.capabilities import HISTORY, requiring
from kintomodel.protocol.objects import ServerInfo

from ..playing import FORBIDDEN, LOST, MISSING, play, stored

READ = operations.read("/buckets/b/history")


def server(*capabilities):
    return ServerInfo("26.5", "1.23", "", {}, dict.fromkeys(capabilities))


def test_a_flow_that_succeeds_asks_for_nothing_more():
    assert play(requiring(HISTORY, iter(READ)), stored()) == (stored(), [READ])


def test_a_server_without_the_plugin_is_named_so():
    with pytest.raises(
        UnsupportedByServer, match=r"lacks the capability 'history'.*kinto\.plugins\.history"
    ) as caught:
        play(requiring(HISTORY, iter(READ)), MISSING, server("accounts"))
    assert caught.value.capability == "history"


@pytest.mark.parametrize("failure", [MISSING, LOST])
def test_where_nothing_can_be_found_out_the_error_names_what_was_asked(failure):
    with pytest.raises(Forbidden, match="no"):
        play(requiring(HISTORY, iter(READ)), FORBIDDEN, failure)


def test_a_server_with_the_plugin_means_what_it_says():
    with pytest.raises(NotFound):
        play(requiring(HISTORY, iter(READ)), MISSING, server("history"))
