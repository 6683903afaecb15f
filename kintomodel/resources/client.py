"""Client: a Kinto server and who we are on it. Where everything starts."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Literal, TypeAlias, TypeVar

from typing_extensions import Self

from ..desired import Desired
from ..errors import KintoError, NotFound, Unauthorized, UsageError
from ..flows import accounts, listing
from ..flows.accounts import Account
from ..flows.listing import PAGE_SIZE
from ..protocol import capabilities, checking, grants, operations
from ..protocol.checking import Finding
from ..protocol.grants import PermissionsEntry
from ..protocol.objects import ServerInfo, StoredObject, User
from ..protocol.operations import Flow
from ..protocol.paths import BUCKETS
from ..protocol.permissions import Principals
from ..protocol.report import Outcome, Report, failure
from ..protocol.values import JSON
from ..provisioning import dumping, planning
from ..provisioning.plan import ServerPlan
from ..query.conditions import EVERYTHING
from ..transport.auth import Auth
from ..transport.base import Transport
from ..transport.connection import Connection
from ..transport.dry_run import DryRun
from ..transport.http import DEFAULT_TIMEOUT, root_url
from .batch import Batch
from .bucket import Bucket
from .collection import Collection
from .connecting import over_http

T = TypeVar("T")

_active: ContextVar[Client | None] = ContextVar("kintomodel_client", default=None)
_default: Client | None = None


Part: TypeAlias = Literal["accounts", "buckets", "groups", "collections", "records", "permissions"]


class Client:
    """A Kinto server, and who we are on it. Sends nothing until it is asked something.

    url: the API's root, such as http://localhost:8888/v1. auth: (user, password),
    "user:password", "Bearer token", or what requests takes; None: anonymous.
    timeout: seconds, for both or as (connect, read). retries: how often a request is sent again
    when it got no answer, or one that says "later". headers: sent with every request.
    transport: carries the requests instead of HTTP with retries.
    It can be shared by threads.
    """

    def __init__(
        self,
        url: str,
        auth: Auth = None,
        *,
        timeout: float | tuple[float, float] | None = DEFAULT_TIMEOUT,
        retries: int = 3,
        headers: Mapping[str, str] | None = None,
        transport: Transport | None = None,
    ) -> None:
        self.url = root_url(url)
        if transport is None:
            self.connection = over_http(url, auth, timeout=timeout, retries=retries, headers=headers)
        else:
            self.connection = Connection(transport)

    def __repr__(self) -> str:
        return f"<Client {self.url}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the connections; using the client again opens new ones."""
        self.connection.close()

    @contextmanager
    def activate(self) -> Generator[Self, None, None]:
        """Make it the default client of this block, for this thread or asyncio task alone.

        What the task runs by asyncio.to_thread() has it as well; other threads have that of connect().
        """
        token = _active.set(self)
        try:
            yield self
        finally:
            _active.reset(token)

    def server_info(self) -> ServerInfo:
        """The server's version, settings and plugins, and who we are; one GET.

        user is None if the credentials are wrong: Kinto does not refuse them here.
        """
        return self.connection.perform(operations.server_info())

    def check(self, *collections: Collection) -> tuple[Finding, ...]:
        """What this server cannot guarantee or does not offer, as far as it can be told; one GET.

        There is always one: PostgreSQL's isolation level cannot be asked for, on which it depends
        whether guarded writes are safe from each other. collections: also whether we may create records in
        these; one request for each, which never writes.
        """
        for one in collections:
            if not isinstance(one, Collection):
                raise UsageError(f"check() takes collections of the object client, got {one!r}")
        found = checking.findings(self.server_info())
        refused = [self.connection.run(checking.of_collection(one.path)) for one in collections]
        return (*found, *(one for one in refused if one is not None))

    def wait_ready(self, timeout: float = 30.0, interval: float = 0.1) -> None:
        """Ask for the heartbeat until the server and its back ends are up. Both in seconds.

        Raises the last error when the time is over.
        """
        end = time.monotonic() + timeout
        while True:
            try:
                self.connection.perform(operations.heartbeat())
            except KintoError:
                if time.monotonic() >= end:
                    raise
                time.sleep(interval)
            else:
                return

    def bucket(self, name: str) -> Bucket:
        """The bucket of that name; sends nothing, but for "default": one GET asks which one it is."""
        return Bucket.on(self.connection, name)

    def buckets(self) -> Iterator[Bucket]:
        """Those that we may see, in the order of their names; one GET a page."""
        for data in self.connection.stream(listing.everything(BUCKETS)):
            bucket = self.bucket(data["id"])
            bucket.listed(StoredObject(data))
            yield bucket

    def create_bucket(
        self,
        name: str,
        data: Mapping[str, JSON] | None = None,
        *,
        permissions: Mapping[str, Principals] | None = None,
        public: bool = False,
        if_not_exists: bool = False,
    ) -> Bucket:
        """Store a new bucket; one PUT. Conflict if it is there, Forbidden if it is not for us.

        public: everybody may read it with all that is in it. if_not_exists: one that is there is
        left as it is, and read.
        """
        return self.bucket(name).create(data, permissions, public=public, if_not_exists=if_not_exists)

    def delete_buckets(self, names: Iterable[str] | None = None, *, all: bool = False) -> int:
        """Delete these buckets, or all that we may write, with all that is in them; returns how many.

        A name that is not there is passed over. Each is tried, whatever becomes of the others: BulkError
        has a report of them if some failed. all: one DELETE a page; those of one whose answer was lost, so
        that it was sent again, are not counted.
        """
        if (names is None) is not all:
            raise UsageError("delete_buckets() takes the names of buckets, or all=True")
        if names is None:
            size = self.connection.batch_size()
            return self.connection.run(listing.delete_all(BUCKETS, EVERYTHING, size))
        if isinstance(names, str) or not isinstance(names, Iterable):
            raise UsageError(f"delete_buckets() takes several names, got {names!r}")
        buckets = [self.bucket(name) for name in names]
        report = Report(tuple(_deleted(bucket, at) for at, bucket in enumerate(buckets)))
        report.raise_for_failures()
        return len(report.deleted)

    def batch(self) -> Batch:
        """Queues requests, and sends them together at the end of its `with` block."""
        return Batch(self.connection)

    def plan(
        self,
        desired: Iterable[Desired] | Mapping[str, JSON],
        *,
        only: Part | Iterable[Part] | None = None,
        delete: bool = False,
    ) -> ServerPlan:
        """What makes the server hold what is desired; nothing is written before plan.apply().

        desired: values of kintomodel.desired, or plain data as dump() gives it. What they do not name stays
        as it is. only: a part of it: of accounts, buckets, groups, collections, records, and permissions,
        which are those of all objects that are there. delete: also delete the groups, collections and
        records of lists that are given, and do not name them; apply() is then to confirm it.
        Costs a GET of the root, a GET for each object, in batches, and one or two for an account; with delete
        one GET a page of each list. A new schema takes kintomodel[schema] and one GET a page of the
        collection, to list the records that it refuses. UsageError and ValidationError name what cannot
        be; PermissionsNotVisible what you may not compare.
        """
        return planning.plan(self.connection, desired, only=only, delete=delete)

    def dump(self, buckets: Iterable[str] | None = None, *, records: bool = True) -> dict[str, JSON]:
        """Buckets with all that is in them as plain data, which plan() takes on any server.

        buckets: their names; None: all that we may see. records: False leaves those out. Two dumps of
        equal servers are equal, whatever the times; accounts are not among it. An object has no
        "permissions" where we may not see them, and no "groups", "collections" or "records" where we may not
        list them; what is deleted meanwhile is left out. All of it is held in memory. Costs one GET a page
        of each list, and one for each object, in batches.
        """
        if isinstance(buckets, str):
            raise UsageError(f"dump() takes several names of buckets, got {buckets!r}")
        size = self.connection.batch_size()
        return self.connection.run(dumping.dump(buckets, size, records=records))

    def dry_run(self) -> AbstractContextManager[DryRun]:
        """Read for real and write nothing in this block: `with client.dry_run() as record: ...`

        Writes are answered as the server would, seen by later reads, those of lists as well, and kept in
        the record. Each write costs the GET of its object, the first one that of the root, and those in a
        collection one of it. It holds for all that uses this client until the block ends, in whichever
        thread. What only the server can check, such as a schema, is taken to be right. UsageError for what
        cannot be rehearsed, and in another dry run.
        """
        return self.connection.dry_run()

    def permissions(self, page_size: int = PAGE_SIZE) -> Iterator[PermissionsEntry]:
        """What we may do with every object that was shared with us, by their paths; one GET a page.

        UnsupportedByServer if the server does not offer it. Rights that follow from those on a
        parent are not listed.
        """
        stream = listing.pages(grants.first_page(listing.checked_page_size(page_size)))
        found = self.connection.stream(capabilities.requiring(capabilities.PERMISSIONS, stream))
        return map(grants.entry, found)

    def me(self) -> User:
        """Who the server takes us for; one GET. Unauthorized if the credentials are missing or wrong."""
        user = self.server_info().user
        if user is None:
            raise Unauthorized(
                f"GET {self.url}/: the server does not know us; check the user and password, or the "
                "token, given as auth=",
                status=401,
                method="GET",
                path="/",
            )
        return user

    def create_account(self, id: str, password: str) -> Account:
        """Create a user; Conflict if it is there. UnsupportedByServer without the accounts plugin.

        Kinto lets an administrator do so, and, where it is set up for it, anonymous clients.
        https://docs.kinto-storage.org/en/stable/api/1.x/accounts.html
        """
        return self._account(accounts.create_account(id, password))

    def change_password(self, id: str, password: str) -> Account:
        """Of an account that is ours; one PATCH. This client goes on with the old one: make another."""
        return self._account(accounts.change_password(id, password))

    def delete_account(self, id: str) -> None:
        """Of an account that is ours; a GET and a DELETE. What it created stays."""
        self._account(accounts.delete_account(id))

    def _account(self, flow: Flow[T]) -> T:
        return self.connection.run(capabilities.requiring(capabilities.ACCOUNTS, flow))


def _deleted(bucket: Bucket, position: int) -> Outcome[Bucket]:
    try:
        bucket.delete()
    except NotFound:
        return Outcome("unchanged", bucket, position)
    except KintoError as error:
        return failure(bucket, position, error)
    return Outcome("deleted", bucket, position)


def connect(
    url: str | None = None,
    auth: Auth = None,
    *,
    timeout: float | tuple[float, float] | None = DEFAULT_TIMEOUT,
    retries: int = 3,
    headers: Mapping[str, str] | None = None,
) -> Client:
    """Make a client the default of the whole process, and return it. Sends nothing.

    url: None takes KINTO_SERVER from the environment, and KINTO_AUTH ("user:password" or
    "Bearer token") if auth is None as well.
    """
    global _default
    if url is None:
        url = os.environ.get("KINTO_SERVER")
        if not url:
            raise UsageError("connect() needs a url, or KINTO_SERVER in the environment")
        auth = auth if auth is not None else os.environ.get("KINTO_AUTH") or None
    client = Client(url, auth, timeout=timeout, retries=retries, headers=headers)
    _default = client
    return client


def current_client() -> Client:
    """The client of the innermost activate() block, else the one that connect() made."""
    client = _active.get() or _default
    if client is None:
        raise UsageError("there is no client yet: call kintomodel.connect(url, auth=...) first")
    return client
