#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make the tables of masks from the facts beside this script, or check that they are up to date.

And the SHA-256 of every table, by which the package knows those that the tests have checked.
"""

import argparse
import difflib
import hashlib
import os
import sys
from pathlib import Path

SOURCES = Path(__file__).resolve().parent
TABLES = SOURCES.parent
CONFIG = TABLES.parents[1] / "config"
STORE = "https://templateflow.s3.amazonaws.com"
DOI = "https://doi.org"
COLUMNS = [
    "space",
    "resolution",
    "desc",
    "url",
    "sha256",
    "content_sha256",
    "md5",
    "bytes",
    "shape",
    "origin",
    "voxels",
    "source",
    "description",
    "license",
    "citation",
    "notice",
]

Row = dict[str, str]


def read(path: Path) -> list[Row]:
    """Return the rows of a tab-separated table; quotes have no meaning."""
    columns, *lines = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
    for number, cells in enumerate(lines, start=2):
        if len(cells) != len(columns):
            sys.exit(
                f"{path}, line {number}: {len(cells)} cells, expected {len(columns)}; "
                "an empty cell has its tab, too"
            )
    return [dict(zip(columns, cells, strict=True)) for cells in lines]


def as_text(rows: list[Row]) -> str:
    """Return rows, of which there is at least one, as a table."""
    lines = [list(rows[0]), *(row.values() for row in rows)]
    return "".join("\t".join(cells) + "\n" for cells in lines)


def name_of(row: Row) -> str:
    """Return the name of a registered mask."""
    desc = row.get("desc") or "brain"
    ending = "" if desc == "brain" else f"_desc-{desc}"
    return f"{row['space']}_{row['resolution']}mm{ending}"


class Licences(dict[str, Row]):
    """Cells `license`, `citation` and `notice` of each template's masks."""

    def __missing__(self, template: str) -> Row:
        sys.exit(f"{SOURCES / 'licences.tsv'} has no row of {template}; add what is known of it")


def licences() -> Licences:
    """Return what `licences.tsv` states of each template's masks."""
    found = Licences()
    for row in read(SOURCES / "licences.tsv"):
        references = [f"{DOI}/{doi}" for doi in row["doi"].split("; ")]
        if row["links"]:
            references.append(row["links"])
        found[row["template"]] = {
            "license": row["license"],
            "citation": "; ".join(references),
            "notice": row["notice"],
        }
    return found


def first_masks() -> list[Row]:
    """Return the rows of `masks.tsv`, whose licence, citation and notice are made here."""
    stated = licences()
    return [row | stated[row["space"]] for row in read(CONFIG / "masks.tsv")]


def more_masks() -> list[Row]:
    """Return the masks registered by SHA-256 beside those of `masks.tsv`."""
    stated = licences()
    first = {name_of(row) for row in first_masks()}
    rows = []
    for fact in read(SOURCES / "more-masks.tsv"):
        if name_of(fact) in first:
            continue
        row = stated[fact["space"]] | {key: cell for key, cell in fact.items() if cell}
        row |= {
            "url": fact["url_at_a_fixed_commit"],
            "sha256": fact["recoded_sha256"],
            "content_sha256": fact["recoded_content_sha256"],
            "md5": "",
            "bytes": fact["recoded_bytes"],
        }
        rows.append({column: row[column] for column in COLUMNS})
    return rows


def templateflow() -> tuple[list[Row], list[tuple[Row, str]]]:
    """Return TemplateFlow's masks that are registered by MD5, and those left out, with the reason.

    Returns
    -------
    rows : list of dict
        Rows of `templateflow.tsv`.
    left_out : list of (dict, str)
        Row of the facts, and why it is no row of the table.
    """
    species = {row["template"]: row["species"] for row in read(SOURCES / "licences.tsv")}
    stated = licences()
    aliases = {row["space"]: row["served_as"] for row in read(TABLES / "aliases.tsv")}
    tables = {"masks.tsv": first_masks(), "more_masks.tsv": more_masks()}
    elsewhere = {name_of(row): table for table, rows in tables.items() for row in rows}
    kept: list[Row] = []
    left_out: list[tuple[Row, str]] = []
    for fact in read(SOURCES / "templateflow.tsv"):
        template, cohort = fact["template"], fact["cohort"]
        edges = fact["zooms"].split("x")
        resolution = edges[0] if len(set(edges)) == 1 else fact["zooms"]
        space = f"{template}_cohort-{cohort}" if cohort else template
        name = name_of({"space": space, "resolution": resolution})
        cells = dict.fromkeys(COLUMNS, "") | stated[template]
        if species[template] != "Homo sapiens":
            left_out.append((fact, f"it is of {species[template]}"))
        elif not fact["zooms"]:
            left_out.append((fact, "its resolution is not stated, so that it cannot be named"))
        elif template in aliases:
            left_out.append((fact, f"{template} is served as {aliases[template]}"))
        elif name in elsewhere:
            left_out.append((fact, f"{name} is registered by SHA-256 in {elsewhere[name]}"))
        else:
            people = f"{template}, cohort {cohort}" if cohort else template
            version = f"?versionId={fact['version_id']}" if fact["version_id"] else ""
            kept.append(
                cells
                | {
                    "space": space,
                    "resolution": resolution,
                    "desc": "brain",
                    "url": f"{STORE}/{fact['path']}{version}",
                    "md5": fact["md5"],
                    "bytes": fact["size"],
                    "shape": fact["shape"],
                    "source": "templateflow",
                    "description": f"TemplateFlow's brain mask of {people}, {resolution} mm",
                }
            )
    return kept, left_out


def mirrors() -> list[Row]:
    """Return the mirrors: as written by hand, then TemplateFlow's folder for TemplateFlow's."""
    rows, _ = templateflow()
    made = [
        {
            "mask": name_of(row),
            "location": row["url"].partition("?")[0].replace(STORE, "${TEMPLATEFLOW_HOME}"),
            "distribution": "",
        }
        for row in rows
    ]
    return [row for row in read(TABLES / "mirrors.tsv") if row not in made] + made


def sums(made: dict[Path, str]) -> str:
    """Return the SHA-256 of every table that is shipped, as `sha256sum` prints it.

    Parameters
    ----------
    made
        Those that are made here, by path; the others are read.
    """
    tables = {path: path.read_bytes() for path in TABLES.glob("*.tsv")}
    tables |= {path: text.encode() for path, text in made.items()}
    return "".join(
        f"{hashlib.sha256(tables[path]).hexdigest()}  {os.path.relpath(path, TABLES)}\n"
        for path in sorted(tables)
    )


def main(arguments: list[str] | None = None) -> int:
    """Write the tables, or compare them; return the status with which to exit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if a table would change"
    )
    check = parser.parse_args(arguments).check
    kept, left_out = templateflow()
    made = {
        CONFIG / "masks.tsv": as_text(first_masks()),
        TABLES / "more_masks.tsv": as_text(more_masks()),
        TABLES / "templateflow.tsv": as_text(kept),
        TABLES / "mirrors.tsv": as_text(mirrors()),
    }
    made[TABLES / "SHA256SUMS"] = sums(made)
    differ = False
    for path, new in made.items():
        name = path.name
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        differ |= new != old
        if check:
            lines = old.splitlines(), new.splitlines()
            for line in difflib.unified_diff(*lines, name, f"{name}, made", lineterm=""):
                print(line)
        else:
            path.write_text(new, encoding="utf-8")
        print(f"{name}: {len(new.splitlines())} lines")
    for fact, reason in left_out:
        print(f"left out: {fact['path']}: {reason}")
    if check and differ:
        print(
            "A table is not what the facts make: run workflow/tables/sources/make_tables.py and "
            "commit."
        )
    return int(check and differ)


if __name__ == "__main__":
    sys.exit(main())
