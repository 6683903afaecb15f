"""Publish on save: an object of an application is a record while it is published."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kintomodel import Client, KintoError, Model, NotFound, connect
from kintomodel.testing import KintoServer, record


class Article(Model, bucket="site", collection="articles"):
    title: str
    note: str = ""


@pytest.fixture
def site(client: Client) -> Iterator[Client]:
    client.create_bucket("site").create_collection("articles")
    with client.activate():
        yield client


def test_saving_publishes_and_only_what_changed_is_sent(site: Client) -> None:
    assert Article.objects.update_or_create({"title": "First"}, id="article-7")[1]
    with record(site) as sent:
        assert not Article.objects.update_or_create({"title": "Second"}, id="article-7")[1]
        Article.objects.update_or_create({"title": "Second"}, id="article-7")
    assert [operation.body for operation in sent.writes] == [{"data": {"title": "Second"}}]


def test_unpublishing_twice_is_no_error(site: Client) -> None:
    article, _ = Article.objects.update_or_create({"title": "First"}, id="article-7")
    again = Article.objects.get(id="article-7")
    article.delete(missing_ok=True)
    again.delete(missing_ok=True)
    with pytest.raises(NotFound):
        Article.objects.get(id="article-7")


def test_a_nightly_run_repairs_what_was_missed(site: Client) -> None:
    Article.objects.update_or_create({"title": "old"}, id="article-1")
    Article.objects.update_or_create({"title": "gone"}, id="article-2")
    published = [{"id": "article-1", "title": "new"}, {"id": "article-3", "title": "more"}]
    plan = Article.objects.sync(published, delete=True, max_delete=0.5)
    assert [(change.kind, change.id) for change in plan.changes] == [
        ("create", "article-3"), ("update", "article-1"), ("delete", "article-2"),
    ]  # fmt: skip
    plan.apply(verify=True).raise_for_failures()
    assert {one.id: one.title for one in Article.objects} == {"article-1": "new", "article-3": "more"}


REFUSED = "site/articles (refused):"


def problems_at_start_up() -> list[str]:
    """Of an application that is configured by its environment: what keeps it from publishing."""
    try:
        client = connect(retries=0)
        found = client.check(client.bucket("site").collection("articles"))
    except KintoError as error:
        return [str(error)]
    return [str(finding) for finding in found if finding.level == "refused"]


@pytest.fixture
def configured(server: KintoServer, site: Client, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment of the application, and the default client as it was."""
    monkeypatch.setattr("kintomodel.resources.client._default", None)
    monkeypatch.setenv("KINTO_SERVER", server.url)
    monkeypatch.setenv("KINTO_AUTH", ":".join(server.auth))
    return monkeypatch


def test_an_application_that_can_publish_starts(site: Client, configured: pytest.MonkeyPatch) -> None:
    assert problems_at_start_up() == []
    with record(site) as sent:
        site.check(site.bucket("site").collection("articles"))
    assert [(one.method, one.path.rpartition("/")[0]) for one in sent] == [
        ("GET", ""), ("PUT", "/buckets/site/collections/articles/records"),
    ]  # fmt: skip
    assert Article.objects.count() == 0


def test_a_setting_that_is_missing_is_named(configured: pytest.MonkeyPatch) -> None:
    configured.delenv("KINTO_SERVER")
    assert problems_at_start_up() == ["connect() needs a url, or KINTO_SERVER in the environment"]


def test_a_server_that_is_not_there_is_named(configured: pytest.MonkeyPatch) -> None:
    configured.setenv("KINTO_SERVER", "http://127.0.0.1:9/v1")
    (problem,) = problems_at_start_up()
    assert problem.startswith("GET http://127.0.0.1:9/v1/: ")
    assert problem.endswith("is the server running there?")


def test_credentials_that_are_wrong_are_told(configured: pytest.MonkeyPatch) -> None:
    configured.setenv("KINTO_AUTH", "tester:wrong")
    assert problems_at_start_up() == [
        "user (refused): the server does not know us: check auth=, or go on anonymously",
        f"{REFUSED} you may not create records in it, as the server does not know you: check auth=",
    ]


def test_a_collection_that_is_not_ours_to_write_is_told(
    server: KintoServer, site: Client, configured: pytest.MonkeyPatch
) -> None:
    configured.setenv("KINTO_AUTH", ":".join(server.create_account("web", "secret")))
    collection = site.bucket("site").collection("articles")
    collection.permissions.update(read=["account:web"])
    assert problems_at_start_up() == [
        f"{REFUSED} you may not create records in it: who may write it can give you record:create"
    ]
    collection.permissions.update(record_create=["account:web"])
    assert problems_at_start_up() == []


def test_a_collection_that_is_missing_is_told(site: Client, configured: pytest.MonkeyPatch) -> None:
    missing = f"{REFUSED} there is no such collection: create it, and its bucket, first"
    site.bucket("site").delete_collection("articles")
    assert problems_at_start_up() == [missing]
    site.bucket("site").delete()
    assert problems_at_start_up() == [missing]
