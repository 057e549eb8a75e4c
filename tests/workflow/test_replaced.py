# SPDX-License-Identifier: MIT
"""Another process replaces files between the steps of a run: nothing wrong is used or published."""

import gzip
import json
import threading
from contextlib import suppress

import pytest
from support import tiny_mask

from brainmasks import BrainMaskMetadata, FetchError, InvalidMaskError, compare_to_mask
from brainmasks.fetching import Origin
from brainmasks.masks import checksum, validate

# A rule of a host that replaces a file once the mask was validated, and before it is used.
SABOTAGE = """
rule sabotage:
    input: "masks/A_2mm.nii.gz"
    output: "sabotaged.txt"
    shell: "cp {wrong} {input} && touch -r masks/A_2mm.json {input} {output}"
"""


@pytest.fixture
def bench_mask(tmp_path):
    """Return the metadata of a tiny mask, its bytes, and the same content packed differently."""
    data, row = tiny_mask("A")
    mask = BrainMaskMetadata.from_row(row | {"url": "https://example.org/A"})
    return mask, data, gzip.compress(gzip.decompress(data), 9, mtime=0)


def test_file_that_is_replaced_after_its_checksum_is_not_published(bench, bench_mask):
    """The same content in other bytes: the sidecar would state a SHA-256 that was not verified."""
    mask, _, packed = bench_mask
    bench.run()
    bench.mask.unlink()
    bench.raw.write_bytes(packed)
    with pytest.raises(InvalidMaskError, match=r"has SHA-256 .* expected"):
        validate("A_2mm", mask, "0", bench.raw, bench.origin, bench.mask, bench.sidecar)
    with pytest.raises(InvalidMaskError, match=r"has SHA-256 .* expected"):
        checksum(mask, bench.raw, bench.origin, bench.checksum)
    assert not bench.mask.exists()


def test_note_of_other_bytes_is_not_believed(bench, bench_mask):
    mask, _, packed = bench_mask
    bench.run()
    bench.mask.unlink()
    origin = Origin("elsewhere", recoded=False, verified_by="content_sha256")
    bench.origin.write_text(json.dumps(origin.note(bench.row["sha256"])))
    bench.raw.write_bytes(packed)
    with pytest.raises(InvalidMaskError, match="is the note of other bytes"):
        validate("A_2mm", mask, "0", bench.raw, bench.origin, bench.mask, bench.sidecar)
    assert not bench.mask.exists()


@pytest.mark.parametrize("target", ["checks/images.tsv", "checks/same.json"])
def test_images_are_not_counted_against_a_mask_that_was_replaced(
    workflow, images, tmp_path, target
):
    images("same")
    workflow.succeed(target)
    wrong, _ = tiny_mask("A", seed=9)
    # Damaged while the job waits: the planning of the run saw the right one.
    copy = tmp_path / "wrong.nii.gz"
    copy.write_bytes(wrong)
    snakefile = workflow.folder / "Snakefile"
    consumer = {"checks/images.tsv": "check_images", "checks/same.json": "check_image"}[target]
    snakefile.write_text(
        f"""
module bm:
    snakefile: {str(workflow.snakefile)!r}
    config: config

use rule * from bm as bm_*

{SABOTAGE.replace("{wrong}", str(copy))}

use rule {consumer} from bm as bm_{consumer} with:
    input:
        images="lesions/same.nii.gz",
        image="lesions/same.nii.gz",
        masks=["masks/A_2mm.nii.gz"],
        mask="masks/A_2mm.nii.gz",
        sabotaged="sabotaged.txt",
"""
    )
    workflow.snakefile = snakefile
    printed = workflow.fail(target, "--forcerun", f"bm_{consumer}")
    assert "is not the registered mask any more" in printed


def test_comparison_beside_a_writer_is_always_with_the_registered_mask(real, cache, monkeypatch):
    """The cached file is replaced all the time; what was verified is what is compared with."""
    monkeypatch.setenv("BRAINMASKS_OFFLINE", "1")
    genuine = real / "registered" / "MNI152NLin6Asym_2mm_desc-brain_mask.nii.gz"
    right = genuine.read_bytes()
    wrong = next((real / "lookalikes").glob("MNITemplate_*2mm*")).read_bytes()
    cache.mkdir(parents=True)
    stop = threading.Event()

    def write() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            new = cache / "new"
            new.write_bytes(wrong if turn % 3 else right)
            new.replace(cache / genuine.name)

    writer = threading.Thread(target=write)
    writer.start()
    answers = []
    try:
        for _ in range(60):
            # Where the wrong one was cached just then, nobody may be asked.
            with suppress(FetchError):
                answers.append(compare_to_mask(genuine, "MNI152NLin6Asym_2mm").voxels_inside)
    finally:
        stop.set()
        writer.join()
    assert set(answers) == {228483}
