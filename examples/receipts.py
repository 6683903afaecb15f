"""Create, query, change, share and delete receipts: on KINTO_SERVER, or on a Kinto of its own."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import kintomodel
from kintomodel import Conflict, F, KintoError, Model, Q, field
from kintomodel.testing import KintoServer


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: Decimal
    currency: str = "EUR"
    paid_at: datetime | None = None
    tags: list[str] = field(factory=list)


def connect(stack: ExitStack) -> kintomodel.Client:
    if os.environ.get("KINTO_SERVER"):
        return kintomodel.connect()
    server = stack.enter_context(KintoServer())
    return kintomodel.connect(server.url, auth=server.auth)


def show(title: str, receipts: object) -> None:
    print(f"\n{title}")
    for receipt in receipts:
        paid = f"paid on {receipt.paid_at:%Y-%m-%d}" if receipt.paid_at else "not paid"
        print(f"  {receipt.amount:>8} {receipt.currency}  {paid:<18} {', '.join(receipt.tags)}")


def main() -> None:
    with ExitStack() as stack:
        client = connect(stack)
        info = client.server_info()
        print(f"Kinto {info.version} at {client.url}, as {info.user.id if info.user else 'nobody'}")
        bucket = client.create_bucket("payments", if_not_exists=True)
        bucket.create_collection("receipts", if_not_exists=True)

        now = datetime.now(timezone.utc)
        stored = [
            Receipt.objects.create(amount=Decimal("12.50"), paid_at=now, tags=["lunch"]),
            Receipt.objects.create(amount=Decimal("99.90"), tags=["gift", "books"]),
            Receipt.objects.create(amount=Decimal("3.20"), currency="USD", paid_at=now - timedelta(days=40)),
        ]
        ours = Receipt.objects.filter(id__in=[receipt.id for receipt in stored])
        show("Stored, the dearest first:", ours.order_by("-amount"))
        show("At least 10 EUR:", ours.filter(Receipt.amount >= 10, currency="EUR"))
        show(
            "Gifts, or paid in the last 30 days:",
            ours.filter(Q(tags__contains="gift") | Q(paid_at__gte=now - timedelta(days=30))),
        )
        print(f"\nNot paid: {ours.filter(F(Receipt.paid_at).is_null()).count()} of {ours.count()}")

        lunch = stored[0]
        lunch.tags.append("late")
        lunch.permissions.read += "group:friends"
        print(f"\nChanged: {lunch.changes()}, shared with {list(lunch.permissions.read)}")
        lunch.save()

        other = Receipt.objects.get(id=lunch.id)
        other.amount += 1
        other.save()
        lunch.amount = Decimal(0)
        try:
            lunch.save()
        except Conflict as conflict:
            mine, theirs = conflict.mine["amount"], conflict.theirs["amount"]
            print(f"Two writers: mine {mine}, theirs {theirs}; theirs is kept")
            lunch.refresh()

        for receipt in stored:
            receipt.delete(missing_ok=True, force=True)
        print(f"\nDeleted: {ours.all().count()} are left")


if __name__ == "__main__":
    try:
        main()
    except KintoError as error:
        sys.exit(f"error: {error}")
