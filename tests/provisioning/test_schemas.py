"""Records that a schema refuses: what we say of them is what Kinto says."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from kintomodel import BadRequest, Client, ValidationError, desired
from kintomodel.provisioning.schemas import checker

WHERE = "/buckets/shop/collections/c"

CASES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"required": ["title", "id"]}, {"a": 1}),
    ({"required": ["id", "last_modified"]}, {"a": 1}),
    ({"properties": {"id": {"maxLength": 1}}}, {}),
    ({"properties": {"id": {"type": "string"}}, "required": ["id"]}, {}),
    ({"properties": {"a": {"type": "string"}}}, {"a": 1}),
    ({"properties": {"a": {"items": {"properties": {"b": {"minimum": 3}}}}}}, {"a": [{"b": 4}, {"b": 2}]}),
    ({"additionalProperties": False}, {"a": 1}),
    ({"additionalProperties": False}, {}),
    (
        {"definitions": {"n": {"type": "number"}}, "properties": {"a": {"$ref": "#/definitions/n"}}},
        {"a": "x"},
    ),
    ({"properties": {"a": {"$ref": "#/definitions/no"}}}, {"a": 1}),
    ({"$schema": "http://json-schema.org/draft-04/schema#", "properties": {"a": {"maximum": 1}}}, {"a": 2}),
    ({"properties": {"a": {"format": "date"}}}, {"a": "x"}),
]


@pytest.mark.parametrize(("schema", "data"), CASES)
def test_a_record_is_refused_as_the_server_refuses_it(
    client: Client, schema: dict[str, Any], data: dict[str, Any]
) -> None:
    collection = client.create_bucket("shop").create_collection("c", {"schema": schema})
    problem = checker(schema, WHERE)({"id": "r1", "last_modified": 3, "schema": 4, **data})
    if problem is None:
        collection.create_record(data, id="r1")
    else:
        with pytest.raises(BadRequest) as caught:
            collection.create_record(data, id="r1")
        assert problem in str(caught.value)


def test_what_is_no_schema_is_refused_when_there_is_a_record(client: Client) -> None:
    collection = client.create_bucket("shop").create_collection("c")
    wanted = [desired.bucket("shop", collections=[desired.collection("c", {"schema": {"type": "txt"}})])]
    assert len(client.plan(wanted)) == 1
    collection.create_record({})
    with pytest.raises(ValidationError, match=f"{WHERE}: this is no JSON schema: 'txt' is not valid"):
        client.plan(wanted)


def test_what_the_plan_makes_of_a_record_counts(client: Client) -> None:
    collection = client.create_bucket("shop").create_collection("c")
    for id in ("deleted", "repaired", "spoilt", "left"):
        collection.create_record({"title": "x"} if id == "spoilt" else {}, id=id)
    records = [
        desired.record("repaired", {"title": "y"}),
        desired.record("spoilt", {"title": 3}),
        desired.record("left"),
    ]
    schema = {"required": ["title"], "properties": {"title": {"type": "string"}}}
    wanted = [
        desired.bucket("shop", collections=[desired.collection("c", {"schema": schema}, records=records)])
    ]
    plan = client.plan(wanted, delete=True)
    assert [(one.id.rpartition("/")[2], one.problem) for one in plan.invalid] == [
        ("left", "'title' is a required property"),
        ("spoilt", "3 is not of type 'string'"),
    ]
    report = plan.apply(delete=True)
    assert [one.id.rpartition("/")[2] for one in report.invalid] == ["spoilt"]


def test_a_schema_that_goes_or_is_none_refuses_nothing(client: Client) -> None:
    client.create_bucket("shop", {"schema": {}}).create_collection("c", {"schema": {}}).create_record({})
    collections = [desired.collection("c", {"schema": None})]
    plan = client.plan([desired.bucket("shop", {"schema": {"type": "no"}}, collections=collections)])
    assert plan.invalid == ()


def test_a_server_that_validates_nothing_refuses_nothing(server: Any) -> None:
    settings = {"experimental_collection_schema_validation": False}
    with type(server)(settings=settings) as lenient, lenient.client() as client:
        client.create_bucket("shop").create_collection("c").create_record({})
        collections = [desired.collection("c", {"schema": {"required": ["title"]}})]
        assert client.plan([desired.bucket("shop", collections=collections)]).invalid == ()


def test_without_jsonschema_the_error_names_the_extra() -> None:
    program = (
        "import sys; sys.modules['jsonschema'] = None\n"
        "from kintomodel.provisioning.schemas import checker\n"
        "from kintomodel import UsageError\n"
        "try: checker({}, '/buckets/shop/collections/c')\n"
        "except UsageError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (
        "/buckets/shop/collections/c: to see which stored records a new schema refuses takes jsonschema: "
        'pip install "kintomodel[schema]"'
    )
