# SPDX-License-Identifier: MIT
"""Fill the cache with masks."""

import sys


def main(job) -> None:
    """Run the job that Snakemake describes."""
    from brainmasks.fetching import Fetcher
    from brainmasks.job_log import job_log
    from brainmasks.masks import prefetch

    fetchers = [Fetcher.from_settings(**each) for each in job.params.masks]
    with job_log(job.log[0], "masks of the configuration", job.params.quiet):
        prefetch(fetchers)


if __name__ == "__main__":
    # Ours, whatever other version of brainmasks is installed.
    sys.path.insert(0, snakemake.scriptdir)  # noqa: F821, provided by Snakemake
    main(snakemake)  # noqa: F821, provided by Snakemake
