# SPDX-License-Identifier: MIT
"""Requests that cannot be served: one clear message, no traceback, nothing published."""

import gzip

import pytest
from support import REPO, tiny_mask, write_table


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("MNI152Nlin6Asym_2mm.nii.gz", "did you mean MNI152NLin6Asym_2mm?"),
        ("MNI152NLin6Asym_3mm.nii.gz", "MNI152NLin6Asym_2mm"),
        ("MNI152NLin6Asym_2.0mm.nii.gz", "did you mean MNI152NLin6Asym_2mm?"),
        ("Talairach_2mm.nii.gz", "Registered: MNI152NLin6Asym_1mm, "),
        ("MNI152NLin6Asym.nii.gz", "MNI152NLin6Asym_"),
        ("MNI152Nlin6Asym_2mm.json", "did you mean MNI152NLin6Asym_2mm?"),
    ],
)
def test_unregistered_mask(workflow, target, words, dry_run):
    printed = workflow.fail(f"masks/{target}", *dry_run)
    assert f"no mask is registered for '{target.split('.nii')[0].removesuffix('.json')}'" in printed
    assert words in printed
    assert "MissingRuleException" not in printed
    assert printed.count("no mask is registered") == 1


def test_unregistered_mask_in_the_configuration(workflow):
    workflow.config = {"masks": ["MNI152NLin6Asym_2mm", "MNI152Nlin6Asym_1mm"]}
    printed = workflow.fail("--dry-run")
    assert "did you mean MNI152NLin6Asym_1mm?" in printed


def test_wrong_row_is_one_message_without_traceback(workflow, tmp_path):
    _, row = tiny_mask("A")
    table = write_table(tmp_path / "masks.tsv", [row | {"url": "ftp://x/y", "sha256": ""}])
    workflow.config = {"registry": str(table), "masks": []}
    printed = workflow.fail("--dry-run")
    assert f"{table}, line 2 (A 2 mm), column 'url' is 'ftp://x/y'; expected:" in printed
    assert "column 'sha256' is empty" in printed


def test_duplicate_in_an_extra_registry_names_both_places(workflow, tmp_path):
    _, row = tiny_mask("MNI152NLin6Asym")
    table = write_table(tmp_path / "mine.tsv", [row | {"url": "https://example.org/x"}])
    workflow.config = {"extra_registries": [str(table)]}
    printed = workflow.fail("--dry-run")
    assert "MNI152NLin6Asym_2mm is registered twice" in printed
    assert f"{table}, line 2" in printed
    assert "config/masks.tsv, line 3" in printed


def test_alias_in_a_row_names_both_places(workflow, tmp_path):
    _, row = tiny_mask("MNI152NLin2009aAsym")
    table = write_table(tmp_path / "mine.tsv", [row | {"url": "https://example.org/x"}])
    workflow.config = {"extra_registries": [str(table)]}
    printed = workflow.fail("--dry-run")
    assert f"{table}, line 2" in printed
    assert "`aliases`" in printed


def test_own_aliases_replace_the_shipped_ones(workflow, tiny):
    workflow.config["aliases"] = {"Alpha": "A"}
    workflow.succeed("masks/Alpha_2mm.nii.gz")
    assert workflow.sidecar("Alpha_2mm")["SpaceServed"] == "A"
    assert "no mask is registered" in workflow.fail("masks/MNI152NLin2009aAsym_2mm.nii.gz", "-n")


def test_resolution_with_a_fraction_is_a_name(workflow, server, tmp_path):
    data, row = tiny_mask("MNI152NLin6Asym", 0.7)
    server.files["/x"] = data
    table = write_table(tmp_path / "mine.tsv", [row | {"url": f"{server.url}/x"}])
    workflow.config = {"extra_registries": [str(table)]}
    workflow.succeed("masks/MNI152NLin6Asym_0.7mm.nii.gz")
    assert workflow.sidecar("MNI152NLin6Asym_0.7mm")["Resolution"] == "0.7 mm isotropic"


def test_failing_check_lists_all_problems_in_one_line(workflow, tiny, tmp_path):
    """The right hash, but a row that describes another mask: all of it is said at once."""
    row = tiny[0] | {"shape": "6x7x6", "origin": "-6,-8,-4.5", "voxels": "1"}
    workflow.config["registry"] = str(write_table(tmp_path / "wrong.tsv", [row, tiny[1]]))
    printed = workflow.fail("masks/A_2mm.nii.gz")
    errors = [line for line in printed.splitlines() if line.startswith("ERROR")]
    assert len(errors) == 1
    for words in ("mask A_2mm", "its shape is", "its affine is", "voxels are 1, registered 1"):
        assert words in errors[0]
    assert not list((workflow.folder / "masks").glob("*"))


def test_wrong_bytes_leave_nothing_behind(workflow, tiny, server, cache):
    server.files["/A.nii.gz"] = gzip.compress(b"another file")
    printed = workflow.fail("masks/A_2mm.nii.gz")
    assert f"expected SHA-256 {tiny[0]['sha256']}, found " in printed
    assert not list((workflow.folder / "masks").glob("*"))
    assert not list((workflow.folder / "resources" / "masks").glob("*"))
    assert not cache.exists() or not list(cache.iterdir())


def test_defect_of_a_script_leaves_its_traceback_in_the_log(workflow, tiny, tmp_path):
    """A broken installation of a library is no expected failure."""
    broken = tmp_path / "site"
    broken.mkdir()
    (broken / "nibabel.py").write_text("raise RuntimeError('broken on purpose')\n")
    printed = workflow.fail("masks/A_2mm.nii.gz", PYTHONPATH=broken)
    assert "ERROR: mask A_2mm: unexpected RuntimeError: broken on purpose" in printed
    log = (workflow.folder / "logs/masks/A_2mm.validate.log").read_text()
    assert "Traceback (most recent call last)" in log


def test_defect_of_one_source_keeps_no_other_from_being_tried(workflow, tiny, server, tmp_path):
    broken = tmp_path / "site"
    broken.mkdir()
    (broken / "pooch.py").write_text("raise RuntimeError('broken on purpose')\n")
    printed = workflow.fail("masks/A_2mm.nii.gz", PYTHONPATH=broken)
    assert "(2) registered URL" in printed
    assert "unexpected RuntimeError: broken on purpose" in printed
    log = (workflow.folder / "logs/masks/A_2mm.download.log").read_text()
    assert "Traceback (most recent call last)" in log


@pytest.mark.parametrize("note", [b"", b"{", b"[]", b'{"location": "x"}'])
def test_damaged_note_of_the_origin_is_mended(workflow, tiny, note):
    workflow.succeed("masks/A_2mm.nii.gz")
    path = workflow.folder / "resources" / "masks" / "A_2mm.origin.json"
    path.write_bytes(note)
    workflow.succeed("masks/A_2mm.nii.gz")
    assert b"location" in path.read_bytes()
    assert workflow.jobs("masks/A_2mm.nii.gz") == set()


def test_sidecar_that_was_edited_is_made_again(workflow, tiny):
    workflow.succeed("masks/A_2mm.nii.gz")
    before = workflow.sidecar("A_2mm")
    path = workflow.folder / "masks" / "A_2mm.json"
    path.write_text(path.read_text().replace(f'"Voxels": {before["Voxels"]}', '"Voxels": 1'))
    workflow.succeed("masks/A_2mm.nii.gz")
    assert workflow.sidecar("A_2mm") == before


@pytest.mark.parametrize("url", ["https://[::1/x", "http://127.0.0.1:99999/x", "http://:80/x"])
def test_url_that_cannot_be_is_named_when_the_table_is_read(workflow, tiny, tmp_path, url):
    table = write_table(tmp_path / "wrong.tsv", [tiny[0] | {"url": url}])
    workflow.config |= {"registry": str(table), "masks": []}
    assert f"{table}, line 2 (A 2 mm), column 'url' is '{url}'" in workflow.fail("--dry-run")
    rows = [{"mask": "A_2mm", "location": url}]
    mirrors = write_table(tmp_path / "m.tsv", rows, ["mask", "location"])
    workflow.config |= {
        "registry": str(write_table(tmp_path / "right.tsv", tiny)),
        "mirrors": str(mirrors),
    }
    assert f"{mirrors}, line 2, column 'location' is '{url}'" in workflow.fail("--dry-run")


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]], ids=["run", "dry-run"])
@pytest.mark.parametrize("target", ["checks/sam.json", "aligned/sam.nii.gz", "aligned/sam.json"])
def test_unlisted_image_is_named_with_the_closest_one(workflow, images, target, dry_run):
    images("same", "las")
    printed = workflow.fail(target, *dry_run)
    words = "no image of config key 'images' has the id 'sam'; did you mean same?"
    assert words in printed
    assert printed.count("has the id 'sam'") == 1
    assert "MissingRuleException" not in printed


def test_image_without_a_table_of_images(workflow, tiny):
    for target in ("checks/sam.json", "aligned/sam.nii.gz"):
        printed = workflow.fail(target, "--dry-run")
        assert "no image has the id 'sam': config key 'images' is not set" in printed
        assert "MissingRuleException" not in printed


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("masks/A_2mm.nii", "did you mean masks/A_2mm.nii.gz?"),
        ("mask/A_2mm.nii.gz", "did you mean masks/A_2mm.nii.gz?"),
        ("mask/A_2.0mm.nii", "did you mean masks/A_2mm.nii.gz?"),
        ("mask/avg152T1.nii.gz", "and none is registered for 'avg152T1'"),
    ],
)
def test_file_that_is_never_made_is_answered_with_the_one_that_is(workflow, tiny, target, words):
    printed = workflow.fail(target)
    assert f"masks are gzipped files below masks{':' * words.startswith('did')}" in printed
    assert words in printed


def test_file_that_is_never_made_here_may_be_made_by_a_host(workflow, tiny):
    workflow.snakefile = workflow.folder / "Snakefile"
    workflow.snakefile.write_text(f"""
module bm:
    snakefile: {str(REPO / "workflow" / "Snakefile")!r}
    config: config

use rule * from bm as bm_*

rule unpack:
    input: "masks/{{mask}}.nii.gz"
    output: "masks/{{mask}}.nii"
    shell: "gunzip -c {{input}} > {{output}}"
""")
    printed = workflow.succeed("masks/A_2mm.nii")
    assert "did you mean" not in printed
    assert (workflow.folder / "masks" / "A_2mm.nii").stat().st_size == 352 + 6 * 7 * 5
