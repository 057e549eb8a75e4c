# SPDX-License-Identifier: MIT
"""A host's own files in our folders, however many of its rules consume them."""

import re

import pytest
from hosting import make_twice
from support import rule_all, sha256

from brainmasks import BRAIN_MASK_REGISTRY

# Three rules that consume what one rule of the host makes for every subject.
CONSUMERS = """
rule segment:
    input: "scans/{sub}.txt"
    output: "masks/{sub}.nii.gz", "masks/{sub}.json", "qc/{sub}.png"
    shell: "echo {wildcards.sub} | tee {output}"

rule measure:
    input: "masks/{sub}.nii.gz", "masks/{sub}.json", "qc/{sub}.png"
    output: "{sub}.measured"
    shell: "cat {input} > {output}"

use rule measure as count with:
    output: "{sub}.counted"

use rule measure as list with:
    output: "{sub}.listed"
"""
# As in BIDS; with a size, which the names of masks have; and another one.
SUBJECTS = ["sub-01", "sub-01_space-MNI152NLin6Asym_res-2mm", "patient_2mm", "lesion"]


@pytest.mark.parametrize("rules_of_host", [2, 3])
@pytest.mark.parametrize("ours", [[], ["masks/A_2mm.nii.gz", "qc/A_2mm.png"]], ids=["host", "both"])
def test_several_rules_consume_files_of_the_host(host, tiny, rules_of_host, ours):
    (host.folder / "scans").mkdir()
    for sub in SUBJECTS:
        (host.folder / "scans" / f"{sub}.txt").touch()
    suffixes = ["measured", "counted", "listed"][:rules_of_host]
    targets = [f"{sub}.{suffix}" for sub in SUBJECTS for suffix in suffixes]
    host.write(rule_all(*targets, *ours), CONSUMERS, host.module())
    printed = make_twice(host)
    for words in ("Ambiguous", "registered", "InputFunctionException"):
        assert words not in printed
    for sub in SUBJECTS:
        assert (host.folder / f"{sub}.measured").read_text() == f"{sub}\n" * 3
    if ours:
        assert sha256(host.mask("A_2mm")) == tiny[0]["sha256"]


@pytest.mark.parametrize("target", ["masks/sub-02.nii.gz", "masks/sub-02.json", "qc/sub-02.png"])
def test_what_nobody_makes_is_no_mask_of_ours(host, target):
    host.write(rule_all(target), CONSUMERS, host.module())
    printed = host.fail("--dry-run")
    assert "scans/sub-02.txt" in printed
    assert "registered" not in printed


def test_answer_that_takes_the_place_of_an_input_ends_with_a_whole_word(host):
    """It may be no longer than the name of a file; many masks are registered."""
    host.write(rule_all(), CONSUMERS, host.module(config="{}"))
    printed = host.fail("--dry-run", "masks/MNI152NLin6Asym_2m.nii.gz")
    listed = re.search(r"did you mean MNI152NLin6Asym_2mm .*Registered: (.*), \.\.\.\n", printed)[1]
    assert listed == ", ".join(list(BRAIN_MASK_REGISTRY)[: listed.count(",") + 1])


OVERWRITTEN = {
    "validate": ('"own/{mask}.nii.gz"', 'output: mask="...", sidecar="..."'),
    "put_on_grid": ('mask="own/{mask}_on_{grid}.nii.gz"', 'output: mask="...", sidecar="..."'),
    "align_image": ('"own/{id}.nii.gz", "own/{id}.json"', 'output: image="...", sidecar="..."'),
    "check_image": ('"own/{id}.json"', 'output: details="..."'),
    "accept_shown_images": (
        '"own/images.tsv", "own/images.json"',
        'output: table="...", details="..."',
    ),
}


@pytest.mark.parametrize("rule", OVERWRITTEN)
def test_output_without_its_name_is_one_sentence(host, rule):
    output, expected = OVERWRITTEN[rule]
    overwritten = f"use rule {rule} from brain_masks as bm_{rule} with:\n    output: {output}"
    host.write(rule_all("masks/A_2mm.nii.gz"), host.module(), overwritten)
    printed = host.fail("--dry-run")
    assert f"bm_{rule}: what overwrites its output has to name the files that its script" in printed
    assert f"`{expected}`" in printed
    assert "AttributeError" not in printed


SENTENCES = {
    'output: mask="own/brain.nii.gz", sidecar="own/brain.json"\n    log: "own/brain.log"': (
        "what overwrites its output has to keep the wildcard {mask}"
    ),
    'output: mask="own/{mask}.nii", sidecar="own/{mask}.json"': (
        "what overwrites its output has to end in .nii.gz"
    ),
    "log: []": "what overwrites its log has to name a file",
}


@pytest.mark.parametrize("overwriting", SENTENCES)
def test_what_a_script_cannot_do_without_is_one_sentence(host, overwriting):
    overwritten = f"use rule validate from brain_masks as bm_validate with:\n    {overwriting}"
    host.write(rule_all("masks/A_2mm.nii.gz"), host.module(), overwritten)
    printed = host.fail("--dry-run")
    assert f"bm_validate: {SENTENCES[overwriting]}" in printed
    for words in ("AttributeError", "IndexError"):
        assert words not in printed


def test_mask_that_is_published_twice_is_watched_in_both_places(host, tiny):
    """In any order of the outputs, and with the damage found that each of them has."""
    second = (
        "use rule validate from brain_masks as own_validate with:\n"
        '    output: sidecar="own/{mask}.json", mask="own/{mask}.nii.gz"'
    )
    paths = ["masks/A_2mm.nii.gz", "own/A_2mm.nii.gz"]
    host.write(rule_all(*paths), host.module(), second)
    make_twice(host)
    for path in paths:
        (host.folder / path).write_bytes(b"damaged")
        assert f"{path}" in host.succeed()
        assert [sha256(host.folder / each) for each in paths] == [tiny[0]["sha256"]] * 2
