"""A bucket and a collection to work in, and somebody else to work against."""

import pytest

from kintomodel.resources.bucket import Bucket
from kintomodel.resources.client import Client
from kintomodel.resources.collection import Collection
from kintomodel.testing import KintoServer


@pytest.fixture
def bucket(client: Client) -> Bucket:
    return client.create_bucket("payments")


@pytest.fixture
def collection(bucket: Bucket) -> Collection:
    return bucket.create_collection("receipts")


@pytest.fixture
def bob(server: KintoServer, client: Client) -> Client:
    """Another user, who may create buckets, too."""
    return server.client(server.create_account("bob", "b0b"))
