# SPDX-License-Identifier: MIT
"""Of what fits a schema, the quick answer is that of jsonschema."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from support import REPO, table_rows

from brainmasks.registry import read_schema, shipped_tables
from brainmasks.registry.schemas import explained, fitting

SCHEMAS = {
    path.name.removesuffix(".schema.json"): read_schema(path)
    for path in (REPO / "workflow" / "schemas").glob("*.json")
}
FITTING = {name: fitting(schema) for name, schema in SCHEMAS.items()}
# What both know. Of any other word fastjsonschema may know nothing, and accept what is wrong.
WORDS = {
    *(
        "$schema",
        "title",
        "description",
        "details",
        "default",
        "type",
        "not",
        "const",
        "enum",
        "anyOf",
    ),
    *("properties", "additionalProperties", "propertyNames", "required", "minProperties"),
    *("items", "minItems", "uniqueItems", "pattern", "minLength", "maxLength"),
    *("minimum", "maximum", "if", "then", "else"),
}
LETTERS = [
    *"\t\x00\n\x1b\x85 aZ0129.,-+_xX:/${}[]'\"é",
    "https://",
    "doi:10.1/",
    "2x2x4",
    "cohort-",
]
CELLS = st.lists(st.sampled_from(LETTERS), max_size=6).map("".join)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | CELLS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(CELLS, inner, max_size=3),
    max_leaves=5,
)
# Of masks that are registered by SHA-256, and by MD5.
ROWS = [row for path in shipped_tables() for row in table_rows(path)]


def words(schema) -> set[str]:
    """Return the words of a schema, wherever in it they stand."""
    if not isinstance(schema, dict):
        return set()
    found = set(schema)
    for word, inner in schema.items():
        named = inner.values() if word == "properties" else [inner]
        several = inner if word == "anyOf" else []
        for each in (*named, *several):
            found |= words(each)
    return found


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_use_only_words_that_both_know(name):
    assert words(SCHEMAS[name]) - WORDS == set()


def agree(name: str, value) -> None:
    """Both say the same of a value, and leave it as it is."""
    before = json.dumps(value)
    assert FITTING[name](value) == (not explained(value, SCHEMAS[name]))
    assert FITTING[name](value) == Draft202012Validator(SCHEMAS[name]).is_valid(value)
    assert json.dumps(value) == before


@given(data=st.data(), name=st.sampled_from(sorted(SCHEMAS)))
def test_of_any_value_the_answer_is_that_of_jsonschema(data, name):
    columns = sorted(SCHEMAS[name]["properties"])
    agree(name, data.draw(st.dictionaries(st.sampled_from(columns), ANYTHING, max_size=5)))


@given(
    row=st.sampled_from(ROWS),
    changes=st.dictionaries(st.sampled_from(sorted(ROWS[0])), CELLS | st.just(""), max_size=3),
)
def test_of_a_row_with_other_cells_the_answer_is_that_of_jsonschema(row, changes):
    agree("registry", row | changes)


@given(changes=st.dictionaries(st.sampled_from(sorted(ROWS[0])), st.just(""), max_size=8))
def test_which_cells_may_be_empty_depends_on_the_others_as_jsonschema_says(changes):
    agree("registry", ROWS[0] | changes)
    agree("registry", ROWS[-1] | changes)
