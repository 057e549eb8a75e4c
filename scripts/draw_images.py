"""Draw many images over their masks."""

import sys
from pathlib import Path

if "snakemake" in globals():
    # Ours, whatever other version of brainmasks is installed.
    sys.path.insert(0, snakemake.scriptdir)  # noqa: F821, provided by Snakemake

from brainmasks.job import job_log
from brainmasks.overlay import draw_images


def main(job) -> None:
    """Run the job that Snakemake describes."""
    names = [Path(path).name.removesuffix(".nii.gz") for path in job.input.masks]
    with job_log(job.log[0], "pictures of images"):
        draw_images(
            images={
                Path(picture).stem: {"image": image, "mask": name}
                for picture, image, name in zip(job.output, job.input.images, names, strict=True)
            },
            masks={
                name: {"path": path, "row": job.params.rows[name]}
                for name, path in zip(names, job.input.masks, strict=True)
            },
            registered=job.params.registered.rows,
            picture_paths={Path(picture).stem: picture for picture in job.output},
            workers=job.threads,
        )


if __name__ == "__main__":
    main(snakemake)  # noqa: F821, provided by Snakemake
