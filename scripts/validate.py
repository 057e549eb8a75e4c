"""Publish one mask and its sidecar if the mask passes every check."""

import sys

if "snakemake" in globals():
    # Ours, whatever other version of brainmasks is installed.
    sys.path.insert(0, snakemake.scriptdir)  # noqa: F821, provided by Snakemake

from brainmasks.job import job_log
from brainmasks.steps import validate


def main(job) -> None:
    """Run the job that Snakemake describes."""
    with job_log(job.log[0], f"mask {job.wildcards.mask}"):
        validate(
            asked=job.wildcards.mask,
            row=job.params.row,
            mask_path=job.input.mask,
            origin_path=job.input.origin,
            published_path=job.output.mask,
            sidecar_path=job.output.sidecar,
        )


if __name__ == "__main__":
    main(snakemake)  # noqa: F821, provided by Snakemake
