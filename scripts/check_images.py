"""Check many images against their masks."""

import sys

if "snakemake" in globals():
    # Ours, whatever other version of brainmasks is installed.
    sys.path.insert(0, snakemake.scriptdir)  # noqa: F821, provided by Snakemake

from brainmasks.images import check_images
from brainmasks.job import job_log


def main(job) -> None:
    """Run the job that Snakemake describes."""
    paths = dict(zip(sorted(job.params.rows), job.input.masks, strict=True))
    with job_log(job.log[0], "images"):
        check_images(
            images=job.params.images,
            masks={
                name: {"path": path, "row": job.params.rows[name]} for name, path in paths.items()
            },
            registered=job.params.registered.rows,
            accept=job.params.accept,
            table_path=job.output.table,
            details_path=job.output.details,
            workers=job.threads,
        )


if __name__ == "__main__":
    main(snakemake)  # noqa: F821, provided by Snakemake
