"""A plan that was applied leaves the collection as the source wants it, by the rules."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kintomodel import Client, Model
from kintomodel.protocol import batch, operations

from ..reading.test_oracle import tried

RECEIPTS = "/buckets/payments/collections/receipts/records"

IDS = [f"r{number}" for number in range(8)]


class Item(Model, bucket="payments", collection="receipts"):
    name: str = "?"
    size: int = 0
    note: str = ""


values = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["a", "b", "ö", "1", ""]),
        "size": st.integers(0, 3),
        "note": st.sampled_from(["", "x"]),
        "more": st.just(1),
    },
)
collections = st.dictionaries(st.sampled_from(IDS), values, max_size=8)
sources = st.dictionaries(
    st.sampled_from(IDS),
    values.map(lambda data: {key: data[key] for key in data if key != "more"}),
    max_size=8,
)


def fill(client: Client, objects: dict[str, dict[str, Any]]) -> None:
    client.connection.perform(operations.delete_page(RECEIPTS))
    creates = [operations.create(f"{RECEIPTS}/{id}", data) for id, data in objects.items()]
    client.connection.run(batch.run(creates))


def stored(client: Client) -> dict[str, dict[str, Any]]:
    listed = client.connection.perform(operations.list_page(RECEIPTS)).objects
    return {one["id"]: {key: one[key] for key in one if key not in ("id", "last_modified")} for one in listed}


def read(data: dict[str, Any]) -> dict[str, Any]:
    return {"name": "?", "size": 0, "note": "", **data}


@tried(0.1)
@given(before=collections, source=sources, delete=st.booleans(), is_reversed=st.booleans())
def test_by_id(
    payments: Client,
    before: dict[str, dict[str, Any]],
    source: dict[str, dict[str, Any]],
    delete: bool,
    is_reversed: bool,
) -> None:
    fill(payments, before)
    items = [{"id": id, **data} for id, data in source.items()]
    items.sort(key=lambda item: item["id"], reverse=is_reversed)
    plan = Item.objects.sync(iter(items), preserve=["note"], delete=delete, max_delete=1.0)
    plan.apply(verify=True).raise_for_failures()
    expected = {}
    for id in {*before, *source}:
        if id not in source:
            if not delete:
                expected[id] = read(before[id])
            continue
        kept = {"note": before[id].get("note", "")} if id in before else {}
        expected[id] = {**read(before.get(id, {})), **source[id], **kept}
    assert {id: read(data) for id, data in stored(payments).items()} == expected
    assert plan.unchanged == sum(read(before[id]) == expected[id] for id in before if id in source)
    assert not Item.objects.sync(items, preserve=["note"], delete=delete, max_delete=1.0)


@tried(0.1)
@given(
    names=st.lists(st.sampled_from("abcdef"), unique=True),
    source=st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 2)), unique_by=lambda one: one[0]),
    delete=st.booleans(),
)
def test_by_name_within_a_scope(
    payments: Client, names: list[str], source: list[tuple[str, int]], delete: bool
) -> None:
    before = {f"in-{name}": {"name": name, "size": 1, "note": "in"} for name in names}
    outside = {f"out-{name}": {"name": name, "size": 9, "note": "out"} for name in names}
    fill(payments, {**before, **outside})
    items = [{"name": name, "size": size, "note": "in"} for name, size in source]
    options: dict[str, Any] = {"key": "name", "scope": {"note": "in"}, "delete": delete, "max_delete": 1.0}
    Item.objects.sync(items, **options).apply().raise_for_failures()
    found = stored(payments)
    assert {id: data for id, data in found.items() if data["note"] == "out"} == outside
    inside = {data["name"]: data["size"] for data in found.values() if data["note"] == "in"}
    kept = {} if delete else dict.fromkeys(names, 1)
    assert inside == {**kept, **dict(source)}
    assert all(f"in-{name}" in found for name in names if name in dict(source))
    assert not Item.objects.sync(items, **options)
