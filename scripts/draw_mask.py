# SPDX-License-Identifier: MIT
"""Draw one published mask."""

import sys


def main(job) -> None:
    """Run the job that Snakemake describes."""
    from brainmasks.job_log import job_log
    from brainmasks.qc import draw_gridded, draw_mask
    from brainmasks.registry import BrainMaskMetadata, split_gridded

    with job_log(job.log[0], f"mask {job.wildcards.mask}"):
        draw = draw_gridded if split_gridded(job.wildcards.mask) else draw_mask
        draw(
            mask=BrainMaskMetadata.from_row(job.params.row),
            mask_path=job.input.mask,
            sidecar_path=job.input.sidecar,
            picture_path=job.output[0],
        )


if __name__ == "__main__":
    # Ours, whatever other version of brainmasks is installed.
    sys.path.insert(0, snakemake.scriptdir)  # noqa: F821, provided by Snakemake
    main(snakemake)  # noqa: F821, provided by Snakemake
