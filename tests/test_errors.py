import copy
import inspect
import pickle
import re

import pytest

from kintomodel import errors
from kintomodel.errors import (
    BulkError,
    Conflict,
    KintoError,
    NotFound,
    ResponseError,
    UnsupportedByServer,
    UsageError,
    ValidationError,
)

CLASSES = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, BaseException) and value.__module__ == errors.__name__
]


def drawn_tree() -> dict[str, str]:
    """{class: its parent}, as the docstring draws it."""
    parents: dict[str, str] = {}
    above: list[str] = []
    line = r"^    ([│ ]*(?:[├└]── )?)([A-Z]\w+)(?:  .*)?$"
    for found in re.finditer(line, errors.__doc__ or "", re.MULTILINE):
        depth = len(found[1]) // 4
        above = [*above[:depth], found[2]]
        parents[found[2]] = above[depth - 1] if depth else "Exception"
    return parents


def an_error(cls: type[KintoError]) -> KintoError:
    if issubclass(cls, ResponseError):
        return cls(
            "no", status=418, method="PUT", path="/p", errno=7, details={"existing": {"a": [1]}}, attempts=2
        )
    if issubclass(cls, ValidationError):
        return cls("two problems", ["a: first", "b: second"])
    if issubclass(cls, UnsupportedByServer):
        return cls("no history", "history")
    if issubclass(cls, BulkError):
        return cls("3 of 5", {"created": [1, 2]})
    return cls("it went wrong")


def test_the_tree_in_the_docstring_is_that_of_the_classes():
    assert drawn_tree() == {cls.__name__: cls.__bases__[0].__name__ for cls in CLASSES}


def test_the_tree_is_a_literal_block_to_sphinx():
    above, _, tree = (errors.__doc__ or "").partition("\n\n")
    assert above.endswith("::")
    assert tree.startswith("    KintoError\n")


@pytest.mark.parametrize("cls", CLASSES)
def test_every_class_says_what_it_stands_for(cls):
    assert cls.__doc__


@pytest.mark.parametrize("copied", [lambda it: pickle.loads(pickle.dumps(it)), copy.copy, copy.deepcopy])
@pytest.mark.parametrize("cls", CLASSES)
def test_an_error_survives_pickling_and_copying(cls, copied):
    error = an_error(cls)
    error.__notes__ = ["while saving"]
    again = copied(error)
    assert type(again) is cls
    assert (str(again), again.args, again.__dict__) == (str(error), error.args, error.__dict__)


def test_a_pickled_conflict_keeps_its_versions():
    error = an_error(Conflict)
    error.base, error.mine, error.theirs = {"a": 1}, {"a": 2}, {"a": 3}
    again = pickle.loads(pickle.dumps(error))
    assert (again.base, again.mine, again.theirs) == ({"a": 1}, {"a": 2}, {"a": 3})


@pytest.mark.parametrize(
    ("cls", "builtin"), [(NotFound, LookupError), (ValidationError, ValueError), (UsageError, TypeError)]
)
def test_some_are_what_python_readers_would_catch(cls, builtin):
    with pytest.raises(builtin):
        raise an_error(cls)


def test_the_details_of_a_refusal_are_not_shown():
    error = Conflict("it changed", status=412, details={"existing": {"pin": "1234"}})
    assert "1234" not in f"{error} {error!r}"


def test_a_conflict_shows_what_the_server_has():
    assert Conflict("", status=412, details={"existing": {"a": 1}}).existing == {"a": 1}


@pytest.mark.parametrize("details", [None, [], {}, {"existing": None}, {"existing": "text"}])
def test_a_conflict_without_details_knows_of_nothing(details):
    assert Conflict("", status=412, details=details).existing is None


def test_a_conflict_outside_the_mapper_has_no_record():
    error = Conflict("", status=412)
    assert (error.record, error.base, error.mine, error.theirs) == (None, None, None, None)


def test_a_validation_error_of_one_problem_is_that_problem():
    assert ValidationError("a: too long").problems == ("a: too long",)
