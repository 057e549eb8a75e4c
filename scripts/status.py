# SPDX-License-Identifier: MIT
"""Print which masks are cached, and where."""

import sys


def main(job) -> None:
    """Run the job that Snakemake describes."""
    from brainmasks.fetching import Fetcher
    from brainmasks.job_log import job_log
    from brainmasks.masks import status

    fetchers = [Fetcher.from_settings(**each) for each in job.params.masks]
    with job_log(job.log[0], "masks of the registry"):
        print(status(fetchers, job.params.asked))


if __name__ == "__main__":
    # Ours, whatever other version of brainmasks is installed.
    sys.path.insert(0, snakemake.scriptdir)  # noqa: F821, provided by Snakemake
    main(snakemake)  # noqa: F821, provided by Snakemake
