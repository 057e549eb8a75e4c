# SPDX-License-Identifier: MIT
"""Bring the bytes of one mask into the working folder."""

import sys


def main(job) -> None:
    """Run the job that Snakemake describes."""
    from brainmasks.fetching import Fetcher
    from brainmasks.job_log import job_log
    from brainmasks.masks import download

    with job_log(job.log[0], f"mask {job.wildcards.mask}"):
        download(
            asked=job.wildcards.mask,
            fetcher=Fetcher.from_settings(job.params.row, **job.params.sources),
            mask_path=job.output.mask,
            origin_path=job.output.origin,
        )


if __name__ == "__main__":
    # Ours, whatever other version of brainmasks is installed.
    sys.path.insert(0, snakemake.scriptdir)  # noqa: F821, provided by Snakemake
    main(snakemake)  # noqa: F821, provided by Snakemake
