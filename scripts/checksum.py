# SPDX-License-Identifier: MIT
"""Verify the file of one mask in the working folder, and write its checksum."""

import sys


def main(job) -> None:
    """Run the job that Snakemake describes."""
    from brainmasks.job_log import job_log
    from brainmasks.masks import checksum
    from brainmasks.registry import BrainMaskMetadata

    with job_log(job.log[0], f"mask {job.wildcards.mask}"):
        checksum(
            mask=BrainMaskMetadata.from_row(job.params.row),
            mask_path=job.input.mask,
            origin_path=job.input.origin,
            checksum_path=job.output.checksum,
        )


if __name__ == "__main__":
    # Ours, whatever other version of brainmasks is installed.
    sys.path.insert(0, snakemake.scriptdir)  # noqa: F821, provided by Snakemake
    main(snakemake)  # noqa: F821, provided by Snakemake
