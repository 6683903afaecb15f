"""The face of the package: what it lists is what is there, and each of it is explained."""

import ast
from pathlib import Path

import pytest

import kintomodel

FACE = Path(kintomodel.__file__)


TREE = ast.parse(FACE.read_text("utf-8"))


def names_for_the_checkers() -> dict[str, set[str]]:
    """{module: names} of the imports that only type checkers see."""
    guarded, _ = [one for one in TREE.body if isinstance(one, ast.If)]
    # `from . import desired` is a module that is a name itself.
    return {one.module or "desired": {name.name for name in one.names} for one in guarded.body}


def test_the_face_lists_every_public_name():
    found = names_for_the_checkers()
    assert {module: set(names) for module, names in kintomodel._MODULES.items()} == found
    assert set(kintomodel.__all__) == set().union(*found.values())
    assert set(kintomodel.__all__) <= set(dir(kintomodel))


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'kintomodel' has no attribute 'Modle'"):
        kintomodel.Modle  # noqa: B018


def test_a_name_is_loaded_once():
    assert kintomodel.Model is kintomodel.Model
    assert "Model" in vars(kintomodel)


def test_the_list_is_sorted_without_regard_to_case():
    assert kintomodel.__all__ == sorted(kintomodel.__all__, key=lambda name: (name.casefold(), name))
    assert len(kintomodel.__all__) == len(set(kintomodel.__all__))


def test_a_star_brings_all_of_them():
    namespace: dict[str, object] = {}
    exec("from kintomodel import *", namespace)
    assert namespace.keys() - {"__builtins__"} == set(kintomodel.__all__)


@pytest.mark.parametrize("name", kintomodel.__all__)
def test_each_public_name_is_explained(name):
    value = getattr(kintomodel, name)
    documented = value if isinstance(value, type) or callable(value) else type(value)
    assert documented.__doc__
    assert documented.__doc__.strip()


def test_the_face_holds_names_and_no_other_code():
    kinds = (ast.ImportFrom, ast.Expr, ast.Assign, ast.If, ast.FunctionDef)
    assert all(isinstance(one, kinds) for one in TREE.body)
    _, unseen = [one for one in TREE.body if isinstance(one, ast.If)]
    functions = [one.name for one in (*TREE.body, *unseen.body) if isinstance(one, ast.FunctionDef)]
    assert functions == ["__dir__", "__getattr__"]
    assigned = [target.id for one in TREE.body if isinstance(one, ast.Assign) for target in one.targets]
    assert assigned == ["__all__", "_MODULES", "_HOMES"]


def test_the_package_says_that_it_is_typed():
    assert FACE.with_name("py.typed").is_file()
