"""Accounts: which are missing, or have another password, and what makes them as they are wanted."""

from __future__ import annotations

from typing import Any

import attrs

from ..desired import Desired
from ..errors import Conflict, KintoError, Unauthorized, UsageError
from ..flows import accounts
from ..plans.carrying_out import DONE
from ..plans.change import PlannedChange
from ..protocol.operations import Flow
from ..protocol.permissions import account
from ..protocol.report import Outcome, failure
from ..protocol.values import JSON

_HIDDEN: JSON = "***"


@attrs.frozen(eq=False, repr=False)
class AccountChange(PlannedChange):
    """What a plan does to an account: "create" it, or "update" its password. id: its path."""

    _account: Desired = attrs.field(kw_only=True, alias="account")

    @property
    def principal(self) -> str:
        """Of the account: what a permission is given to."""
        return account(self._account.id)

    def __repr__(self) -> str:
        return f"<{self.kind} {self.id}>"

    def carried_out(self, position: int) -> Flow[Outcome[Any]]:
        try:
            is_sent = yield from self._written()
        except KintoError as error:
            return failure(self, position, error, self.id)
        return Outcome(DONE[self.kind] if is_sent else "unchanged", self, position, id=self.id)

    def _written(self) -> Flow[bool]:
        """False: somebody did so already, perhaps we ourselves. At most two GETs after the request."""
        one, password = self._account, self._account.password or ""
        change = accounts.create_account if self.kind == "create" else accounts.change_password
        try:
            yield from change(one.id, password)
        except (Conflict, Unauthorized):
            if (yield from accounts.state(one.id, password)) != "same":
                raise
            return False
        return True


def checked(several: list[Desired]) -> list[Desired]:
    """The accounts among them; UsageError if one is named twice, ValidationError for a bad password."""
    found: dict[str, Desired] = {}
    for one in several:
        if one.kind == "account":
            if one.id in found:
                raise UsageError(f"plan(): the account {one.id} is wanted twice")
            accounts.check_credentials(one.id, one.password)
            found[one.id] = one
    return list(found.values())


def change(one: Desired) -> Flow[AccountChange | None]:
    """None if it is there and has this password. One GET as the account itself, and one as us if that fails.

    One that is hidden from us counts as missing: creating it is then refused.
    """
    path = f"/accounts/{one.id}"
    state = yield from accounts.state(one.id, one.password or "")
    if state == "same":
        return None
    if state == "missing":
        return AccountChange("create", path, account=one)
    return AccountChange("update", path, difference={"password": (_HIDDEN, _HIDDEN)}, account=one)
