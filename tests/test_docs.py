"""The documentation names every public name, and the reference shows them."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

import kintomodel

DOCS = Path(__file__).parent.parent / "docs"
REFERENCE = (DOCS / "reference.rst").read_text()
CLASSES = re.findall(r"^\.\. autoclass:: (\S+)\n((?:   +\S.*\n)*)", REFERENCE, re.MULTILINE)


@pytest.mark.parametrize("name", kintomodel.__all__)
def test_every_public_name_is_in_the_reference(name: str) -> None:
    if isinstance(getattr(kintomodel, name), type) and issubclass(getattr(kintomodel, name), Exception):
        assert ".. automodule:: kintomodel.errors" in REFERENCE
    else:
        assert f":: kintomodel.{name}\n" in REFERENCE


@pytest.mark.parametrize(("name", "settings"), CLASSES)
def test_the_reference_shows_every_method_or_says_that_it_does_not(name: str, settings: str) -> None:
    """Sphinx leaves out those without a docstring."""
    module, _, own = name.rpartition(".")
    cls = getattr(import_module(module), own)
    excluded = re.findall(r"\w+", settings.partition(":exclude-members:")[2])
    owners = cls.__mro__[:-1] if ":inherited-members:" in settings else [cls]
    members = {member for owner in owners for member in vars(owner) if not member.startswith("_")}
    assert all(hasattr(cls, member) for member in excluded)
    for member in members.difference(excluded):
        found = getattr(cls, member)
        if callable(found) or isinstance(found, property):
            assert inspect.getdoc(found), member


@pytest.mark.parametrize("name", ["change", "explained", "settle", "know", "send_permissions", "write"])
def test_the_reference_leaves_out_what_is_for_other_rooms(name: str) -> None:
    assert name in re.findall(r"\w+", " ".join(settings for _, settings in CLASSES))


def test_a_manager_has_all_methods_of_a_query_set_but_two() -> None:
    attributes = {"model", "query", "reading"}
    methods = {name for name in dir(kintomodel.QuerySet) if not name.startswith("_")} - attributes
    assert methods - set(dir(kintomodel.Manager)) == {"update", "delete"}


@pytest.mark.parametrize("page", sorted(DOCS.glob("guide/*.rst")), ids=lambda page: page.name)
def test_every_page_of_the_guide_is_in_its_index(page: Path) -> None:
    assert page.stem == "index" or f"   {page.stem}\n" in (DOCS / "guide" / "index.rst").read_text()


def test_the_changelog_has_the_unreleased_changes_on_top() -> None:
    headings = (DOCS / "changelog.rst").read_text().split("\nUnreleased\n----------\n")
    assert len(headings) == 2
