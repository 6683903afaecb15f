"""save(using=): a record goes to another place, or stays what it was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from kintomodel import Client, Conflict, ConnectionFailed, Model
from kintomodel.testing import KintoServer
from kintomodel.transport.http import HTTPTransport


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: int = 0
    note: str = ""

    def before_save(self) -> None:
        if self.amount == 7:
            raise RuntimeError("before")

    def after_save(self) -> None:
        if self.amount == 8:
            raise KeyboardInterrupt


@attrs.define
class Cutting:
    """Requests get through, and their answers are lost."""

    inner: HTTPTransport
    is_cut: bool = False

    def send(self, operation: Any) -> Any:
        response = self.inner.send(operation)
        if self.is_cut:
            raise ConnectionFailed("cut")
        return response

    def close(self) -> None:
        self.inner.close()


@pytest.fixture
def cutting(payments: Client, kinto_client: Client) -> Cutting:
    kinto_client.create_bucket("payments").create_collection("receipts")
    return Cutting(HTTPTransport(kinto_client.url, ("tester", "secret")))


@pytest.fixture
def remote(cutting: Cutting) -> Iterator[Client]:
    """Of another server, whose answers can be cut off."""
    with Client(cutting.inner.url, transport=cutting) as client:
        yield client


@pytest.fixture
def receipt(payments: Client) -> Receipt:
    return Receipt.objects.create(id="abc", amount=1)


def cut_off(receipt: Receipt, cutting: Cutting, remote: Client) -> None:
    cutting.is_cut = True
    with pytest.raises(ConnectionFailed):
        receipt.save(using=remote)
    cutting.is_cut = False


def amount(client: Client) -> int:
    return Receipt.objects.using(client).get(id="abc").amount


@pytest.mark.parametrize("is_new", [False, True])
def test_a_save_elsewhere_whose_fate_is_unknown_can_be_repeated(
    receipt: Receipt, payments: Client, cutting: Cutting, remote: Client, is_new: bool
) -> None:
    if is_new:
        receipt = Receipt(id="abc", amount=1)
    cut_off(receipt, cutting, remote)
    receipt.amount = 2
    receipt.save(using=remote)
    assert (amount(remote), amount(payments)) == (2, 1)
    receipt.amount = 3
    receipt.save()
    assert amount(remote) == 3


def test_a_doubt_about_another_place_is_none_at_home(
    receipt: Receipt, payments: Client, cutting: Cutting, remote: Client
) -> None:
    fresh = Receipt(id="abc", amount=1)
    cut_off(fresh, cutting, remote)
    with pytest.raises(Conflict):
        fresh.save()
    with KintoServer() as third, third.client() as client:
        client.create_bucket("payments").create_collection("receipts")
        Receipt.objects.using(client).create(id="abc", amount=1)
        with pytest.raises(Conflict):
            fresh.save(using=client)
    fresh.save(using=remote)
    assert fresh.last_modified == Receipt.objects.using(remote).get(id="abc").last_modified


def test_what_others_wrote_elsewhere_after_a_lost_write_is_a_conflict(
    receipt: Receipt, cutting: Cutting, remote: Client
) -> None:
    cut_off(receipt, cutting, remote)
    theirs = Receipt.objects.using(remote).get(id="abc")
    theirs.note = "theirs"
    theirs.save()
    with pytest.raises(Conflict):
        receipt.save(using=remote)


def test_a_hook_that_raises_leaves_a_record_where_it_is(
    receipt: Receipt, payments: Client, remote: Client
) -> None:
    receipt.amount, time = 7, receipt.last_modified
    with pytest.raises(RuntimeError, match="before"):
        receipt.save(using=remote)
    assert receipt.last_modified == time
    receipt.amount = 2
    receipt.save()
    assert (amount(payments), Receipt.objects.using(remote).count()) == (2, 0)


def test_what_was_written_elsewhere_before_a_hook_raised_is_known_again(
    receipt: Receipt, payments: Client, remote: Client
) -> None:
    receipt.amount = 8
    with pytest.raises(KeyboardInterrupt):
        receipt.save(using=remote)
    assert (amount(remote), amount(payments)) == (8, 1)
    receipt.amount = 2
    receipt.save(using=remote)
    assert (amount(remote), amount(payments)) == (2, 1)


def test_what_others_wrote_elsewhere_is_not_taken_for_ours_once_it_was_read(
    receipt: Receipt, remote: Client
) -> None:
    Receipt.objects.using(remote).create(id="abc", amount=5)
    for on_conflict in ("merge", "raise"):
        with pytest.raises(Conflict):
            receipt.save(using=remote, on_conflict=on_conflict)
    assert amount(remote) == 5


def test_other_credentials_that_fail_leave_the_place_and_what_is_known_of_it(
    receipt: Receipt, payments: Client
) -> None:
    cutting = Cutting(HTTPTransport(payments.url, ("tester", "secret")))
    with Client(payments.url, transport=cutting) as again:
        receipt.amount = 2
        cut_off(receipt, cutting, again)
    receipt.note = "more"
    receipt.save()
    found = Receipt.objects.get(id="abc")
    assert (found.amount, found.note, found.last_modified) == (2, "more", receipt.last_modified)
