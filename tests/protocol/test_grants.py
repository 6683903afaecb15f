from kintomodel.protocol import grants
from kintomodel.protocol.grants import PermissionsEntry


def test_a_row_of_an_object_is_typed():
    row = {
        "uri": "/buckets/b/groups/g", "resource_name": "group", "permissions": ["write", "read"],
        "bucket_id": "b", "group_id": "g", "id": "g",
    }  # fmt: skip
    assert grants.entry(row) == PermissionsEntry(
        "/buckets/b/groups/g", "group", ("read", "write"), bucket_id="b", group_id="g"
    )


def test_the_row_of_the_server_itself_has_no_ids():
    row = {"uri": "/", "resource_name": "root", "permissions": ["bucket:create"]}
    assert grants.entry(row) == PermissionsEntry("/", "root", ("bucket:create",))


def test_pages_are_ordered_by_path():
    assert grants.first_page(50).params == {"_sort": "uri", "_limit": "50"}
