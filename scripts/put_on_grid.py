# SPDX-License-Identifier: MIT
"""Publish one mask on another grid if it passes every check."""

import sys


def main(job) -> None:
    """Run the job that Snakemake describes."""
    from brainmasks.images import grid_of_image
    from brainmasks.job_log import job_log
    from brainmasks.masks import put_on_grid
    from brainmasks.registry import BrainMaskMetadata, KnownGrid, TargetGrid

    with job_log(
        job.log[0], f"mask {job.wildcards.mask} on the grid {job.wildcards.grid}", job.params.quiet
    ):
        if job.params.grid:
            grid = TargetGrid.of_known(KnownGrid.from_row(job.params.grid))
        else:
            grid = grid_of_image(job.wildcards.grid, job.input.image)
        put_on_grid(
            asked=job.wildcards.mask,
            mask=BrainMaskMetadata.from_row(job.params.row),
            grid=grid,
            code=job.params.code,
            mask_path=job.input.mask,
            mask_sidecar_path=job.input.sidecar,
            published_path=job.output.mask,
            sidecar_path=job.output.sidecar,
        )


if __name__ == "__main__":
    # Ours, whatever other version of brainmasks is installed.
    sys.path.insert(0, snakemake.scriptdir)  # noqa: F821, provided by Snakemake
    main(snakemake)  # noqa: F821, provided by Snakemake
