"""Bring one image onto its mask's grid."""

import sys

if "snakemake" in globals():
    # Ours, whatever other version of brainmasks is installed.
    sys.path.insert(0, snakemake.scriptdir)  # noqa: F821, provided by Snakemake

from brainmasks.images import align
from brainmasks.job import job_log


def main(job) -> None:
    """Run the job that Snakemake describes."""
    with job_log(job.log[0], f"image {job.wildcards.id}"):
        align(
            image_path=job.input.image,
            row=job.params.row,
            registered=job.params.registered.rows,
            resample=job.params.resample,
            aligned_path=job.output.image,
            sidecar_path=job.output.sidecar,
        )


if __name__ == "__main__":
    main(snakemake)  # noqa: F821, provided by Snakemake
