# SPDX-License-Identifier: MIT
"""The part of the tutorial that is on a cluster, after the parts before it."""


def test_tutorial_can_be_followed_to_the_letter_on_a_cluster(slurm, reader):
    for part in ("first-mask", "in-my-workflow", "check-my-lesions"):
        reader.follow(part)
    # Also what the part before has left is made on a node.
    reader.run("rm -r aligned checks results")
    before = slurm.next_job()
    reader.follow("on-my-cluster")
    # Two jobs of the images, and the host's own.
    assert slurm.next_job() - before == 3
    assert (reader.folder / "results" / "sub-01.txt").read_text() == "123 of 123 voxels are brain\n"
