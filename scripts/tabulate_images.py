# SPDX-License-Identifier: MIT
"""Write a page with a table of checked images."""

import sys


def main(job) -> None:
    """Run the job that Snakemake describes."""
    from brainmasks.images import Policy
    from brainmasks.job_log import job_log
    from brainmasks.qc import tabulate_images

    with job_log(job.log[0], "table of images"):
        tabulate_images(
            found_path=job.input.found,
            policy=Policy(job.params.accept, job.params.refuse),
            page_path=job.output[0],
            views=job.params.interactive,
        )


if __name__ == "__main__":
    # Ours, whatever other version of brainmasks is installed.
    sys.path.insert(0, snakemake.scriptdir)  # noqa: F821, provided by Snakemake
    main(snakemake)  # noqa: F821, provided by Snakemake
