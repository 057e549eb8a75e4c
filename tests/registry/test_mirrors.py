# SPDX-License-Identifier: MIT
"""The table of mirrors, and what each kind of location leads to."""

import pytest
from support import REPO, shipped_rows, write_table

from brainmasks import RegistryError
from brainmasks.errors import FetchError
from brainmasks.registry import Mirror, read_mirrors

SCHEMA = REPO / "workflow" / "schemas" / "mirrors.schema.json"
REMOTE = [
    "https://example.org/a.nii.gz",
    "http://example.org/a.nii.gz?versionId=1.b_c",
    "doi:10.5281/zenodo.1/a.nii.gz",
]
LOCAL = [
    "/data/a.nii.gz",
    "data/a b.nii.gz",
    "~/a.nii.gz",
    "${FSLDIR}/data/standard/a.nii.gz",
    "$FSLDIR/a.nii.gz",
    "file:///data/a.nii.gz",
    "package:fakepackage/a.nii.gz",
    "package:fakepackage/data/a.nii.gz",
]


def read(path, *locations, mask="A_2mm") -> dict:
    """Write a table of these locations, and read it."""
    rows = [{"mask": mask, "location": location} for location in locations]
    return read_mirrors(write_table(path, rows, ["mask", "location"]), SCHEMA)


def reason(location: str) -> str:
    """Return why there is no copy at a location."""
    with pytest.raises(FetchError) as failure:
        Mirror(location).find()
    return str(failure.value)


@pytest.fixture
def copy(machine):
    """Return the path of a file in the home folder."""
    path = machine / "copies" / "a b.nii.gz"
    path.parent.mkdir()
    path.write_bytes(b"a copy")
    return path


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Put a package on the search path that fails when it is imported; return its folder."""
    folder = tmp_path / "site" / "fakepackage"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (folder / "data").mkdir()
    (folder / "data" / "a.nii.gz").write_bytes(b"a copy")
    monkeypatch.syspath_prepend(folder.parent)
    return folder


def test_order_of_the_table_is_kept(tmp_path):
    locations = [*LOCAL[::-1], *REMOTE, *LOCAL]
    assert read(tmp_path / "m.tsv", *locations) == {"A_2mm": [Mirror(each) for each in locations]}


def test_masks_may_stand_in_any_order(tmp_path):
    rows = [{"mask": mask, "location": f"/{n}"} for n, mask in enumerate(["B_2mm", "A_2mm"] * 2)]
    path = write_table(tmp_path / "m.tsv", rows, ["mask", "location"])
    assert read_mirrors(path, SCHEMA) == {
        "B_2mm": [Mirror("/0"), Mirror("/2")],
        "A_2mm": [Mirror("/1"), Mirror("/3")],
    }


def test_table_without_rows_is_no_mirrors(tmp_path):
    assert read(tmp_path / "m.tsv") == {}


@pytest.mark.parametrize("location", [*REMOTE, *LOCAL])
def test_location_is_accepted(tmp_path, location):
    assert read(tmp_path / "m.tsv", location)["A_2mm"] == [Mirror(location)]


@pytest.mark.parametrize(
    "location",
    [
        "",
        "ftp://example.org/a.nii.gz",
        "s3://bucket/a.nii.gz",
        "FTP://example.org/a.nii.gz",
        "file://host/a.nii.gz",
        "file://a.nii.gz",
        "file:/a.nii.gz",
        "file:a.nii.gz",
        "javascript:alert(1)",
        "https://",
        "https:///a.nii.gz",
        "https:/example.org/a.nii.gz",
        "https://example.org/a b.nii.gz",
        "https://example.org/a\x01b.nii.gz",
        "doi:",
        "doi:10.5281",
        "doi:11.5281/zenodo.1/a.nii.gz",
        "DOI:11.5281/zenodo.1/a.nii.gz",
        # Otherwise right, and not to be taken for paths on this machine.
        "DOI:10.5281/zenodo.1/a.nii.gz",
        "HTTPS://example.org/a.nii.gz",
        "Http://example.org/a.nii.gz",
        "package:",
        "package:fakepackage",
        "package:fakepackage/",
        "package:../a.nii.gz",
        "package:/a.nii.gz",
        "package:fake-package/a.nii.gz",
        "Package:fakepackage/a.nii.gz",
        "/data/a\x01b.nii.gz",
        "/data/a\x7fb.nii.gz",
    ],
)
def test_location_is_refused_with_line_column_value_and_expectation(tmp_path, location):
    with pytest.raises(RegistryError) as failure:
        read(tmp_path / "m.tsv", "/good", location)
    message = str(failure.value)
    assert "line 3" in message
    assert "column 'location'" in message
    assert (f"is {location!r}" if location else "is empty") in message
    assert "package:NAME/FILE" in message


@pytest.mark.parametrize(
    "mask", ["", "A", "A_2", "A_mm", "A_..mm", "../A_2mm", "a b_2mm", "A_2mm "]
)
def test_name_that_no_mask_can_have_is_refused(tmp_path, mask):
    with pytest.raises(RegistryError, match=r"line 2.*column 'mask'.*such as MNI152NLin6Asym_2mm"):
        read(tmp_path / "m.tsv", "/a", mask=mask)


def test_mirror_of_a_resolution_in_another_spelling_is_not_silently_lost(tmp_path):
    with pytest.raises(RegistryError, match=r"line 2.*column 'mask'"):
        read(tmp_path / "m.tsv", "/a", mask="A_2.0mm")


def test_misspelt_column_is_named_with_a_suggestion(tmp_path):
    path = write_table(tmp_path / "m.tsv", [], ["mask", "locaton"])
    with pytest.raises(RegistryError, match=r"line 1.*'locaton'.*did you mean 'location'\?"):
        read_mirrors(path, SCHEMA)


def test_masks_that_are_made_by_default_have_mirrors_of_both_kinds():
    mirrors = read_mirrors(REPO / "workflow" / "tables" / "mirrors.tsv", SCHEMA)
    for row in shipped_rows():
        each = mirrors[f"{row['space']}_{row['resolution']}mm"]
        assert {mirror.is_remote for mirror in each} == {True, False}


def test_remote_and_local_are_told_apart():
    mirrors = [Mirror(location) for pair in zip(LOCAL, REMOTE, strict=False) for location in pair]
    assert [mirror.is_remote for mirror in mirrors] == [False, True] * len(REMOTE)


@pytest.mark.parametrize(
    "location",
    [
        "{home}/copies/a b.nii.gz",
        "file://{home}/copies/a b.nii.gz",
        "~/copies/a b.nii.gz",
        "$COPIES/a b.nii.gz",
        "${{COPIES}}/a b.nii.gz",
        "${{HOME}}/copies/a b.nii.gz",
    ],
)
def test_copy_on_this_machine_is_found(machine, monkeypatch, copy, location):
    monkeypatch.setenv("COPIES", str(copy.parent))
    assert Mirror(location.format(home=machine)).find() == copy


def test_relative_copy_is_found_in_the_working_folder(monkeypatch, copy):
    monkeypatch.chdir(copy.parent)
    assert Mirror(copy.name).find().resolve() == copy


def test_missing_copy_is_named(machine):
    assert reason("~/nowhere.nii.gz") == f"{machine}/nowhere.nii.gz does not exist"


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize("location", ["$FSLDIR/a.nii.gz", "${FSLDIR}/data/a.nii.gz"])
def test_variable_that_is_not_set_or_empty_is_named(monkeypatch, location, value):
    if value is not None:
        monkeypatch.setenv("FSLDIR", value)
    assert reason(location) == "FSLDIR is not set"


def test_templateflow_home_is_where_the_variable_says(monkeypatch, copy):
    monkeypatch.setenv("TEMPLATEFLOW_HOME", str(copy.parent))
    assert Mirror(f"${{TEMPLATEFLOW_HOME}}/{copy.name}").find() == copy


@pytest.mark.parametrize("value", [None, ""])
def test_templateflow_home_has_templateflows_own_default(machine, monkeypatch, value):
    if value is not None:
        monkeypatch.setenv("TEMPLATEFLOW_HOME", value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(machine / "xdg"))
    path = machine / "xdg" / "templateflow" / "tpl-A" / "a.nii.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"a copy")
    assert Mirror("${TEMPLATEFLOW_HOME}/tpl-A/a.nii.gz").find() == path


def test_file_in_a_package_is_found_without_importing_it(package):
    path = Mirror("package:fakepackage/data/a.nii.gz").find()
    assert path == package / "data" / "a.nii.gz"


def test_file_in_a_package_without_init_is_found(package):
    (package / "__init__.py").unlink()
    assert Mirror("package:fakepackage/data/a.nii.gz").find() == package / "data" / "a.nii.gz"


def test_absent_package_is_named():
    assert "fakepackage is not installed" in reason("package:fakepackage/data/a.nii.gz")


def test_package_without_that_file_is_named(package):
    message = reason("package:fakepackage/data/b.nii.gz")
    assert "fakepackage has no data/b.nii.gz" in message


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("~nobody-of-that-name/a.nii.gz", id="home of nobody"),
        pytest.param(f"/{'a' * 300}/a.nii.gz", id="name too long"),
        pytest.param("package:os/a.nii.gz", id="module that is no package"),
        pytest.param(f"package:fakepackage/{'a' * 300}", id="name too long in a package"),
    ],
)
def test_location_that_cannot_be_looked_at_is_a_reason_and_no_crash(package, location):
    assert reason(location)


@pytest.mark.parametrize(
    ("location", "remedy"),
    [
        ("package:fakepackage/data/a.nii.gz", "pip install --no-deps fakepackage"),
        ("/data/a.nii.gz", None),
        ("https://example.org/a.nii.gz", None),
    ],
)
def test_remedy_is_a_command_where_there_is_one(location, remedy):
    assert Mirror(location).remedy == remedy


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("package:fakepackage/data/a.nii.gz", "fakepackage's copy"),
        ("${FSLDIR}/data/standard/a.nii.gz", "the copy in $FSLDIR"),
        ("$FSLDIR/a.nii.gz", "the copy in $FSLDIR"),
        ("/data/b/a b.nii.gz", "the file a b.nii.gz"),
        ("file:///data/a.nii.gz", "the file a.nii.gz"),
        ("HTTPS://anne:secret@Example.org:8000/a/b.nii.gz?token=1", "example.org"),
        ("https://[/a.nii.gz", "a URL"),
        ("DOI:10.5281/zenodo.1/a.nii.gz", "DOI:10.5281/zenodo.1"),
    ],
)
def test_place_is_whose_copy_it_is_or_on_which_server(location, place):
    assert Mirror(location).place == place
