"""Check one image against its mask."""

import sys

if "snakemake" in globals():
    # Ours, whatever other version of brainmasks is installed.
    sys.path.insert(0, snakemake.scriptdir)  # noqa: F821, provided by Snakemake

from brainmasks.images import check_image
from brainmasks.job import job_log


def main(job) -> None:
    """Run the job that Snakemake describes."""
    with job_log(job.log[0], f"image {job.wildcards.id}"):
        check_image(
            name=job.wildcards.id,
            entry=job.params.entry,
            mask={"path": job.input.mask, "row": job.params.row},
            registered=job.params.registered.rows,
            accept=job.params.accept,
            details_path=job.output.details,
        )


if __name__ == "__main__":
    main(snakemake)  # noqa: F821, provided by Snakemake
