# SPDX-License-Identifier: MIT
"""Check one image against its mask."""

import sys


def main(job) -> None:
    """Run the job that Snakemake describes."""
    from brainmasks.images import OntoGrid, Policy, PublishedMask, check_image
    from brainmasks.job_log import job_log
    from brainmasks.registry import BrainMaskRegistry

    with job_log(job.log[0], f"image {job.wildcards.id}"):
        check_image(
            name=job.wildcards.id,
            entry=job.params.entry,
            mask=PublishedMask.from_row(job.params.row, job.input.mask),
            registry=BrainMaskRegistry.from_rows(job.params.registered, job.params.aliases),
            policy=Policy(job.params.accept, job.params.refuse),
            onto_grid=OntoGrid(**job.params.onto_grid),
            min_inside=job.params.min_inside,
            details_path=job.output.details,
        )


if __name__ == "__main__":
    # Ours, whatever other version of brainmasks is installed.
    sys.path.insert(0, snakemake.scriptdir)  # noqa: F821, provided by Snakemake
    main(snakemake)  # noqa: F821, provided by Snakemake
