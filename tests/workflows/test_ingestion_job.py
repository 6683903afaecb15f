"""Ingestion job: a text file of domains becomes a collection, in one process after the other."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kintomodel import Client, Model
from kintomodel.testing import KintoServer, RecordingTransport, record

ROOT = Path(__file__).parents[2]
ENDPOINT = "/buckets/blocklists/collections/domains/records"
DOMAINS = [f"site{number}.example.com" for number in range(120)]


class Domain(Model, bucket="blocklists", collection="domains"):
    domain: str
    note: str = ""


def wanted(domains: list[str]) -> list[dict[str, str]]:
    return [{"id": domain.replace(".", "-"), "domain": domain} for domain in domains if domain]


@pytest.fixture
def job(client: Client) -> Iterator[Client]:
    client.create_bucket("blocklists").create_collection("domains")
    with client.activate():
        yield client


def methods(batch: object) -> list[str]:
    return [one["method"] for one in batch.body["requests"]]  # type: ignore[attr-defined]


def batches(sent: RecordingTransport) -> list[int]:
    assert all(operation.path == "/batch" for operation in sent.writes)
    return [len(methods(operation)) for operation in sent.writes]


def etag(client: Client) -> str:
    head = [answer for _, answer in sent_head(client) if answer is not None]
    return head[-1].headers["etag"]


def sent_head(client: Client) -> list[tuple[object, object]]:
    with record(client) as sent:
        Domain.objects.count()
    return sent.exchanges


def test_an_empty_collection_is_filled_in_five_batches(job: Client) -> None:
    with record(job) as sent:
        report = Domain.objects.sync(wanted([*DOMAINS, "", ""]), delete=True).apply()
    assert len(report.created) == len(report) == 120
    assert batches(sent) == [25, 25, 25, 25, 20]
    assert [operation.path for operation in sent if operation.is_read] == [ENDPOINT, "/"]


def test_a_second_run_sends_no_write_and_leaves_the_etag(job: Client) -> None:
    Domain.objects.sync(wanted(DOMAINS), delete=True).apply()
    before = etag(job)
    with record(job) as sent:
        plan = Domain.objects.sync(wanted(DOMAINS), delete=True)
        assert not plan
        assert "nothing to do" in str(plan)
        assert len(plan.apply()) == 0
    assert [(operation.method, operation.path) for operation in sent] == [
        ("GET", ENDPOINT)
    ] * 2  # pages of 100
    assert etag(job) == before
    assert plan.unchanged == 120


def test_only_the_difference_is_written(job: Client) -> None:
    Domain.objects.sync(wanted(DOMAINS), delete=True).apply()
    source = wanted([*DOMAINS[2:], "new.example.com"])
    source[7]["domain"] = "changed.example.com"
    with record(job) as sent:
        plan = Domain.objects.sync(source, delete=True)
        report = plan.apply()
    assert sorted(methods(sent.writes[0])) == ["DELETE", "DELETE", "PATCH", "PUT"]
    assert batches(sent) == [4]
    assert [len(several) for several in (report.deleted, report.created, report.updated)] == [2, 1, 1]
    assert {one.id: one.domain for one in Domain.objects} == {one["id"]: one["domain"] for one in source}


def test_what_somebody_edits_meanwhile_is_a_conflict_and_the_rest_is_written(job: Client) -> None:
    Domain.objects.sync(wanted(DOMAINS), delete=True).apply()
    source = wanted([*DOMAINS[2:], "new.example.com"])
    source[7]["domain"] = "changed.example.com"
    plan = Domain.objects.sync(source, delete=True)
    edited = Domain.objects.get(id=source[7]["id"])
    edited.note = "by hand"
    edited.save()
    report = plan.apply()
    (conflict,) = report.failures
    assert (conflict.status, conflict.object.id) == ("conflict", edited.id)
    assert [len(report.deleted), len(report.created)] == [2, 1]
    assert Domain.objects.get(id=edited.id).domain == edited.domain
    again = Domain.objects.sync(source, delete=True)
    assert [change.difference for change in again.changes] == [
        {"domain": (edited.domain, "changed.example.com")}
    ]
    again.apply().raise_for_failures()
    assert Domain.objects.get(id=edited.id).note == "by hand"


def run(path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "examples" / "ingest.py"), str(path)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_whole_script_in_its_runs(server: KintoServer, client: Client, tmp_path: Path) -> None:
    file = tmp_path / "domains.txt"
    environment = {"KINTO_SERVER": server.url, "KINTO_AUTH": ":".join(server.auth)}
    file.write_text("\n\n".join(DOMAINS))
    first, second = run(file, **environment), run(file, **environment)
    file.write_text("\n".join([*DOMAINS[2:], "new.example.com"]))
    with client.activate():
        before = etag(client)
        dry = run(file, DRY_RUN="1", **environment)
        assert etag(client) == before
    third = run(file, **environment)
    dry_again = run(file, DRY_RUN="1", **environment)
    assert dry.stdout == third.stdout
    assert "nothing to do" in dry_again.stdout
    assert {one.returncode for one in (first, second, dry, third, dry_again)} == {0}, third.stderr
    assert "120 to create" in first.stdout
    assert "nothing to do, 120 unchanged" in second.stdout
    assert third.stdout.splitlines()[1:] == [
        '+ new-example-com {"domain": "new.example.com"}', "- site0-example-com", "- site1-example-com",
    ]  # fmt: skip
    with client.activate():
        assert Domain.objects.count() == 119


def test_the_script_is_short() -> None:
    assert len((ROOT / "examples" / "ingest.py").read_text().splitlines()) <= 25


def test_a_wrong_password_is_told_in_one_line(server: KintoServer, tmp_path: Path) -> None:
    check_refusal(tmp_path, server.url, "tester:wrong", "401")


def test_a_server_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    check_refusal(tmp_path, "http://127.0.0.1:9/v1", "tester:secret", "is the server running there?")


def check_refusal(folder: Path, url: str, auth: str, problem: str) -> None:
    file = folder / "domains.txt"
    file.write_text("example.com\n")
    result = run(file, KINTO_SERVER=url, KINTO_AUTH=auth)
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert problem in result.stderr
    assert auth not in result.stderr
