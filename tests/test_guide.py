"""Every example of the guide runs as it is shown."""

from __future__ import annotations

import doctest
from collections.abc import Iterator
from pathlib import Path

import pytest

from kintomodel.testing import KintoServer

GUIDE = Path(__file__).parent.parent / "docs" / "guide"
PAGES = sorted(GUIDE.glob("*.rst"))
FLAGS = doctest.ELLIPSIS | doctest.REPORT_ONLY_FIRST_FAILURE


@pytest.fixture(scope="module")
def guide_server() -> Iterator[KintoServer]:
    """One for all pages; each finds it empty."""
    with KintoServer() as running:
        yield running


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_of_a_page_run_as_shown(guide_server: KintoServer, page: Path) -> None:
    guide_server.flush()
    with guide_server.client() as client, client.activate():
        result = doctest.testfile(
            str(page),
            module_relative=False,
            globs={"server": guide_server, "client": client},
            optionflags=FLAGS,
            encoding="utf-8",
        )
    assert result.failed == 0


def test_there_is_a_page_for_each_kind_of_object() -> None:
    kinds = {"buckets", "collections", "records", "groups", "permissions"}
    assert kinds <= {page.stem for page in PAGES}
