import pytest

from kintomodel.errors import ValidationError
from kintomodel.protocol import changes, operations
from kintomodel.protocol.changes import Write
from kintomodel.protocol.paths import CollectionPath, RecordPath

from ..playing import stored

RECORD = RecordPath("b", "c", "r")
COLLECTION = CollectionPath("b", "c")


def save(data, permissions=None, base=None, path=RECORD, **options):
    base = stored(a=1, b={"c": [1]}) if base is None else base
    whole = options.pop("whole", dict)
    return changes.save(path, base, data, permissions or {}, whole=whole, **options)


def test_what_is_as_it_was_needs_no_write():
    assert save({"b": {"c": [1.0]}, "a": 1}) is None


def test_changed_keys_are_patched_as_a_whole():
    assert save({"a": 1, "b": {"c": [1, 2]}, "d": None}) == Write(
        operations.update(RECORD, {"b": {"c": [1, 2]}, "d": None}, last_modified=1000),
        {"a": 1, "b": {"c": [1, 2]}, "d": None},
    )


def test_without_a_precondition_if_forced():
    assert save({"a": 2, "b": {"c": [1]}}, force=True).operation.headers == {}


def test_permissions_alone_are_patched_without_data():
    write = save({"a": 1, "b": {"c": [1]}}, {"read": ["x"]})
    assert write.operation.body == {"permissions": {"read": ["x"]}}


def test_a_removed_key_takes_a_put_of_all_that_is_left():
    write = save({"a": 1})
    assert write == Write(operations.replace(RECORD, {"a": 1}, last_modified=1000), {"a": 1})


def test_with_a_put_go_all_permissions_or_none():
    write = save({"a": 1}, {"read": ["x"]}, whole=lambda: {"read": ["x"], "write": ["me"]})
    assert write.operation.body["permissions"] == {"read": ["x"], "write": ["me"]}


def test_the_write_shares_nothing_with_the_data():
    data = {"a": [1]}
    write = save(data)
    data["a"].append(2)
    assert write.expected == write.operation.body["data"] == {"a": [1]}
    patch = save({"a": 1, "b": (nested := {"c": []})})
    nested["c"].append(1)
    assert patch.operation.body["data"] == {"b": {"c": []}}


@pytest.mark.parametrize("key", ["id", "last_modified", "deleted", "__permissions__", "schema"])
def test_reserved_keys_are_refused_in_records(key):
    with pytest.raises(ValidationError, match=rf"records/r: data: Kinto keeps the key '{key}'"):
        save({"a": 1, "b": {"c": [1]}, key: "x"})


def test_a_schema_is_data_of_collections_only():
    base = stored(schema={}, a=1)
    assert save({"schema": {"type": "object"}, "a": 1}, base=base, path=COLLECTION) is not None
    assert save({"a": 1}, base=stored(schema=1234, a=1)) is None
    assert save({"a": 1, "schema": "own"}, base=stored(schema="own", a=1)) is None


def test_a_new_object_is_stored_without_what_the_server_makes():
    write = changes.create(RECORD, {"id": "r", "last_modified": 1, "a": 1}, {"read": ["x"]})
    assert write == Write(operations.create(RECORD, {"a": 1}, {"read": ["x"]}), {"a": 1})


@pytest.mark.parametrize(
    "data", [{"a": 2**64}, {"a": "\0"}, {"deleted": True}, {"schema": "x"}, {"schema": 7}]
)
def test_a_new_object_that_cannot_be_stored_is_refused(data):
    with pytest.raises(ValidationError):
        changes.create(RECORD, data)
