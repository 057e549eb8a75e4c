"""Print which masks are in stock, and where."""

import sys

if "snakemake" in globals():
    # Ours, whatever other version of brainmasks is installed.
    sys.path.insert(0, snakemake.scriptdir)  # noqa: F821, provided by Snakemake

from brainmasks.job import job_log
from brainmasks.stock import in_stock, status


def main(job) -> None:
    """Run the job that Snakemake describes."""
    with job_log(job.log[0], "masks of the registry"):
        print(status(in_stock(job.params.stock)))


if __name__ == "__main__":
    main(snakemake)  # noqa: F821, provided by Snakemake
