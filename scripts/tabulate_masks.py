# SPDX-License-Identifier: MIT
"""Write a page with a table of published masks."""

import sys


def main(job) -> None:
    """Run the job that Snakemake describes."""
    from brainmasks.job_log import job_log
    from brainmasks.qc import tabulate_masks
    from brainmasks.registry import BrainMaskMetadata

    with job_log(job.log[0], "table of masks"):
        tabulate_masks(
            masks=[BrainMaskMetadata.from_row(row) for row in job.params.rows],
            sidecar_paths=job.input.sidecars,
            page_path=job.output[0],
        )


if __name__ == "__main__":
    # Ours, whatever other version of brainmasks is installed.
    sys.path.insert(0, snakemake.scriptdir)  # noqa: F821, provided by Snakemake
    main(snakemake)  # noqa: F821, provided by Snakemake
