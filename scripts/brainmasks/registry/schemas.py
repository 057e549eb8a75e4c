# SPDX-License-Identifier: MIT
"""JSON schemas: read, and asked quickly whether a value fits."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..paths import StrPath

if TYPE_CHECKING:
    from jsonschema import ValidationError

Schema = dict[str, Any]


def read_schema(path: StrPath) -> Schema:
    """Return a JSON schema."""
    schema: Schema = json.loads(Path(path).read_text(encoding="utf-8"))
    return schema


def fitting(schema: Schema) -> Callable[[Any], bool]:
    """Return a function that says whether a value fits a schema; `explained` says why it does not.

    It takes a tenth of the time of jsonschema, which so need only be asked about what is refused.
    """
    import fastjsonschema

    # A default in a schema describes; it is not to be filled in.
    validate = fastjsonschema.compile(schema, use_default=False)

    def fits(value: Any) -> bool:
        try:
            validate(value)
        except fastjsonschema.JsonSchemaValueException:
            return False
        return True

    return fits


def explained(value: Any, schema: Schema) -> "list[ValidationError]":
    """Return everything in which a value does not fit a schema, sorted by where it stands."""
    from jsonschema import Draft202012Validator

    errors = Draft202012Validator(schema).iter_errors(value)
    return sorted(errors, key=lambda error: str(list(error.path)))
