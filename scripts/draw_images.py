# SPDX-License-Identifier: MIT
"""Draw many images over their masks."""

import sys


def main(job) -> None:
    """Run the job that Snakemake describes."""
    from pathlib import Path

    from brainmasks.images import PublishedMask
    from brainmasks.job_log import job_log
    from brainmasks.qc import draw_images
    from brainmasks.registry import BrainMaskMetadata, BrainMaskRegistry

    names = [Path(path).name.removesuffix(".nii.gz") for path in job.input.masks]
    with job_log(job.log[0], "pictures of images"):
        draw_images(
            images={
                Path(picture).stem: {"image": image, "mask": name}
                for picture, image, name in zip(job.output, job.input.images, names, strict=True)
            },
            masks={
                name: PublishedMask(path, BrainMaskMetadata.from_row(job.params.rows[name]))
                for name, path in zip(names, job.input.masks, strict=True)
            },
            registry=BrainMaskRegistry.from_rows(job.params.registered),
            picture_paths={Path(picture).stem: picture for picture in job.output},
            workers=job.threads,
        )


if __name__ == "__main__":
    # Ours, whatever other version of brainmasks is installed.
    sys.path.insert(0, snakemake.scriptdir)  # noqa: F821, provided by Snakemake
    main(snakemake)  # noqa: F821, provided by Snakemake
