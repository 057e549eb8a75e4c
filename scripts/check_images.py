# SPDX-License-Identifier: MIT
"""Check many images against their masks."""

import sys


def main(job) -> None:
    """Run the job that Snakemake describes."""
    from brainmasks.images import PublishedMask, check_images
    from brainmasks.job_log import job_log
    from brainmasks.registry import BrainMaskRegistry

    paths = dict(zip(sorted(job.params.rows), job.input.masks, strict=True))
    with job_log(job.log[0], "images"):
        check_images(
            images=job.params.images,
            masks={
                name: PublishedMask.from_row(job.params.rows[name], path)
                for name, path in paths.items()
            },
            registry=BrainMaskRegistry.from_rows(job.params.registered, job.params.aliases),
            min_inside=job.params.min_inside,
            found_path=job.output[0],
            workers=job.threads,
        )


if __name__ == "__main__":
    # Ours, whatever other version of brainmasks is installed.
    sys.path.insert(0, snakemake.scriptdir)  # noqa: F821, provided by Snakemake
    main(snakemake)  # noqa: F821, provided by Snakemake
