"""Is a bucket missing? Kinto answers 403 both to a missing one and to one that is not for us to see."""

from __future__ import annotations

from ..errors import Conflict, Forbidden, NotFound, ResponseError
from . import operations, responses
from .operations import Flow, Operation
from .paths import BUCKETS
from .responses import MISSING_PARENT


def told_apart(error: Forbidden, path: object) -> Flow[ResponseError]:
    """The same error, or NotFound where the object's bucket is missing. At most one request.

    Only those who may create buckets can find that out.
    """
    bucket = "/".join(str(path).split("/")[:3])
    try:
        is_missing = yield from could_be_created(bucket)
    except ResponseError:
        is_missing = False
    if not is_missing:
        return error
    missing = "there is no such bucket" if is_bucket(path) else f"there is no bucket {bucket}"
    return NotFound(
        f"{error.method} {error.path}: {missing} (Kinto answers 403 to that); create it first, for "
        "example with create=True",
        status=error.status,
        method=error.method,
        path=error.path,
        errno=error.errno if is_bucket(path) else MISSING_PARENT,
        attempts=error.attempts,
    )


def is_bucket(path: object) -> bool:
    """Is this the path of a bucket itself?"""
    return str(path).startswith(BUCKETS) and str(path).count("/") == 2


def is_missing(error: Forbidden, path: object) -> Flow[bool]:
    """Does the error mean that this bucket is not there?"""
    return is_bucket(path) and isinstance((yield from told_apart(error, path)), NotFound)


def could_be_created(path: object) -> Flow[bool]:
    """A PUT that can never write: no object was last modified at 1, and a missing one matches nothing.

    True: it may be. False: there is one, which may be written. Else the refusal is raised; Kinto says 403
    of an object that is there and not for us, too.
    """
    probe = Operation("PUT", str(path), responses.stored_object, headers=operations.if_match(1))
    try:
        yield from probe
    except Conflict as error:
        return error.existing is None
    return False


def is_probe(operation: Operation[object]) -> bool:
    """Is it this question, which looks like a write?"""
    return operation.method == "PUT" and dict(operation.headers) == operations.if_match(1)
