"""The face of the package: what it lists is what is there, and each of it is explained."""

import ast
import types
from pathlib import Path

import pytest

import kintomodel

FACE = Path(kintomodel.__file__)


def test_the_face_lists_every_public_name():
    # The submodules show up as names when they are imported; they are no part of the face.
    names = {
        name
        for name, value in vars(kintomodel).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert set(kintomodel.__all__) == names


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


def test_the_face_holds_no_code():
    statements = ast.parse(FACE.read_text("utf-8")).body
    assert all(isinstance(one, (ast.ImportFrom, ast.Expr, ast.Assign)) for one in statements)
    assigned = [target.id for one in statements if isinstance(one, ast.Assign) for target in one.targets]
    assert assigned == ["__all__"]
    (docstring,) = [one for one in statements if isinstance(one, ast.Expr)]
    assert isinstance(docstring.value, ast.Constant)


def test_the_package_says_that_it_is_typed():
    assert FACE.with_name("py.typed").is_file()
