# SPDX-License-Identifier: MIT
"""Draw many images over their masks."""

import sys


def main(job) -> None:
    """Run the job that Snakemake describes."""
    from pathlib import Path

    from brainmasks.images import Policy, PublishedMask
    from brainmasks.job_log import job_log
    from brainmasks.qc import BackgroundFile, draw_images

    paths = dict(zip(sorted(job.params.rows), job.input.masks, strict=True))
    with job_log(job.log[0], "pictures of images"):
        draw_images(
            found_path=job.input.found,
            masks={
                name: PublishedMask.from_row(job.params.rows[name], path)
                for name, path in paths.items()
            },
            policy=Policy(job.params.accept, job.params.refuse),
            picture_paths={Path(picture).stem: picture for picture in job.output},
            backgrounds={
                space: BackgroundFile(path, sha256, job.params.installed)
                for (space, sha256), path in zip(
                    job.params.backgrounds.items(), job.input.backgrounds, strict=True
                )
            },
            workers=job.threads,
        )


if __name__ == "__main__":
    # Ours, whatever other version of brainmasks is installed.
    sys.path.insert(0, snakemake.scriptdir)  # noqa: F821, provided by Snakemake
    main(snakemake)  # noqa: F821, provided by Snakemake
