"""Verify the file of one mask in the working folder, and write its checksum."""

import sys

if "snakemake" in globals():
    # Ours, whatever other version of brainmasks is installed.
    sys.path.insert(0, snakemake.scriptdir)  # noqa: F821, provided by Snakemake

from brainmasks.job import job_log
from brainmasks.steps import checksum


def main(job) -> None:
    """Run the job that Snakemake describes."""
    with job_log(job.log[0], f"mask {job.wildcards.mask}"):
        checksum(
            row=job.params.row,
            mask_path=job.input.mask,
            origin_path=job.input.origin,
            checksum_path=job.output.checksum,
        )


if __name__ == "__main__":
    main(snakemake)  # noqa: F821, provided by Snakemake
