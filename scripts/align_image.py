# SPDX-License-Identifier: MIT
"""Bring one image onto its mask's grid."""

import sys


def main(job) -> None:
    """Run the job that Snakemake describes."""
    from brainmasks.images import align
    from brainmasks.job_log import job_log
    from brainmasks.masks import completed, sidecar_beside
    from brainmasks.registry import BrainMaskMetadata, BrainMaskRegistry

    with job_log(job.log[0], f"image {job.wildcards.id}"):
        align(
            image_path=job.input.image,
            mask=completed(
                BrainMaskMetadata.from_row(job.params.row), sidecar_beside(job.input.mask)
            ),
            registry=BrainMaskRegistry.from_rows(job.params.registered),
            resample=job.params.resample,
            aligned_path=job.output.image,
            sidecar_path=job.output.sidecar,
        )


if __name__ == "__main__":
    # Ours, whatever other version of brainmasks is installed.
    sys.path.insert(0, snakemake.scriptdir)  # noqa: F821, provided by Snakemake
    main(snakemake)  # noqa: F821, provided by Snakemake
