# SPDX-License-Identifier: MIT
"""Write the interactive view of one image over its mask."""

import sys


def main(job) -> None:
    """Run the job that Snakemake describes."""
    from brainmasks.images import Policy, PublishedMask
    from brainmasks.job_log import job_log
    from brainmasks.qc import BackgroundFile, view_image

    digests = list(job.params.backgrounds.values())
    backgrounds = [
        BackgroundFile(path, sha256, job.params.installed)
        for path, sha256 in zip(job.input.backgrounds, digests, strict=True)
    ]
    with job_log(job.log[0], f"view of image {job.wildcards.id}"):
        view_image(
            name=job.wildcards.id,
            found_path=job.input.found,
            mask=PublishedMask.from_row(job.params.row, job.input.mask),
            policy=Policy(job.params.accept, job.params.refuse),
            view_path=job.output[0],
            background=backgrounds[0] if backgrounds else None,
        )


if __name__ == "__main__":
    # Ours, whatever other version of brainmasks is installed.
    sys.path.insert(0, snakemake.scriptdir)  # noqa: F821, provided by Snakemake
    main(snakemake)  # noqa: F821, provided by Snakemake
