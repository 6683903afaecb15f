"""Whatever stands on a server, once a plan is applied it holds what is wanted, and what nobody named."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kintomodel import Client

from ..reading.test_oracle import tried

USERS = ["account:ann", "account:bob", "account:tester"]
several = st.lists(st.sampled_from(USERS), unique=True, max_size=2)
values = st.none() | st.booleans() | st.sampled_from([0, 1.5, "é", [1], {"a": [None]}])
data = st.dictionaries(st.sampled_from("abc"), values, max_size=2)


def objects(more: dict[str, Any], **inside: Any) -> Any:
    """Some objects by their ids. more: what their data has as well. inside: what may be in them."""
    described = st.fixed_dictionaries(
        {},
        optional={
            "data": st.builds(
                lambda one, two: {**one, **two}, data, st.fixed_dictionaries({}, optional=more)
            ),
            "permissions": st.dictionaries(st.sampled_from(["read", "write"]), several, max_size=2),
            **inside,
        },
    )
    return st.dictionaries(st.sampled_from("xyz"), described, max_size=2)


servers = st.fixed_dictionaries(
    {
        "buckets": objects(
            {},
            groups=objects({"members": several}),
            collections=objects({}, records=objects({})),
        )
    }
)


def merged(stored: dict[str, Any], wanted: dict[str, Any], *, delete: bool) -> dict[str, Any]:
    """What is to come of it, both as dump() gives it."""
    result = copy.deepcopy(stored)
    for kind, several in wanted.items():
        if kind == "data":
            result["data"].update({key: value for key, value in several.items() if key != "members"})
            if "members" in several:
                result["data"]["members"] = sorted(several["members"])
        elif kind == "permissions":
            for name, held in several.items():
                ours = {"account:tester"} if name == "write" else set()
                result["permissions"][name] = sorted({*held, *ours})
        else:
            known = result.setdefault(kind, {})
            for id, one in several.items():
                known[id] = merged(known.get(id) or empty(kind), one, delete=delete)
            if delete and kind != "buckets":
                for id in known.keys() - several.keys():
                    del known[id]
    return result


def empty(kind: str) -> dict[str, Any]:
    """As it is created."""
    held: dict[str, Any] = {"read": [], "write": ["account:tester"]}
    inside: dict[str, Any] = {}
    if kind == "buckets":
        held |= {"collection:create": [], "group:create": []}
        inside = {"groups": {}, "collections": {}}
    elif kind == "collections":
        held["record:create"] = []
        inside = {"records": {}}
    return {"data": {"members": []} if kind == "groups" else {}, "permissions": held, **inside}


def shown(client: Client) -> dict[str, Any]:
    """A dump; the order of members does not count."""
    found = client.dump()
    for bucket in found["buckets"].values():
        for group in bucket["groups"].values():
            group["data"]["members"].sort()
    return found


@tried(0.05)
@given(first=servers, second=servers, delete=st.booleans())
def test_what_is_applied_is_what_was_wanted(client: Client, first: Any, second: Any, delete: bool) -> None:
    client.delete_buckets(all=True)
    client.plan(first).apply().raise_for_failures()
    before = shown(client)
    assert before == merged({"buckets": {}}, first, delete=False)
    plan = client.plan(second, delete=delete)
    with client.dry_run():
        rehearsed = [one.status for one in plan.apply(delete=delete)]
    report = plan.apply(delete=delete)
    report.raise_for_failures()
    assert [one.status for one in report] == rehearsed
    assert shown(client) == merged(before, second, delete=delete)
    assert not client.plan(second, delete=delete)
    assert not client.plan(client.dump(), delete=True)
