"""The documentation names every public name, and the reference shows them."""

from __future__ import annotations

from pathlib import Path

import pytest

import kintomodel

DOCS = Path(__file__).parent.parent / "docs"
REFERENCE = (DOCS / "reference.rst").read_text()


@pytest.mark.parametrize("name", kintomodel.__all__)
def test_every_public_name_is_in_the_reference(name: str) -> None:
    if isinstance(getattr(kintomodel, name), type) and issubclass(getattr(kintomodel, name), Exception):
        assert ".. automodule:: kintomodel.errors" in REFERENCE
    else:
        assert f":: kintomodel.{name}\n" in REFERENCE


@pytest.mark.parametrize("page", sorted(DOCS.glob("guide/*.rst")), ids=lambda page: page.name)
def test_every_page_of_the_guide_is_in_its_index(page: Path) -> None:
    assert page.stem == "index" or f"   {page.stem}\n" in (DOCS / "guide" / "index.rst").read_text()


def test_the_changelog_has_the_unreleased_changes_on_top() -> None:
    headings = (DOCS / "changelog.rst").read_text().split("\nUnreleased\n----------\n")
    assert len(headings) == 2
