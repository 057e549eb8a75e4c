"""Fill the cache with masks."""

import sys

if "snakemake" in globals():
    # Ours, whatever other version of brainmasks is installed.
    sys.path.insert(0, snakemake.scriptdir)  # noqa: F821, provided by Snakemake

from brainmasks.job import job_log
from brainmasks.stock import in_stock, prefetch


def main(job) -> None:
    """Run the job that Snakemake describes."""
    with job_log(job.log[0], "masks of the configuration"):
        prefetch(in_stock(job.params.stock))


if __name__ == "__main__":
    main(snakemake)  # noqa: F821, provided by Snakemake
