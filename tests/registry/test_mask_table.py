# SPDX-License-Identifier: MIT
"""Tables of masks: what is refused, with which words, and what the registry answers."""

import gzip
import math
import re

import pytest
from support import COLUMNS, REPO, shipped_rows, spelled, tiny_mask, write_table
from support import SCHEMA as ROW_SCHEMA

import brainmasks
from brainmasks import RegistryError, UnknownMaskError, mask_name, read_registry
from brainmasks.registry import closest

SCHEMA = REPO / "workflow" / "schemas" / "registry.schema.json"
TABLE = REPO / "config" / "masks.tsv"
# Those that a table must have, and those that it may have.
ALL_COLUMNS = list(ROW_SCHEMA["properties"])
OPTIONAL = [column for column in ALL_COLUMNS if column not in COLUMNS]
GOOD = dict.fromkeys(OPTIONAL, "") | tiny_mask("Good")[1]
GOOD |= {"url": "https://example.org/good.nii.gz"}

# What a message says of each column, besides the line, the column and the value.
EXPECTED = {
    "space": "letters, digits, + and - only",
    "resolution": "a positive number such as 2 or 0.7, of at most six digits, or its three edges",
    "desc": "letters and digits only such as brainDil",
    "url": "https://, http://, doi:10. or file:///, or the path of the file",
    "sha256": "64 hexadecimal digits",
    "content_sha256": "64 hexadecimal digits",
    "md5": "32 hexadecimal digits",
    "bytes": "the size in bytes of the file whose hash is registered",
    "shape": "such as 91x109x91",
    "origin": "such as -90,-126,-72",
    "voxels": "how many voxels are 1",
    "source": "one word such as templateflow",
    "description": "free text",
    "license": "the licence of the mask, or unknown",
    "citation": "what to cite",
    "notice": "the copyright notice",
}

NO_FOLDER_NAMES = [
    "",
    ".",
    "..",
    "../x",
    "..\\x",
    "a/b",
    "/abs",
    "~",
    "$HOME",
    "a b",
    "-a",
    "a\x00b",
    "a\x01b",
    "a\x1bb",
    "a\x7fb",
    "Gr\u00f6\u00dfe",
    "\u0410",
    "a\u00a0b",
    "\u0661",
]
NO_COUNTS = ["", "0", "-1", "1.5", "1e3", "1,000", "abc", "nan", "0x10"]
NO_HASHES = ["", "a" * 63, "a" * 65, "g" * 64, "unknown", "sha256:" + "a" * 57, "\u0661" * 64]
REFUSED = {
    "space": [
        *NO_FOLDER_NAMES,
        "a_b",
        "a.b",
        "{a}",
        "*",
        "a_cohort-",
        "_cohort-1",
        "a_cohort-1_cohort-2",
        "a_cohort-1/b",
        "a_Cohort-1",
        "a_res-1",
    ],
    "resolution": [
        "",
        "0",
        "0.0",
        "-1",
        "+2",
        "abc",
        "nan",
        "inf",
        "1e3",
        "2mm",
        ".5",
        "2.",
        "2,0",
        "1/2",
        " 2",
        "\u0662",
        "2x2",
        "2x2x2x2",
        "2x2x",
        "0x1x1",
        "1x0.0x1",
        "2X2X4",
        "1x1x-1",
        "1234567x1x1",
        "2 x 2 x 4",
    ],
    "desc": ["brain mask", "brain_mask", "brain-mask", "a/b", "..", "a.b", "a\x01b", "\u00e4"],
    "url": [
        "",
        "ftp://example.org/x",
        "file://host/x",
        "file:/data/x",
        "file:///",
        "FILE:///data/x",
        " ",
        " x.nii.gz",
        "a\x01b.nii.gz",
        "javascript:alert(1)",
        "s3://bucket/x",
        "gs://bucket/x",
        "git+https://example.org/x",
        "https:",
        "https://",
        "https:///x",
        "https:/example.org/x",
        " https://example.org/x",
        "https://example.org/a b",
        "https://example.org/a\x01b",
        "https://example.org/a\x7fb",
        "doi:",
        "doi:11.5281/zenodo.1/x",
        "doi:10.5281",
        "doi://10.5281/zenodo.1/x",
    ],
    "sha256": NO_HASHES,
    "content_sha256": NO_HASHES,
    "md5": ["a" * 31, "a" * 33, "a" * 64, "g" * 32, "unknown", "md5:" + "a" * 28, "\u0661" * 32],
    "bytes": NO_COUNTS,
    "shape": [
        "",
        "91",
        "91x109",
        "91x109x0",
        "0x1x1",
        "91,109,91",
        "-1x1x1",
        "91X109X91",
        "1x1x1x1",
        "91x109x91x",
        "axbxc",
        "1.5x1x1",
        "nanx1x1",
        " 91x109x91",
    ],
    "origin": [
        "",
        "1",
        "1,2",
        "1,2,3,4",
        "nan,0,0",
        "0,inf,0",
        "0,0,1e3",
        "1;2;3",
        "1, 2, 3",
        "1,2,",
        "a,b,c",
        "+1,2,3",
    ],
    "voxels": NO_COUNTS,
    "source": [*NO_FOLDER_NAMES, "a.", "a..b", ".a"],
    "description": ["a\x01b", "a\x1b[31mb", "a\x7fb"],
    "license": ["", "a\x01b"],
    "citation": ["", "a\x7fb"],
    "notice": ["a\x01b", "a\x1bb"],
}
ACCEPTED = {
    "space": ["A", "NA", "001", "MNI152NLin2009cAsym", "a+b", "a-b", "A_cohort-2"],
    "resolution": ["2", "2.0", "0.7", "001", "10", "0.125", "2x2x4", "0.7x0.70x1", "2x2x2"],
    "desc": ["", "brain", "brainDil", "T1w2"],
    "url": [
        "https://example.org/x.nii.gz",
        "http://example.org/x.nii.gz",
        "HTTPS://EXAMPLE.ORG/x.nii.gz",
        "https://127.0.0.1:8000/x?y=1#z",
        "https://user:word@example.org/x",
        "doi:10.5281/zenodo.1/x.nii.gz",
        "file:///data/x.nii.gz",
        "/data/x.nii.gz",
        "x.nii.gz",
        "../a folder/x.nii.gz",
        "~/x.nii.gz",
        "${FSLDIR}/x.nii.gz",
        "C:\\x.nii.gz",
    ],
    "sha256": ["0" * 64, "F" * 64],
    "content_sha256": ["0" * 64, "F" * 64],
    "md5": [""],
    "bytes": ["1", "999999999999"],
    "shape": ["1x1x1", "193x229x193"],
    "origin": ["0,0,0", "-90,-126,-72", "-96.5,132.125,-78.000001"],
    "voxels": ["1", "1827243"],
    "source": ["NA", "001", "templateflow", "osf.io", "my_lab"],
    "description": ["", "NA", "na\u00efve, \u00bd", '"half a quotation'],
    "license": ["NA", "CC0", "CC BY 4.0"],
    "citation": ["NA", "a; b"],
    "notice": ["", "Copyright (C) 1993-2009 Somebody"],
}


def each(values: dict) -> list:
    """Return a parameter set for every column and value."""
    return [
        pytest.param(column, value, id=f"{column}={spelled(value)}")
        for column, cells in values.items()
        for value in cells
    ]


def read(*tables, aliases=()):
    """Read tables with the shipped schema."""
    return read_registry(tables, SCHEMA, dict(aliases))


def refusal(*tables, aliases=()) -> str:
    """Return the message with which tables are refused."""
    with pytest.raises(RegistryError) as failure:
        read(*tables, aliases=aliases)
    return str(failure.value)


def mask(space: str = "A", resolution: str = "2", **cells) -> dict:
    """Return a valid row."""
    return GOOD | {"space": space, "resolution": resolution} | cells


def table_text(*lines: str) -> str:
    """Return a table of these lines, below the line that names the columns."""
    return "".join(f"{line}\n" for line in ("\t".join(COLUMNS), *lines))


def line_of(row: dict) -> str:
    """Return the line of a row."""
    return "\t".join(row[column] for column in COLUMNS)


@pytest.fixture
def table(tmp_path):
    """Return a function that writes a table of these rows and returns its path."""

    def write(*rows: dict, name: str = "masks.tsv", columns=COLUMNS):
        return write_table(tmp_path / name, rows, columns)

    return write


def test_every_column_has_refused_and_accepted_values():
    assert set(REFUSED) == set(ACCEPTED) == set(EXPECTED) == set(ALL_COLUMNS)


@pytest.mark.parametrize(("column", "value"), each(REFUSED))
def test_refused_cell_is_named_with_line_column_value_and_expectation(table, column, value):
    path = table(GOOD, mask(**{column: value}), columns=ALL_COLUMNS)
    message = refusal(path)
    assert f"{path}, line 3" in message
    assert f"column '{column}'" in message
    assert (f"is {value!r}" if value else "is empty") in message
    assert EXPECTED[column] in message
    assert all(line.isprintable() for line in message.split("\n"))


@pytest.mark.parametrize(("column", "value"), each(ACCEPTED))
def test_accepted_cell(table, column, value):
    assert len(read(table(GOOD, mask(**{column: value}), columns=ALL_COLUMNS))) == 2


def test_every_refused_cell_of_a_row_is_reported_on_a_line_of_its_own(table):
    lines = refusal(table(GOOD, mask(url="ftp://x", sha256="", voxels="0"))).split("\n")
    columns = [re.search(r", line 3 \(A 2 mm\), column '(\w+)' is", line)[1] for line in lines]
    assert columns == ["sha256", "url", "voxels"]


def test_message_about_a_cell_names_the_mask(table):
    assert "line 3 (A 2 mm)" in refusal(table(GOOD, mask(voxels="0")))


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        pytest.param(
            ["spcae", *COLUMNS[1:]],
            ["line 1", "unknown column 'spcae'", "did you mean 'space'?"],
            id="misspelt",
        ),
        pytest.param(
            ["Space", *COLUMNS[1:]],
            ["line 1", "unknown column 'Space'", "did you mean 'space'?"],
            id="another case",
        ),
        pytest.param(
            [*COLUMNS, "MD5"],
            ["line 1", "unknown column 'MD5'", "did you mean 'md5'?", "Columns: space, resolution"],
            id="optional, another case",
        ),
        pytest.param(
            [*COLUMNS, "notices"],
            ["line 1", "unknown column 'notices'", "did you mean 'notice'?"],
            id="optional, misspelt",
        ),
        pytest.param(
            ["space", "", *COLUMNS[2:]], ["line 1", "missing column 'resolution'"], id="nameless"
        ),
        pytest.param(COLUMNS[:-1], ["line 1", "missing column 'citation'"], id="missing"),
        pytest.param(
            [column for column in COLUMNS if column not in ("bytes", "sha256")],
            ["line 1", "missing columns 'sha256', 'bytes'"],
            id="two missing",
        ),
        pytest.param(
            [*COLUMNS, "url"], ["line 1", "column 'url'", "twice"], id="one stands there twice"
        ),
    ],
)
def test_wrong_columns_are_named(table, columns, words):
    message = refusal(table(mask() | dict.fromkeys(columns, "A"), columns=columns))
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize("column", ["qqq", "remarks", "lab", "id", "Who made it"])
def test_column_that_resembles_none_is_ignored(table, column):
    entry = read(table(mask() | {column: "\x01"}, columns=[*COLUMNS, column]))
    assert entry.keys() == ["A_2mm"]


def test_columns_may_stand_in_any_order(table):
    assert read(table(mask(), columns=COLUMNS[::-1])).get("A_2mm").sha256 == GOOD["sha256"]


@pytest.mark.parametrize("surplus", [1, 20, 60])
def test_too_many_cells_are_refused(tmp_path, surplus):
    path = tmp_path / "masks.tsv"
    path.write_text(table_text(line_of(GOOD), line_of(mask()) + "\tx" * surplus))
    message = refusal(path)
    assert str(path) in message
    assert "line 3" in message


def test_one_cell_too_many_is_counted(tmp_path):
    path = tmp_path / "masks.tsv"
    path.write_text(table_text(line_of(mask()) + "\tx"))
    assert "14 cells, but 13 columns" in refusal(path)


@pytest.mark.parametrize("surplus", [1, 20, 60])
def test_empty_cells_at_the_end_of_lines_are_ignored(tmp_path, surplus):
    path = tmp_path / "masks.tsv"
    lines = table_text(line_of(mask())).splitlines()
    path.write_text("".join(f"{line}{chr(9) * surplus}\n" for line in lines))
    assert read(path).keys() == ["A_2mm"]


def test_too_few_cells_are_refused(tmp_path):
    path = tmp_path / "masks.tsv"
    path.write_text(table_text(line_of(GOOD), line_of(mask()).rpartition("\t")[0]))
    message = refusal(path)
    assert "line 3" in message
    assert "column 'citation' is empty" in message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", ["is empty", "first line must name the columns"], id="empty"),
        pytest.param(b"\n\n", ["line 1", "missing columns 'space'"], id="blank lines only"),
        pytest.param("sp\u00e4ce\n".encode("latin-1"), ["cannot be read"], id="Latin-1"),
        pytest.param(
            table_text().encode("utf-16"),
            ["cannot be read", "it is UTF-16", "save it as UTF-8"],
            id="UTF-16",
        ),
        pytest.param(b"<!DOCTYPE html>\n<html></html>\n", ["line 1", "missing column"], id="HTML"),
        *(
            pytest.param(
                table_text().replace("\t", separator).encode(),
                ["line 1", f"{words} stand between the cells instead of tabs", "save the table as"],
                id=words,
            )
            for separator, words in ((",", "commas"), (";", "semicolons"), ("  ", "spaces"))
        ),
        pytest.param(
            table_text(";".join(COLUMNS)).encode(),
            ["line 2: semicolons stand between the cells instead of tabs"],
            id="semicolons in a row alone",
        ),
        pytest.param(
            '"{}"\n'.format('"\t"'.join(COLUMNS)).encode(),
            ["line 1: the names of columns are in quotes", "save the table without quotes"],
            id="quotes around names",
        ),
        pytest.param(
            table_text('"{}"'.format('"\t"'.join(COLUMNS))).encode(),
            ["line 2", "column 'space'", "in quotes, which have no meaning here"],
            id="quotes around cells",
        ),
    ],
)
def test_file_that_is_no_table_is_refused(tmp_path, content, words):
    path = tmp_path / "masks.tsv"
    path.write_bytes(content)
    message = refusal(path)
    assert [word for word in (str(path), *words) if word not in message] == []


def test_missing_table_is_refused(tmp_path):
    path = tmp_path / "nowhere.tsv"
    assert f"{path} does not exist" in refusal(path)


def test_folder_instead_of_a_table_is_refused(tmp_path):
    assert f"{tmp_path} cannot be read as a table" in refusal(tmp_path)


@pytest.mark.parametrize("suffix", ["gz", "xz", "zip", "zst"])
def test_damaged_compressed_table_is_refused(tmp_path, suffix):
    path = tmp_path / f"masks.tsv.{suffix}"
    path.write_bytes(gzip.compress(table_text(line_of(mask())).encode())[:-20])
    assert f"{path} cannot be read as a table" in refusal(path)


def test_table_without_rows_registers_nothing(table):
    assert len(read(table())) == 0


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_byte_order_mark_and_either_line_end_are_accepted(tmp_path, start, end):
    path = tmp_path / "masks.tsv"
    text = start + end.join(table_text(line_of(GOOD), line_of(mask())).splitlines())
    path.write_bytes(text.encode())
    registry = read(path)
    assert registry.keys() == ["Good_2mm", "A_2mm"]
    assert registry.get("A_2mm").citation == "unknown"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_blank_lines_are_skipped_and_counted(tmp_path, end):
    path = tmp_path / "masks.tsv"
    text = table_text("", line_of(GOOD), "", "\t" * 12, "\t\t", line_of(mask(voxels="0")), "")
    path.write_bytes(text.replace("\n", end).encode())
    assert "line 7" in refusal(path)


def test_double_quote_in_a_cell_swallows_no_lines(table):
    rows = [mask("A", description='"open'), mask("B", description='an "inner" one'), mask("C")]
    registry = read(table(*rows))
    assert [registry.get(name).description for name in registry] == [
        row["description"] for row in rows
    ]
    assert registry.keys() == ["A_2mm", "B_2mm", "C_2mm"]


def test_text_that_looks_like_a_missing_value_or_a_number_stays_text(table):
    cells = {"source": "001", "license": "NA", "citation": "null", "description": "1e3"}
    entry = read(table(mask("NA", "001", **cells))).get("NA_1mm")
    assert entry.space == "NA"
    assert {column: getattr(entry, column) for column in cells} == cells


def test_scheme_of_a_doi_in_capitals_is_the_same_scheme(table):
    entry = read(table(mask(url="DOI:10.5281/zenodo.1/x.nii.gz"))).get("A_2mm")
    assert entry.url == "doi:10.5281/zenodo.1/x.nii.gz"


def test_upper_case_hash_is_the_same_hash(table):
    digits = {name: GOOD[name].upper() for name in ("sha256", "content_sha256")}
    entry = read(table(mask(**digits))).get("A_2mm")
    assert (entry.sha256, entry.content_sha256) == (GOOD["sha256"], GOOD["content_sha256"])


@pytest.mark.parametrize("again", ["2", "2.0", "2.000", "02"])
def test_duplicate_in_one_table_names_both_lines(table, again):
    path = table(mask(), mask("B"), mask(resolution=again))
    message = refusal(path)
    assert "A_2mm is registered twice" in message
    assert f"{path}, line 2" in message
    assert f"{path}, line 4" in message


def test_duplicate_in_two_tables_names_both_places(table):
    changed = mask(resolution="2.0", voxels="99")
    first, second = table(mask("B"), mask()), table(changed, name="own.tsv")
    message = refusal(first, second)
    assert "A_2mm is registered twice" in message
    assert f"{first}, line 3" in message
    assert f"{second}, line 2" in message


def test_rows_of_a_copy_of_the_main_table_count_once(table):
    """A copy that was made for rows of one's own; a second copy would be one too many."""
    main = table(mask("A"), mask("B"))
    copy = table(mask("A", description="reworded"), mask("B"), mask("C"), name="copy.tsv")
    registry = read(main, copy)
    assert registry.keys() == ["A_2mm", "B_2mm", "C_2mm"]
    assert registry.own == {}
    assert registry["A_2mm"].description == mask("A")["description"]
    assert "C_2mm is registered twice" in refusal(main, copy, table(mask("C"), name="more.tsv"))
    assert "A_2mm is registered twice" in refusal(table(mask("A"), mask("A"), name="two.tsv"))


def test_row_whose_space_is_an_alias_names_both_places(table):
    path = table(mask("B"), mask())
    message = refusal(path, aliases={"A": "B"})
    assert f"{path}, line 3 registers A_2mm" in message
    assert "`aliases`" in message
    assert "A as B" in message


def test_alias_of_an_alias_is_refused(table):
    message = refusal(table(mask("C")), aliases={"A": "B", "B": "C"})
    assert "`aliases`" in message
    assert "A is served as B" in message
    assert "alias of C" in message


def test_alias_of_itself_is_refused(table):
    assert "`aliases`" in refusal(table(mask("B")), aliases={"A": "A"})


@pytest.fixture
def registry(table):
    """Return a registry of A at 1 and 2 mm, B at 2 mm, and C that is served as B."""
    rows = [mask("A", "1"), mask("A", "2.0"), mask("Big-B", "2", source="lab")]
    return read(table(*rows), aliases={"C": "Big-B"})


def test_registry_is_a_container_of_names(registry):
    assert registry.keys() == list(registry) == ["A_1mm", "A_2mm", "Big-B_2mm"]
    assert len(registry) == 3
    assert "A_2mm" in registry
    assert "C_2mm" not in registry
    assert None not in registry


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, ["A_1mm", "A_2mm", "Big-B_2mm"]),
        ({"space": "A"}, ["A_1mm", "A_2mm"]),
        ({"resolution": 2}, ["A_2mm", "Big-B_2mm"]),
        ({"resolution": 2.0, "source": "lab"}, ["Big-B_2mm"]),
        ({"space": "C"}, []),
        ({"space": None, "resolution": 2, "source": None}, ["A_2mm", "Big-B_2mm"]),
        ({"desc": "brain", "name": "A_1mm"}, ["A_1mm"]),
    ],
)
def test_list_filters_by_metadata(registry, filters, names):
    assert registry.list(**filters) == [registry[name] for name in names]


def test_list_refuses_an_unknown_filter(registry):
    with pytest.raises(TypeError, match=r"'spaces'.*'space'"):
        registry.list(spaces="A")


def test_get_returns_typed_metadata(registry):
    entry = registry.get("A_2mm")
    assert (entry.name, entry.space, entry.resolution) == ("A_2mm", "A", 2.0)
    assert (entry.shape, entry.origin) == ((6, 7, 5), (-6.0, -8.0, -4.0))
    assert (entry.bytes, entry.voxels) == (int(GOOD["bytes"]), int(GOOD["voxels"]))
    assert entry.affine.tolist() == [[2, 0, 0, -6], [0, 2, 0, -8], [0, 0, 2, -4], [0, 0, 0, 1]]
    assert entry.size == 210
    assert math.isclose(entry.volume_ml, entry.voxels * 0.008)


@pytest.mark.parametrize("row", [mask(), mask(resolution="0.7", origin="-96.5,0,0.000001")])
def test_metadata_survive_the_way_through_a_row(table, row):
    entry = read(table(row)).get(mask_name("A", float(row["resolution"])))
    # Of where the table was, and of free text, a job knows nothing.
    left_out = {"description": row["description"], "folder": entry.folder}
    assert type(entry).from_row(entry.as_row() | left_out) == entry


def test_get_and_serve_of_an_unknown_name_raise_keyerror_with_all_names(registry):
    for ask in (registry.get, registry.serve):
        with pytest.raises(KeyError) as failure:
            ask("nothing")
        message = str(failure.value)
        assert failure.type is UnknownMaskError
        assert message.startswith("no mask is registered for 'nothing'")
        assert "Registered: A_1mm, A_2mm, Big-B_2mm." in message
        assert "C (as Big-B)" in message
        assert "extra_registries" in message


def test_get_knows_no_aliases(registry):
    with pytest.raises(UnknownMaskError):
        registry.get("C_2mm")


@pytest.mark.parametrize(("name", "served"), [("A_2mm", "A_2mm"), ("C_2mm", "Big-B_2mm")])
def test_serve_resolves_aliases(registry, name, served):
    assert registry.serve(name).name == served


@pytest.mark.parametrize(
    "name", ["", "A", "A_2", "A_mm", "_2mm", "A_2 mm", "A_-2mm", "A_2mm\n", "a_2mm", "A_3mm"]
)
def test_serve_refuses_what_is_not_registered(registry, name):
    with pytest.raises(UnknownMaskError):
        registry.serve(name)


@pytest.mark.parametrize("written", ["2.0", "02", "2.00"])
def test_serve_knows_one_spelling_of_a_resolution_and_suggests_it(registry, written):
    with pytest.raises(UnknownMaskError, match=r"did you mean A_2mm\?"):
        registry.serve(f"A_{written}mm")


def test_long_registry_is_listed_in_part(table):
    rows = [mask(f"S{number}") for number in range(30)]
    with pytest.raises(
        UnknownMaskError, match=r"S7_2mm and 22 more \(all: `snakemake status`, `brainmasks list`\)"
    ) as failure:
        read(table(*rows)).get("nothing")
    assert "S8_2mm" not in str(failure.value)


@pytest.mark.parametrize(
    ("resolution", "name"),
    [(2, "A_2mm"), (2.0, "A_2mm"), (0.7, "A_0.7mm"), ("2.0", "A_2mm"), (1.25, "A_1.25mm")],
)
def test_mask_name(resolution, name):
    assert mask_name("A", resolution) == name


@pytest.mark.parametrize(
    ("name", "suggested"),
    [
        ("mni152nlin6asym_2mm", ["MNI152NLin6Asym_2mm"]),
        ("MNI152NLin6ASym_2mm", ["MNI152NLin6Asym_2mm"]),
        ("MNI152NLin6Asym_2.0mm", ["MNI152NLin6Asym_2mm"]),
        ("MNI152NLin6ASYM_02.00mm", ["MNI152NLin6Asym_2mm"]),
        ("qqqqqq", []),
        ("", []),
    ],
)
def test_closest_names(name, suggested):
    assert closest(name, [mask_name(r["space"], r["resolution"]) for r in shipped_rows()]) == (
        suggested
    )


@pytest.mark.parametrize(
    "name", ["MNI152Lin6Asym_2mm", "MNI152NLin6Asym_2", "MNI152NLin6Asym-2mm", "MNI152NLin6Asm_2mm"]
)
def test_closest_name_to_a_typing_error_comes_first(name):
    known = [mask_name(row["space"], row["resolution"]) for row in shipped_rows()]
    assert closest(name, known)[0] == "MNI152NLin6Asym_2mm"


@pytest.mark.parametrize(
    ("name", "url", "sha256", "content_sha256", "size", "shape", "origin", "voxels"),
    [
        (
            "MNI152NLin6Asym_1mm",
            "https://osf.io/2bjz3/download",
            "2214902e77ef40ce44a66c8db1a55235e254843d30ce242767b135e2c046d77b",
            "f8d996db77b2141bf9c9ace397bee339eb12661bf517e3bbbde7e0b485b77680",
            149850,
            (182, 218, 182),
            (-91.0, -126.0, -72.0),
            1827243,
        ),
        (
            "MNI152NLin6Asym_2mm",
            "https://osf.io/nb7rt/download",
            "61b4ae898807264ea026a6a8f4f478ab58ae817eb97181f8bd62bb5546ca611c",
            "49ab96cea1930f198444b0e112439704e0fb582e6ab7108a4befb41b9041c5fe",
            28476,
            (91, 109, 91),
            (-90.0, -126.0, -72.0),
            228483,
        ),
        (
            "MNI152NLin2009cAsym_1mm",
            "https://osf.io/4mtvj/download",
            "5ef11991a77ad081690bc4e272ecc9153bd35e60952641468aed7fb6d8a9a064",
            "333c86b324584ba698120ddba426edff20b2992ba5d68704389532e7b324f4ec",
            159374,
            (193, 229, 193),
            (-96.0, -132.0, -78.0),
            1886574,
        ),
        (
            "MNI152NLin2009cAsym_2mm",
            "https://osf.io/6jkdb/download",
            "9ec2c641c1e2d1b7a94a57e779197874bfedba4c6dbc55b092f5fbf12c750fb9",
            "fbceef5fd4f39ef4c21c5d6752a7331bec9cd812bc0b6a80b4c2124a39f994e5",
            29453,
            (97, 115, 97),
            (-96.5, -132.5, -78.5),
            235840,
        ),
    ],
    ids=[f"{row['space']} {row['resolution']} mm" for row in shipped_rows()],
)
def test_shipped_row(name, url, sha256, content_sha256, size, shape, origin, voxels):
    entry = brainmasks.BRAIN_MASK_REGISTRY.get(name)
    assert (entry.url, entry.sha256, entry.content_sha256) == (url, sha256, content_sha256)
    assert (entry.bytes, entry.shape, entry.origin) == (size, shape, origin)
    assert (entry.voxels, entry.source) == (voxels, "templateflow")
    assert entry.affine.diagonal().tolist() == [entry.resolution] * 3 + [1.0]


def test_shipped_table_is_valid_and_complete():
    assert read(TABLE).keys() == [
        "MNI152NLin6Asym_1mm",
        "MNI152NLin6Asym_2mm",
        "MNI152NLin2009cAsym_1mm",
        "MNI152NLin2009cAsym_2mm",
    ]


@pytest.mark.parametrize("alias", ["MNI152NLin2009aAsym", "MNI152NLin2009bAsym"])
def test_shipped_aliases(alias):
    served = brainmasks.BRAIN_MASK_REGISTRY.serve(f"{alias}_1mm")
    assert served.name == "MNI152NLin2009cAsym_1mm"
