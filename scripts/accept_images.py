# SPDX-License-Identifier: MIT
"""Accept or reject checked images."""

import sys


def main(job) -> None:
    """Run the job that Snakemake describes."""
    from brainmasks.images import OntoGrid, Policy, accept_images
    from brainmasks.job_log import job_log

    with job_log(job.log[0], "images"):
        accept_images(
            found_path=job.input.found,
            policy=Policy(job.params.accept, job.params.refuse),
            onto_grid=OntoGrid(**job.params.onto_grid),
            page_path=job.input.page,
            table_path=job.output.table,
            details_path=job.output.details,
        )


if __name__ == "__main__":
    # Ours, whatever other version of brainmasks is installed.
    sys.path.insert(0, snakemake.scriptdir)  # noqa: F821, provided by Snakemake
    main(snakemake)  # noqa: F821, provided by Snakemake
