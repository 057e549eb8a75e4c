# SPDX-License-Identifier: MIT
"""The tutorial, but for its part on a cluster: see tests/cluster/test_on_my_cluster.py."""


def test_tutorial_can_be_followed_to_the_letter(reader):
    for part in ("first-mask", "in-my-workflow", "check-my-lesions", "my-own-mask"):
        reader.follow(part)
    made = {str(path.relative_to(reader.folder)) for path in reader.folder.glob("*/*")}
    assert {
        "masks/MNI152NLin6Asym_2mm_desc-inner.nii.gz",
        "qc/sub-01.png",
        "qc/images.html",
    } <= made
