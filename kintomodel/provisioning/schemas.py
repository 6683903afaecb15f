"""Records that a JSON schema refuses. The one place that needs jsonschema."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ..errors import UsageError, ValidationError
from ..protocol.values import JSON, JSONObject

# What Kinto leaves out of the data that it validates (26.5).
_SERVERS = ("last_modified", "schema", "__permissions__")


def checker(schema: JSONObject, where: str) -> Callable[[Mapping[str, JSON]], str | None]:
    """From a record's data to what is wrong with it, as Kinto says it; None if nothing is.

    UsageError if jsonschema is not installed, ValidationError if it is no schema.
    """
    validator, unresolvable, best_match = _validator(schema, where)
    # Kinto validates the id only where the schema names it.
    ignored = _SERVERS if "id" in schema.get("properties", {}) else (*_SERVERS, "id")
    required = [name for name in schema.get("required", []) if name not in ignored]
    kept = {name: value for name, value in schema.items() if name != "required"}
    one = validator({**kept, "required": required} if required else kept)

    def problem(data: Mapping[str, JSON]) -> str | None:
        try:
            found = best_match(
                one.iter_errors({name: value for name, value in data.items() if name not in ignored})
            )
        except unresolvable as error:
            return str(error)
        return None if found is None else str(found.message)

    return problem


def _validator(schema: JSONObject, where: str) -> tuple[Any, type[Exception], Any]:
    """Makes one of a schema, what it raises for a reference that leads nowhere, and what picks an error."""
    try:
        validators = importlib.import_module("jsonschema.validators")
        exceptions = importlib.import_module("jsonschema.exceptions")
        registry = importlib.import_module("jsonschema_specifications").REGISTRY
        unresolvable = importlib.import_module("referencing.exceptions").Unresolvable
    except ImportError:
        raise UsageError(
            f"{where}: to see which stored records a new schema refuses takes jsonschema: "
            'pip install "kintomodel[schema]"'
        ) from None
    cls = validators.validator_for(schema)
    try:
        cls.check_schema(schema)
    except exceptions.SchemaError as error:
        raise ValidationError(f"{where}: this is no JSON schema: {error.message}") from None
    # With this registry nothing is fetched that a schema refers to.
    return partial(cls, registry=registry), unresolvable, exceptions.best_match
