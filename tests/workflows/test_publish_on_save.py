"""Publish on save: an object of an application is a record while it is published."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kintomodel import Client, Model, NotFound
from kintomodel.testing import record


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
