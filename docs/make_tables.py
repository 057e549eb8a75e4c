#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write the tables of config/README.md from workflow/schemas, or check that they are up to date.

A table stands between `<!-- config.schema.json -->`, which names the schema, and `<!-- end -->`. It
has a row for each property: `description`, which error messages show, too, and `details`, Markdown
that only readers of the page see.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[1]
PAGE = REPO / "config" / "README.md"
SCHEMAS = REPO / "workflow" / "schemas"
MARKED = re.compile(r"(<!-- (\S+\.schema\.json) -->\n).*?(<!-- end -->)", flags=re.DOTALL)

Schema = dict[str, Any]


def default_of(value: Any) -> str:
    """Return a default as it is written in YAML, in pieces between which a line may break."""
    if isinstance(value, dict) and value:
        return ", ".join(f"`{key}: {each}`" for key, each in value.items())
    if isinstance(value, list) and value:
        return ", ".join(f"`{each}`" for each in value)
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def explained(rules: Schema) -> str:
    """Return what is said of a key or column."""
    return ". ".join(rules[each] for each in ("description", "details") if each in rules)


def table(schema: Schema) -> str:
    """Return the table of a schema: keys with their defaults, or columns."""
    properties: dict[str, Schema] = schema["properties"]
    if any("default" in rules for rules in properties.values()):
        rows = [["key", "value", "default"]] + [
            [f"`{key}`", explained(rules), default_of(rules["default"])]
            for key, rules in properties.items()
        ]
    else:
        optional = dict.fromkeys({*properties} - {*schema["required"]}, "optional: ")
        rows = [["column", "what it holds"]] + [
            [f"`{column}`", optional.get(column, "") + explained(rules)]
            for column, rules in properties.items()
        ]
    rows.insert(1, ["---"] * len(rows[0]))
    # A cell ends at a bar, unless it is written so.
    lines = ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def written(page: str) -> str:
    """Return the page with its tables as the schemas want them."""

    def fill(match: re.Match[str]) -> str:
        schema = json.loads((SCHEMAS / match[2]).read_text(encoding="utf-8"))
        return f"{match[1]}\n{table(schema)}\n{match[3]}"

    return MARKED.sub(fill, page)


def main() -> None:
    """Write the tables, or check them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if it is old")
    options = parser.parse_args()
    found = PAGE.read_text(encoding="utf-8")
    wanted = written(found)
    if not options.check:
        PAGE.write_text(wanted, encoding="utf-8")
    elif found != wanted:
        sys.exit("config/README.md is not what workflow/schemas say: run docs/make_tables.py")


if __name__ == "__main__":
    main()
