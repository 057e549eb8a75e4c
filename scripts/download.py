"""Bring the bytes of one mask into the working folder."""

import sys

if "snakemake" in globals():
    # Ours, whatever other version of brainmasks is installed.
    sys.path.insert(0, snakemake.scriptdir)  # noqa: F821, provided by Snakemake

from brainmasks.fetch import Ways
from brainmasks.job import job_log
from brainmasks.steps import download


def main(job) -> None:
    """Run the job that Snakemake describes."""
    with job_log(job.log[0], f"mask {job.wildcards.mask}"):
        download(
            asked=job.wildcards.mask,
            row=job.params.row | {"url": job.params.ways.url},
            ways=Ways.from_settings(**job.params.ways.settings),
            mask_path=job.output.mask,
            origin_path=job.output.origin,
        )


if __name__ == "__main__":
    main(snakemake)  # noqa: F821, provided by Snakemake
