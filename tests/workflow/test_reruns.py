# SPDX-License-Identifier: MIT
"""No needless and no missed work: what runs again after a change, and what does not."""

import itertools
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import (
    COLUMNS,
    REPO,
    Server,
    Workflow,
    copied_repository,
    module,
    served_repository,
    sha256,
    tiny_mask,
    write_table,
)

ENTRY = str(REPO / "Snakefile")
A_JOBS = {"download:A_2mm", "checksum:A_2mm", "validate:A_2mm"}


class Way(Workflow):
    """A working folder that asks for masks A and B, standalone or through a module."""

    prefix = ""

    def __init__(self, folder: Path, table: Path) -> None:
        super().__init__(folder)
        self.config = {"registry": str(table), "mirrors": False, "masks": ["A_2mm", "B_2mm"]}
        self.use(ENTRY)

    def use(self, snakefile: str) -> None:
        """Take this workflow from another place."""
        self.snakefile = snakefile

    def again(self) -> set[str]:
        """Return the jobs of a dry run under the names of the rules in this workflow."""
        return {job.removeprefix("bm_") for job in self.jobs()}

    def register(self, *rows: dict) -> None:
        """Write another registry."""
        write_table(Path(self.config["registry"]), rows)

    def mask(self, name: str) -> Path:
        return self.folder / self.prefix / "masks" / f"{name}.nii.gz"

    def sidecar_path(self, name: str) -> Path:
        """Return the path of the sidecar of a published mask."""
        return self.folder / self.prefix / "masks" / f"{name}.json"


class Standalone(Way):
    """The Snakefile of this repository."""


class Module(Way):
    """A host workflow that keeps the masks below a prefix."""

    prefix = "ext"

    def use(self, snakefile: str) -> None:
        self.snakefile = None
        asked = "expand('ext/masks/{mask}.{end}', mask=config['masks'], end=('nii.gz', 'json'))"
        taken = module(repr(snakefile), config="config", prefix="'ext'")
        (self.folder / "Snakefile").write_text(f"rule all:\n    input: {asked}\n\n{taken}\n")


@dataclass
class Finished:
    """A complete run of both masks, and what it was made from."""

    way: type[Way]
    folder: Path
    rows: list[dict]


@pytest.fixture(scope="module", params=[Standalone, Module], ids=["standalone", "module"])
def finished(request, tmp_path_factory) -> Iterator[Finished]:
    """Make both masks once; tests work on copies."""
    folder = tmp_path_factory.mktemp("finished")
    server = Server()
    rows = []
    for seed, space in enumerate("AB"):
        data, row = tiny_mask(space, seed=seed)
        server.files[f"/{space}.nii.gz"] = data
        rows.append(row | {"url": f"{server.url}/{space}.nii.gz"})
    (folder / "work").mkdir()
    run = request.param(folder / "work", write_table(folder / "masks.tsv", rows))
    run.succeed(HOME=folder, LACUNA_CACHE_DIR=folder / "lacuna")
    yield Finished(request.param, folder / "work", rows)
    server.close()


@pytest.fixture
def rows(finished) -> list[dict]:
    """Return the registered rows of A and B, to be changed."""
    return [dict(row) for row in finished.rows]


@pytest.fixture
def fresh(finished, rows, tmp_path) -> Way:
    """Return an empty working folder that asks for both masks."""
    (tmp_path / "work").mkdir()
    return finished.way(tmp_path / "work", write_table(tmp_path / "masks.tsv", rows))


@pytest.fixture
def done(finished, fresh) -> Way:
    """Return a working folder with both masks, made by a run that was complete."""
    shutil.copytree(finished.folder, fresh.folder, dirs_exist_ok=True)
    fresh.use(ENTRY)
    return fresh


@pytest.fixture
def done_by_url(fresh, server, tmp_path) -> Way:
    """Return a working folder with both masks, made by this workflow from a URL."""
    url = served_repository(server, tmp_path / "copy")
    fresh.use(f"{url}/Snakefile")
    fresh.succeed()
    return fresh


def test_nothing_changed(done):
    assert done.again() == set()


def test_added_row_concerns_no_other_mask(done, rows):
    done.register(rows[0], rows[0] | {"space": "C"}, rows[1])
    assert done.again() == set()


def test_order_of_rows_and_columns_means_nothing(done, rows):
    write_table(Path(done.config["registry"]), rows[::-1], COLUMNS[::-1])
    assert done.again() == set()


def test_mirrors_are_no_reason_to_fetch_again(done, tmp_path):
    mirrors = [{"mask": "A_2mm", "location": f"/copies/{n}.nii.gz"} for n in "12"]
    table = tmp_path / "mirrors.tsv"
    done.config["mirrors"] = str(table)
    for order in itertools.permutations(mirrors):
        write_table(table, order, ["mask", "location"])
        assert done.again() == set()


def test_description_means_nothing(done, rows):
    done.register(rows[0] | {"description": "reworded"}, rows[1])
    assert done.again() == set()


def test_cache_folder_means_nothing(done, tmp_path):
    done.config["cache_dir"] = str(tmp_path / "other")
    assert done.again() == set()


def test_other_file_is_fetched_and_validated(done, rows):
    _, other = tiny_mask("A", seed=7)
    done.register(other | {"url": rows[0]["url"]}, rows[1])
    assert done.again() == A_JOBS


@pytest.mark.parametrize(("column", "value"), [("voxels", "99"), ("url", "http://[::1]:1/A")])
def test_changed_cell_makes_its_mask_again(done, rows, column, value):
    done.register(rows[0] | {column: value}, rows[1])
    assert done.again() == A_JOBS


def test_changed_licence_makes_the_sidecar_again(done, rows):
    done.register(rows[0] | {"license": "CC-BY-4.0"}, rows[1])
    again = done.again()
    assert "validate:A_2mm" in again
    assert again <= A_JOBS


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        ("nifti/checks.py", {"validate:A_2mm", "validate:B_2mm"}),
        ("masks/sidecar.py", {"validate:A_2mm", "validate:B_2mm"}),
        ("../validate.py", {"validate:A_2mm", "validate:B_2mm"}),
        ("registry/metadata.py", {"validate:A_2mm", "validate:B_2mm"}),
        ("storage/gzip_stream.py", {"validate:A_2mm", "validate:B_2mm"}),
        ("fetching/http.py", set()),
        ("qc/mask_picture.py", set()),
    ],
)
def test_changed_code_validates_every_mask_again_and_fetches_none(done, tmp_path, changed, again):
    copy = copied_repository(tmp_path / "copy")
    with (copy / "scripts" / "brainmasks" / changed).open("a") as file:
        file.write("\nCHANGED = True\n")
    done.use(str(copy / "Snakefile"))
    assert done.again() == again


def test_line_ends_of_the_code_mean_nothing(done, tmp_path):
    """A server that hands out text may end lines in its own way, or cut the last line end."""
    copy = copied_repository(tmp_path / "copy")
    for path in (copy / "scripts").rglob("*.py"):
        path.write_bytes(path.read_bytes().rstrip().replace(b"\n", b"\r\n"))
    done.use(str(copy / "Snakefile"))
    assert done.again() == set()


def test_fresh_clone_elsewhere_triggers_no_rerun(done, tmp_path):
    copy = copied_repository(tmp_path / "copy")
    newest = max(path.stat().st_mtime for path in done.folder.rglob("*.nii.gz"))
    assert (copy / "scripts" / "validate.py").stat().st_mtime > newest
    done.use(str(copy / "Snakefile"))
    assert done.again() == set()


def test_same_url_again_triggers_no_rerun(done_by_url):
    assert done_by_url.again() == set()


def test_overwritten_mask_is_published_again(done, rows):
    done.mask("A_2mm").write_bytes(b"garbage")
    assert done.again() == {"validate:A_2mm"}
    done.succeed()
    assert sha256(done.mask("A_2mm")) == rows[0]["sha256"]
    assert "Nothing to be done" in done.succeed()


def test_overwritten_mask_is_published_again_by_a_url_too(done_by_url):
    done_by_url.mask("A_2mm").write_bytes(b"garbage")
    assert done_by_url.again() == {"validate:A_2mm"}


def test_files_that_were_there_before_are_replaced(fresh, rows):
    fresh.mask("A_2mm").parent.mkdir(parents=True)
    fresh.mask("A_2mm").write_bytes(b"garbage")
    fresh.mask("B_2mm").write_bytes(b"garbage")
    fresh.sidecar_path("B_2mm").write_text("{}")
    fresh.succeed()
    for name, row in zip(("A_2mm", "B_2mm"), rows, strict=True):
        assert sha256(fresh.mask(name)) == row["sha256"]
        assert json.loads(fresh.sidecar_path(name).read_text())["SHA256"] == row["sha256"]
    assert fresh.again() == set()


def test_mask_that_is_no_longer_available_is_not_left_behind(done, rows):
    done.register(rows[0] | {"sha256": "0" * 64, "content_sha256": "1" * 64}, rows[1])
    done.fail()
    assert not done.mask("A_2mm").exists()
    assert not done.sidecar_path("A_2mm").exists()
    assert sha256(done.mask("B_2mm")) == rows[1]["sha256"]
    assert done.sidecar_path("B_2mm").exists()
