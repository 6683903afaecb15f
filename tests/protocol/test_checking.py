"""What a server cannot guarantee, told from its root."""

from kintomodel.protocol.capabilities import ADVICE
from kintomodel.protocol.checking import findings
from kintomodel.protocol.objects import ServerInfo, User

US = User("account:us")
EVERYTHING = {name: {} for name in ADVICE}


def info(settings=None, capabilities=EVERYTHING, user=US):
    return ServerInfo("26.5", "1.23", "", settings or {"batch_max_requests": 25}, capabilities, user)


def found(**changes):
    return [(one.subject, one.level) for one in findings(info(**changes))]


def test_the_isolation_level_cannot_be_told():
    (only,) = findings(info())
    assert str(only).startswith("storage_isolation_level (unknown): it cannot be asked for over HTTP")
    assert "verify=True" in only.message
    assert found(settings={}) == found()


def test_what_the_server_refuses_or_lacks_is_told():
    assert found(user=None)[0] == ("user", "refused")
    assert found(settings={"readonly": True})[0] == ("readonly", "refused")
    assert found(settings={"batch_max_requests": 5})[0] == ("batch_max_requests", "limited")
    assert found(capabilities={})[:-1] == [(name, "missing") for name in ADVICE]
