# SPDX-License-Identifier: MIT
"""Publish one mask and its sidecar if the mask passes every check."""

import sys


def main(job) -> None:
    """Run the job that Snakemake describes."""
    from brainmasks.job_log import job_log
    from brainmasks.masks import validate
    from brainmasks.registry import BrainMaskMetadata

    with job_log(job.log[0], f"mask {job.wildcards.mask}", job.params.quiet):
        validate(
            asked=job.wildcards.mask,
            mask=BrainMaskMetadata.from_row(job.params.row),
            code=job.params.code,
            mask_path=job.input.mask,
            origin_path=job.input.origin,
            published_path=job.output.mask,
            sidecar_path=job.output.sidecar,
        )


if __name__ == "__main__":
    # Ours, whatever other version of brainmasks is installed.
    sys.path.insert(0, snakemake.scriptdir)  # noqa: F821, provided by Snakemake
    main(snakemake)  # noqa: F821, provided by Snakemake
