"""Importing kintomodel loads little beside the libraries that it stands on.

The time itself is measured by benchmarks/import_time.py; here nothing depends on a clock.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "kintomodel"

# The libraries that setup.cfg names, as far as we use them.
LIBRARIES = "attrs, cattrs, cattrs.cols, cattrs.gen, cattrs.gen.typeddicts, requests, typing_extensions"

# What of the standard library comes on top of what those load.
STANDARD = {
    "concurrent",
    "concurrent.futures",
    "concurrent.futures._base",
    "contextvars",
    "csv",
    "decimal",
    "difflib",
    "numbers",
    "uuid",
}

_PROGRAM = "import json, sys, {}; print(json.dumps(sorted(sys.modules)))"


def loaded_by(imports: str) -> set[str]:
    """The modules that are there after these imports, in an interpreter of its own."""
    command = [sys.executable, "-c", _PROGRAM.format(imports)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return set(json.loads(done.stdout))


def loaded_by_all_names() -> set[str]:
    return loaded_by("kintomodel; from kintomodel import *; import sys")


def test_the_import_loads_nothing_but_the_face():
    ours = {name for name in loaded_by("kintomodel") if name.partition(".")[0] == "kintomodel"}
    assert ours == {"kintomodel"}
    assert "requests" not in loaded_by("kintomodel")


def test_all_names_load_nothing_that_is_not_listed():
    ours = loaded_by_all_names()
    more = {name for name in ours - loaded_by(LIBRARIES) if name.partition(".")[0] != "kintomodel"}
    assert {name for name in more if not name.startswith("_")} <= STANDARD
    assert {name.partition(".")[0] for name in more} <= {*sys.stdlib_module_names}


def test_all_names_load_none_of_the_leaves():
    ours = {name for name in loaded_by_all_names() if name.startswith("kintomodel.")}
    loaded = {name.split(".")[1] for name in ours}
    assert loaded == {file.parent.name for file in PACKAGE.glob("*/__init__.py")} - {"testing"} | {
        "desired",
        "errors",
    }
