"""Every exception of kintomodel, in one tree, by cause::

    KintoError
    ├── TransportError            no answer came
    │   ├── ConnectionFailed
    │   └── Timeout
    ├── ResponseError             the server answered, and refused
    │   ├── BadRequest            400, 405, 406, 415 and other 4xx
    │   ├── Unauthorized          401
    │   ├── Forbidden             403
    │   ├── NotFound              404; also a LookupError
    │   ├── Conflict              409, 412
    │   ├── PayloadTooLarge       413, 414, 431
    │   ├── ServerError           5xx
    │   └── UnreadableResponse    an answer that Kinto does not give: no JSON, a redirection
    ├── ValidationError           a value does not fit its type or cannot be stored; also a ValueError
    ├── MultipleFound             one was asked for, several are there
    ├── PermissionsNotVisible     the server does not show who may do what
    ├── UnsupportedByServer       the server lacks the plugin that this needs
    ├── BulkError                 part of the bulk work failed
    └── UsageError                kintomodel was called wrongly; also a TypeError

Every one can be pickled, so that it survives the way out of a process pool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

R = TypeVar("R", bound="ResponseError")


class KintoError(Exception):
    """Whatever kintomodel raises."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__.copy())


class TransportError(KintoError):
    """No answer came: it is not known what the server did, if anything."""


class ConnectionFailed(TransportError):
    """The server could not be reached, or the connection broke before the answer was complete."""


class Timeout(TransportError):
    """The server did not answer in time."""


class ResponseError(KintoError):
    """The server answered with a refusal.

    status: the HTTP status; errno: Kinto's own number of the error, or None;
    method, path: what was asked, of what; details: what Kinto says beside the message, as
    decoded JSON or None. After a 412 it may hold data that only the caller may read: it is
    kept out of the message. attempts: how often the request was sent, without the times that it was
    surely not carried out.
    https://docs.kinto-storage.org/en/stable/api/1.x/errors.html
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        method: str = "",
        path: str = "",
        errno: int | None = None,
        details: Any = None,
        attempts: int = 1,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.method = method
        self.path = path
        self.errno = errno
        self.details = details
        self.attempts = attempts

    def retold(self, cls: type[R], message: str) -> R:
        """The same refusal as another error, where more is known of its cause than the server said.

        Without the details: they belong to the first message.
        """
        return cls(
            message,
            status=self.status,
            method=self.method,
            path=self.path,
            errno=self.errno,
            attempts=self.attempts,
        )


class BadRequest(ResponseError):
    """The server does not accept the request: an invalid id, a body against the schema..."""


class Unauthorized(ResponseError):
    """The credentials are missing or wrong."""


class Forbidden(ResponseError):
    """You may not do this. Kinto says the same of a bucket that does not exist."""


class NotFound(ResponseError, LookupError):
    """There is no such object, or its bucket or collection is missing."""


class Conflict(ResponseError):
    """The object was written since it was read, or is there already.

    existing: the data as the server has it now, or None where it did not say or the object is gone.
    record: the model instance that was to be written, or None outside the mapper;
    base, mine, theirs: the record's data as it was read, as it was to be stored, and as the
    server has it now. base is None for a new record, theirs None for one deleted meanwhile.
    """

    record: Any = None
    base: dict[str, Any] | None = None
    mine: dict[str, Any] | None = None
    theirs: dict[str, Any] | None = None

    @property
    def existing(self) -> dict[str, Any] | None:
        """The object's data in the answer; None where it says nothing of it."""
        found = self.details.get("existing") if isinstance(self.details, dict) else None
        return found if isinstance(found, dict) else None


class PayloadTooLarge(ResponseError):
    """The body, the address with its filters, or a batch is longer than the server takes."""


class ServerError(ResponseError):
    """The server failed. Kinto says 503 to some input that it can never store, too."""


class UnreadableResponse(ResponseError):
    """The answer is none of Kinto's: not JSON, a redirection, a page. Often a proxy, or a wrong URL."""


class ValidationError(KintoError, ValueError):
    """A value does not fit the type of its field, or Kinto cannot hold it unchanged.

    problems: one line for each of them, each naming the path of the value.
    """

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems) or (message,)


class MultipleFound(KintoError):
    """One record was asked for, and several match."""


class PermissionsNotVisible(KintoError):
    """Kinto shows the permissions of an object to those in its own write list only.

    Not to be seen is not the same as none: they can be replaced, but neither read nor edited.
    """


class UnsupportedByServer(KintoError):
    """The server lacks a plugin or a setting. capability: its name in the server's root answer."""

    def __init__(self, message: str, capability: str) -> None:
        super().__init__(message)
        self.capability = capability


class BulkError(KintoError):
    """Part of the bulk work failed; report says for each object what happened."""

    def __init__(self, message: str, report: Any) -> None:
        super().__init__(message)
        self.report = report


class UsageError(KintoError, TypeError):
    """kintomodel was called with something that it does not take."""


def _rebuild(cls: type[KintoError], args: tuple[Any, ...], state: dict[str, Any]) -> KintoError:
    error = cls.__new__(cls, *args)
    error.__dict__.update(state)
    return error
