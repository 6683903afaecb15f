"""copy_to(): the same records in another place."""

from __future__ import annotations

from typing import Any

import pytest

from kintomodel import Client, Model, UsageError
from kintomodel.protocol import operations
from kintomodel.testing import KintoServer, record


class Note(Model, bucket="payments", collection="receipts"):
    text: str = ""


def put(client: Client, bucket: str, id: str, **data: Any) -> None:
    path = f"/buckets/{bucket}/collections/receipts/records/{id}"
    client.connection.perform(operations.replace(path, data))


def stored(client: Client, bucket: str) -> dict[str, Any]:
    endpoint = f"/buckets/{bucket}/collections/receipts/records"
    listed = client.connection.perform(operations.list_page(endpoint)).objects
    own = ("id", "last_modified")
    return {one["id"]: {key: one[key] for key in one if key not in own} for one in listed}


@pytest.fixture
def two(payments: Client) -> Client:
    payments.create_bucket("copies").create_collection("receipts")
    put(payments, "payments", "a", text="x", seen=1, attachment={"hash": "h"})
    put(payments, "payments", "b", text="y")
    put(payments, "copies", "b", text="old", local=1)
    put(payments, "copies", "c", text="z")
    return payments


@pytest.mark.parametrize("kind", ["name", "bucket"])
def test_to_another_bucket(two: Client, kind: str) -> None:
    report = Note.objects.copy_to("copies" if kind == "name" else two.bucket("copies"))
    assert [(one.status, one.object.id) for one in report] == [("created", "a"), ("updated", "b")]
    assert stored(two, "copies") == {
        "a": {"text": "x", "seen": 1},
        "b": {"text": "y", "local": 1},
        "c": {"text": "z"},
    }
    with record(two) as sent:
        assert len(Note.objects.copy_to("copies")) == 0
    assert not sent.writes


def test_to_another_server(two: Client) -> None:
    with KintoServer() as server, server.client() as other:
        other.create_bucket("payments").create_collection("receipts")
        with record(two) as sent:
            report = Note.objects.copy_to(other)
        assert not sent.writes
        assert len(report.created) == 2
        assert stored(other, "payments") == {"a": {"text": "x", "seen": 1}, "b": {"text": "y"}}


def test_to_something_else_is_refused(two: Client) -> None:
    with pytest.raises(UsageError, match=r"copy_to\(\) takes a client, a bucket or the name of one, got 5"):
        Note.objects.copy_to(5)  # type: ignore[arg-type]
